// A folder with a LevelDB that belongs to one account on one contract on one chain, is used by one
// process at a time, and is read by nobody else.

import { access, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { type Address, isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { createTurns } from '../async/turns.ts'
import { platformError } from '../errors/index.ts'

/** Whose state it is. A folder never mixes two of these. */
export interface StateOwner {
  readonly chainId: bigint
  readonly contract: Address
  /** Contracts whose records are there, too: state that was begun on one of them is taken on. */
  readonly others?: readonly Address[]
  /** The agent's or the receiver's own. */
  readonly account: Address
}

export interface StateOptions {
  readonly folder: string
  readonly owner: StateOwner
  /** For messages. */
  readonly program: 'agent' | 'receiver' | 'watchtower' | 'funding'
  /** Grows with every change of the records that an older program would misread. */
  readonly format: number
  /** By the format that it reads: turns its records into those of the next one. May run twice. */
  readonly upgrades?: { readonly [format: number]: (db: StateDatabase) => Promise<void> }
  /** What it may hold that programs which do not know the mark would misread: such state has it at its format. */
  readonly marks?: readonly string[]
  /**
   * A spool lies upon it: its name, where the state had none. Without one, what an earlier process has left in its spool
   * is void from here on.
   */
  readonly spooled?: string
  /**
   * Bytes that LevelDB may have in memory of what it has not put into tables yet, and as many of what it has read; it
   * takes them in the course of weeks, and does not give them back. Its own 4 and 8 MiB where not given.
   */
  readonly memory?: number
}

/** For `memory` of a program that stays beside others on a small machine. */
export const littleMemory = 1 << 20

export type StateDatabase = Level<string, string>

export type StateOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

/** At which the state's format is, with its marks. */
export const formatKey = 'format'
const ownerKey = 'owner'

/** The key of the name by which a spool finds what it was written over, see `spool.ts`. */
export const spoolMark = 'spool'

/**
 * Opens the state, or makes it with mode 0700. A batch that cannot be written rejects with
 * `state_unwritable`, see `guardWrites`.
 * @throws UraidenError `state_in_use`, `state_readable_by_others`, `state_of_another`,
 * `state_format_unknown`, `state_unusable`
 */
export async function openState(options: StateOptions): Promise<StateDatabase> {
  await preparePrivateFolder(options)
  const { folder, memory } = options
  const db: StateDatabase = new Level(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
    ...(memory !== undefined && { writeBufferSize: memory, cacheSize: memory }),
  })
  await openDatabase(db, options)
  try {
    await readState(folder, () => checkOwner(db, options))
    await readState(folder, () =>
      options.spooled === undefined
        ? forgetSpool(db, options)
        : noteSpool(db, options.format, options.spooled),
    )
    guardWrites(db, folder)
    return db
  } catch (error) {
    await db.close()
    throw error
  }
}

/**
 * Whose state is in a folder, for those who only look. Nothing is made where there is none.
 * @throws UraidenError `state_missing`, `state_in_use`, `state_unusable`
 */
export function ownerOfState(place: StatePlace): Promise<StateOwner> {
  return withState(place, readOwner)
}

/**
 * As `ownerOfState`, and reads every record: damage shows where it is, not where somebody opens it.
 * @throws UraidenError `state_missing`, `state_in_use`, `state_unusable`
 */
export function examineState(place: StatePlace): Promise<StateOwner> {
  return withState(place, async (db) => {
    for await (const _ of db.iterator());
    return readOwner(db)
  })
}

type StatePlace = Pick<StateOptions, 'folder' | 'program'>

async function withState(
  { folder, program }: StatePlace,
  work: (db: StateDatabase) => Promise<StateOwner | undefined>,
): Promise<StateOwner> {
  const missing = platformError({
    code: 'state_missing',
    message: `There is no state in ${folder}.`,
    hint: `Name the state folder with --state, or start the ${program} once.`,
  })
  // Opening it would make a new one.
  await access(join(folder, 'CURRENT')).catch(() => {
    throw missing
  })
  const db: StateDatabase = new Level(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await openDatabase(db, { folder, program })
  try {
    const owner = await readState(folder, () => work(db))
    if (owner === undefined) throw missing
    return owner
  } finally {
    await db.close()
  }
}

/** Whose it is: with the contract that records which name none are of. */
export async function readOwner(db: StateDatabase): Promise<StateOwner | undefined> {
  const written = await db.get(ownerKey)
  if (written === undefined) return undefined
  const { chainId, contract, account } = JSON.parse(written)
  return { chainId: BigInt(chainId), contract, account }
}

/**
 * Reads and decodes records. A table that cannot be read and a record that is not what was written are damage,
 * of the disk or by a power cut; LevelDB notices much of it only now.
 * @throws UraidenError `state_unusable`, and what `read` throws of the kind `state`
 */
export async function readState<Value>(folder: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (error) {
    if (isUraidenError(error) && isAboutState(error)) throw error
    throw platformError({
      code: 'state_unusable',
      message: `The state in ${folder} is damaged: ${error instanceof Error ? error.message : error}`,
      hint: damageHint,
      cause: error,
    })
  }
}

function isAboutState({ code }: UraidenError): boolean {
  return /^(?:state|ledger)_/.test(code)
}

const damageHint =
  'Check the disk. Restore the last backup; an agent without one moves the folder away and runs `recover`.'

/** The keys that begin with `prefix`, as LevelDB wants a range. */
export function keysUnder(prefix: string): { readonly gte: string; readonly lt: string } {
  return { gte: prefix, lt: `${prefix}\uffff` }
}

async function preparePrivateFolder({ folder }: StateOptions): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'EEXIST') throw notAFolder(folder)
    throw unusable(folder, error)
  }
  const { mode } = await stat(folder)
  if ((mode & 0o077) !== 0) {
    throw platformError({
      code: 'state_readable_by_others',
      message: `Others can read the state folder ${folder} (mode ${(mode & 0o777).toString(8)}).`,
      hint: `What is in it is worth money. Run: chmod 700 ${folder}`,
    })
  }
}

async function openDatabase(
  db: StateDatabase,
  { folder, program }: Pick<StateOptions, 'folder' | 'program'>,
): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: string } }
    if (cause?.code !== 'LEVEL_LOCKED') throw unusable(folder, error)
    throw platformError({
      code: 'state_in_use',
      message: `Another process uses the state in ${folder}.`,
      hint: `Stop the other ${program}, or give this one a state folder of its own.`,
      cause: error,
    })
  }
}

function notAFolder(path: string): UraidenError {
  return platformError({
    code: 'state_unusable',
    message: `${path} is a file; the state is a folder.`,
    hint: 'Name another path. State files of the original cannot be read: close its channels first.',
  })
}

function unusable(folder: string, cause: unknown): UraidenError {
  return platformError({
    code: 'state_unusable',
    message: `The state in ${folder} cannot be opened.`,
    hint: `Check the folder’s owner. ${damageHint}`,
    cause,
  })
}

async function checkOwner(db: StateDatabase, options: StateOptions): Promise<void> {
  const { folder, owner, format, program } = options
  const { contract, others = [], account } = owner
  const own = { program, chainId: `${owner.chainId}`, contract, account }
  const [foundFormat, found] = await db.getMany([formatKey, ownerKey])
  if (found === undefined) {
    await db.batch(
      [
        { type: 'put', key: formatKey, value: `${format}` },
        { type: 'put', key: ownerKey, value: ownerText(own, others) },
      ],
      { sync: true },
    )
    return
  }
  checkFormat(foundFormat, options)
  const { also = [], ...first } = JSON.parse(found) as WrittenOwner
  const mine = [contract, ...others]
  const isSame = JSON.stringify({ ...first, contract }) === JSON.stringify(own)
  const isOfOurs = [first.contract, ...also].some((each) => mine.includes(each))
  if (!isSame || !isOfOurs) {
    throw platformError({
      code: 'state_of_another',
      message: `The state in ${folder} belongs to ${found}, not to ${ownerText(own, others)}.`,
    })
  }
  const written = ownerText(first, [...new Set([...also, ...mine])])
  if (written !== found) await db.put(ownerKey, written, { sync: true })
  await upgrade(db, foundFormat, options)
}

/** Of state whose newest changes may be in memory: programs that would not look there refuse it. */
const spooled = 'spool'

/** Behind the number, each with a `+`. A program refuses what it does not know. */
function readFormat(text = ''): { readonly format: number; readonly marks: readonly string[] } {
  const [format, ...marks] = text.split('+')
  return { format: Number(format), marks }
}

function formatText(format: number, marks: readonly string[]): string {
  return [format, ...marks].join('+')
}

async function noteSpool(db: StateDatabase, format: number, name: string) {
  const found = await db.get(formatKey)
  const { marks } = readFormat(found)
  const wanted = formatText(format, [...new Set([spooled, ...marks])])
  if (found === wanted) return
  const begun = { type: 'put', key: spoolMark, value: name } as const
  await db.batch([begun, { type: 'put', key: formatKey, value: wanted }], { sync: true })
}

/** What is written at `formatKey` once the state holds what only programs that know the mark can read. */
export function withMark(found: string | undefined, mark: string): string {
  const { format, marks } = readFormat(found)
  return formatText(format, [...new Set([...marks, mark])])
}

/** The same once no such record is left. */
export function withoutMark(found: string | undefined, mark: string): string {
  const { format, marks } = readFormat(found)
  return formatText(
    format,
    marks.filter((each) => each !== mark),
  )
}

/** Nothing of the state is elsewhere: read again after others have written, a spool would take their writes back. */
async function forgetSpool(db: StateDatabase, { format }: Pick<StateOptions, 'format'>) {
  const [name, found] = await db.getMany([spoolMark, formatKey])
  const operations = withoutSpool({ name, found }, format)
  if (operations.length > 0) await db.batch([...operations], { sync: true })
}

/** What to write so that nothing of the state is elsewhere; nothing where none of it is, by its name and format. */
export function withoutSpool(
  { name, found }: { readonly name: string | undefined; readonly found: string | undefined },
  format: number,
): readonly StateOperation[] {
  const marks = readFormat(found).marks.filter((each) => each !== spooled)
  const value = formatText(format, marks)
  if (name === undefined && found === value) return []
  return [
    { type: 'del', key: spoolMark },
    { type: 'put', key: formatKey, value },
  ]
}

/** In place of a format: what was here is elsewhere now. */
const movedFormat = 'moved'

/** From now on nobody opens it: what was in it is kept elsewhere, and would be paid twice. */
export async function noteMoved(db: StateDatabase): Promise<void> {
  await db.put(formatKey, movedFormat, { sync: true })
}

/**
 * Makes room for a state where one was before it was moved away; all else is let be.
 * @throws UraidenError `state_not_empty`, `state_in_use`, `state_unusable`
 */
export async function clearMoved({ folder, program }: StatePlace): Promise<void> {
  const isThere = await access(join(folder, 'CURRENT')).then(
    () => true,
    () => false,
  )
  if (!isThere) return
  const db: StateDatabase = new Level(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await openDatabase(db, { folder, program })
  try {
    if ((await db.get(formatKey)) !== movedFormat) {
      throw platformError({
        code: 'state_not_empty',
        message: `There is a state in ${folder} already.`,
      })
    }
    await db.clear()
  } finally {
    await db.close()
  }
}

interface WrittenOwner {
  readonly program: string
  readonly chainId: string
  /** The first one: records that name none are of it. */
  readonly contract: Address
  readonly account: Address
  readonly also?: readonly Address[]
}

/** A program that knows of one contract only refuses what is of several. */
function ownerText(owner: WrittenOwner, others: readonly Address[]): string {
  const also = others.filter((each) => each !== owner.contract)
  return JSON.stringify(also.length === 0 ? owner : { ...owner, also })
}

/** From the format that is there, one after the other. */
async function upgrade(
  db: StateDatabase,
  found: string | undefined,
  { format, upgrades = {} }: StateOptions,
): Promise<void> {
  const { format: first, marks } = readFormat(found)
  for (let from = first; from < format; from++) {
    await upgrades[from]?.(db)
    await db.put(formatKey, formatText(from + 1, marks), { sync: true })
  }
}

function checkFormat(
  found: string | undefined,
  { folder, format, upgrades = {}, marks: others = [] }: StateOptions,
): void {
  if (found === movedFormat) {
    throw platformError({ code: 'state_moved', message: `The state in ${folder} was moved away.` })
  }
  const { format: first, marks } = readFormat(found)
  let known = first
  while (known < format && upgrades[known] !== undefined) known++
  if (known === format && marks.every((each) => [spooled, ...others].includes(each))) return
  throw platformError({
    code: 'state_format_unknown',
    message: `The state in ${folder} has format ${found}; this program knows ${format}.`,
  })
}

type Batch = (...args: readonly unknown[]) => Promise<void>

/**
 * LevelDB goes on after a write that failed in the middle, for lack of space for one: later writes
 * follow the torn record in its log, succeed, and are lost when the log is read again. So a database
 * that failed once is closed and opened again, which leaves the torn log behind, before it writes on.
 * Batches are written one after the other, because one that waits behind a torn record would be lost
 * with it. Each rejects with UraidenError `state_unwritable` when the disk does not take
 * it; whether it is there after a restart is then unknown.
 */
function guardWrites(db: Level<string, string>, folder: string): void {
  const write = db.batch.bind(db) as Batch
  const close = db.close.bind(db)
  const turns = createTurns()
  let torn = false
  let closed = false

  async function mend(): Promise<void> {
    await close()
    await db.open()
    torn = false
  }

  const guarded: Batch = (...args) => {
    return turns.take(async () => {
      try {
        if (torn && !closed) await mend()
        await write(...args)
      } catch (error) {
        torn = true
        throw unwritable(folder, error)
      }
    })
  }
  db.batch = guarded as typeof db.batch
  db.close = async () => {
    closed = true
    await turns.idle()
    await close()
  }
}

function unwritable(folder: string, cause: unknown): UraidenError {
  return platformError({
    code: 'state_unwritable',
    message: `The state in ${folder} cannot be written: ${cause instanceof Error ? cause.message : cause}`,
    hint: 'Nothing was promised on it. Free space on the disk, and check that it is not read-only.',
    cause,
  })
}
