// What was asked for, by the hour and by resource, as pure functions: requests that paid, failed and were refused,
// and what they brought.
import { parseUint192, type TokenAmount } from '../../protocol/index.ts'

/** Of one resource in one hour or one day. */
export interface Counts {
  /** Requests that were paid for and answered. */
  readonly paid: number
  /** What they cost, without what was given back. */
  readonly income: TokenAmount
  /** Paid for, and failed: they cost nothing. */
  readonly failed: number
  /** Answered again with the reply that was kept. */
  readonly repeated: number
  /** By code; `payment_required` is who asked for the price. */
  readonly refused: { readonly [code: string]: number }
}

export interface ResourceCounts extends Counts {
  /** Unix time of the beginning of the hour or day in UTC, in seconds. */
  readonly start: number
  /** As the configuration names it; `others` for those beyond the first 64. */
  readonly path: string
}

/** By the beginning of the hour, then by path. */
export type Hours = ReadonlyMap<number, ReadonlyMap<string, Counts>>

export type Period = 'hour' | 'day'

/** In seconds. */
export const lengthOf: { readonly [Each in Period]: number } = { hour: 3600, day: 86_400 }

export const nothing: Counts = { paid: 0, income: 0n, failed: 0, repeated: 0, refused: {} }

/** In an hour. */
const mostPaths = 64
const mostCodes = 32
const others = 'others'

function sumOf(a: Counts, b: Counts): Counts {
  const refused: { [code: string]: number } = { ...a.refused }
  for (const [code, count] of Object.entries(b.refused)) {
    const known = Object.hasOwn(refused, code) || Object.keys(refused).length < mostCodes
    const name = known ? code : others
    refused[name] = (refused[name] ?? 0) + count
  }
  return {
    paid: a.paid + b.paid,
    income: a.income + b.income,
    failed: a.failed + b.failed,
    repeated: a.repeated + b.repeated,
    refused,
  }
}

export function added(a: Hours, b: Hours): Hours {
  const sum = new Map([...a].map(([start, paths]) => [start, new Map(paths)]))
  for (const [start, paths] of b) {
    const into = sum.get(start) ?? new Map<string, Counts>()
    sum.set(start, into)
    for (const [path, counts] of paths) {
      const name = into.has(path) || into.size < mostPaths ? path : others
      into.set(name, sumOf(into.get(name) ?? nothing, counts))
    }
  }
  return sum
}

/** Oldest first, then by path; from `since` on, in Unix seconds. */
export function listed(hours: Hours, by: Period, since: number): readonly ResourceCounts[] {
  const sums = new Map<string, ResourceCounts>()
  for (const [hour, paths] of hours) {
    const start = Math.floor(hour / lengthOf[by]) * lengthOf[by]
    if (start < since) continue
    for (const [path, counts] of paths) {
      const key = `${start} ${path}`
      const sum = sumOf(sums.get(key) ?? nothing, counts)
      sums.set(key, { start, path, ...sum })
    }
  }
  return [...sums.values()].sort((a, b) => a.start - b.start || (a.path < b.path ? -1 : 1))
}

export function encodeHours(hours: Hours): string {
  const plain = [...hours].map(([start, paths]) => [
    start,
    Object.fromEntries(
      [...paths].map(([path, { income, ...rest }]) => [path, { income: `${income}`, ...rest }]),
    ),
  ])
  return JSON.stringify({ version: 1, hours: Object.fromEntries(plain) })
}

interface Stored {
  readonly hours: {
    readonly [start: string]: {
      readonly [path: string]: Omit<Counts, 'income'> & { readonly income: string }
    }
  }
}

/** A damaged file is none: it counts no money, it only shows it. */
export function decodeHours(text: string): Hours {
  try {
    const { hours }: Stored = JSON.parse(text)
    return new Map(
      Object.entries(hours).map(([start, paths]) => [
        Number(start),
        new Map(
          Object.entries(paths).map(([path, { income, ...rest }]) => [
            path,
            sumOf(nothing, { ...rest, income: parseUint192(income) }),
          ]),
        ),
      ]),
    )
  } catch {
    return new Map()
  }
}
