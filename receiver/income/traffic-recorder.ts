// Counts requests in memory, and adds what was counted to a small file for each day now and then.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createTurns } from '../../platform/async/turns.ts'
import { replaceFile } from '../../platform/state/replace-file.ts'
import type { TokenAmount } from '../../protocol/index.ts'
import {
  added,
  decodeHours,
  encodeHours,
  type Hours,
  lengthOf,
  listed,
  type Period,
  type ResourceCounts,
} from './traffic.ts'

export type Happened =
  | { readonly kind: 'paid' | 'failed'; readonly income: TokenAmount }
  /** It broke off in its middle, after it was counted as paid. */
  | { readonly kind: 'given back'; readonly income: TokenAmount }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'refused'; readonly code: string }

export interface Traffic {
  /** Quick, and never throws: called on the way of a request. */
  readonly count: (path: string, happened: Happened) => void
  /** Of the last so many hours or days, up to this moment. */
  readonly counts: (by: Period, count: number) => Promise<readonly ResourceCounts[]>
  readonly stop: () => Promise<void>
}

export interface TrafficRecorder extends Traffic {
  /** What is done at the end of each interval. Never rejects. */
  readonly look: () => Promise<void>
}

export interface TrafficOptions {
  /** For a file a day; made if missing, for its owner only. */
  readonly folder: string
  /** Unix time in milliseconds. */
  readonly now?: () => number
  /**
   * Between two writes, in milliseconds: a crash costs what was counted in it. Refusals and repetitions alone, which
   * cost whoever asks nothing, are written once in sixty.
   */
  readonly interval?: number
  readonly onError: (error: unknown) => void
}

/** Of files. */
export const mostDays = 400

/** Counted and not written, while the disk takes nothing. */
const mostWaiting = 48

/** Of writes that a stranger could bring about. */
const intervalsOfRefusals = 60

interface Cell {
  paid: number
  income: TokenAmount
  failed: number
  repeated: number
  refused: { [code: string]: number }
}

export function recordTraffic(options: TrafficOptions): TrafficRecorder {
  const { folder, now = Date.now, interval = 60_000, onError } = options
  const turns = createTurns()
  /** Not written yet, of hours that are over or were taken for writing. */
  let waiting: Hours = new Map()
  let hour = 0
  let cells = new Map<string, Cell>()
  let isPaidFor = false
  let sinceSaved = 0

  function count(path: string, happened: Happened): void {
    const at = Math.floor(now() / 3_600_000) * 3600
    if (at !== hour) {
      gather()
      hour = at
    }
    let cell = cells.get(path)
    if (cell === undefined) {
      cell = { paid: 0, income: 0n, failed: 0, repeated: 0, refused: {} }
      cells.set(path, cell)
    }
    enter(cell, happened)
    isPaidFor ||= happened.kind !== 'refused' && happened.kind !== 'repeated'
  }

  function gather(): void {
    if (cells.size === 0) return
    const all = added(waiting, new Map([[hour, cells]]))
    waiting = new Map([...all].sort(([a], [b]) => a - b).slice(-mostWaiting))
    cells = new Map()
  }

  async function save(): Promise<void> {
    gather()
    const taken = waiting
    if (taken.size === 0) return
    waiting = new Map()
    isPaidFor = false
    sinceSaved = 0
    try {
      await addToFiles(folder, taken)
    } catch (error) {
      waiting = added(taken, waiting)
      isPaidFor = true
      onError(error)
    }
  }

  const look = async (): Promise<void> => {
    sinceSaved++
    if (isPaidFor || sinceSaved >= intervalsOfRefusals) await turns.take(save)
  }
  const timer = setInterval(look, interval)
  timer.unref()
  return {
    count,
    counts: (by, count) =>
      turns.take(async () => {
        const last = Math.floor(now() / 1000 / lengthOf[by]) * lengthOf[by]
        const since = last - (count - 1) * lengthOf[by]
        const written = await readSince(folder, since)
        gather()
        return listed(added(written, waiting), by, since)
      }),
    look,
    stop: () => {
      clearInterval(timer)
      return turns.take(save)
    },
  }
}

function enter(cell: Cell, happened: Happened): void {
  switch (happened.kind) {
    case 'paid':
      cell.paid++
      cell.income += happened.income
      return
    case 'failed':
      cell.failed++
      return
    case 'given back':
      cell.failed++
      // What was paid in the hour before stays there.
      if (cell.paid === 0 || cell.income < happened.income) return
      cell.paid--
      cell.income -= happened.income
      return
    case 'repeated':
      cell.repeated++
      return
    case 'refused':
      cell.refused[happened.code] = (cell.refused[happened.code] ?? 0) + 1
  }
}

const fileName = /^\d{4}-\d\d-\d\d\.json$/

function dayOf(start: number): string {
  return new Date(start * 1000).toISOString().slice(0, 10)
}

async function addToFiles(folder: string, hours: Hours): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const day of new Set([...hours.keys()].map(dayOf))) {
    const file = join(folder, `${day}.json`)
    const own = new Map([...hours].filter(([start]) => dayOf(start) === day))
    await replaceFile(file, encodeHours(added(await readHours(file), own)))
  }
  const files = (await readdir(folder)).filter((name) => fileName.test(name)).sort()
  for (const old of files.slice(0, -mostDays)) await rm(join(folder, old), { force: true })
}

async function readSince(folder: string, since: number): Promise<Hours> {
  const names = await readdir(folder).catch(() => [])
  const first = `${dayOf(since)}.json`
  let hours: Hours = new Map()
  for (const name of names.sort()) {
    if (!fileName.test(name) || name < first) continue
    hours = added(hours, await readHours(join(folder, name)))
  }
  return hours
}

async function readHours(file: string): Promise<Hours> {
  return decodeHours(await readFile(file, 'utf8').catch(() => ''))
}
