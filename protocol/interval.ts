// Intervals of units of a channel: a payment of price p at balance b pays the units in (b − p, b]
// (wire-protocol.md section 8). A list of intervals is in order when its members rise, do not touch,
// and none is empty; all functions here that return a list return one in order.
import type { TokenAmount } from './amount.ts'
import { compareBigints, largest, smallest } from './bigint.ts'

/** The units in (from, to]. */
export interface Interval {
  readonly from: TokenAmount
  readonly to: TokenAmount
}

/**
 * How many units are in it.
 * @example
 * intervalLength({ from: 5n, to: 15n }) // 10n
 */
export function intervalLength({ from, to }: Interval): TokenAmount {
  return to - from
}

/**
 * How many units are in all of them; they must not overlap.
 * @example
 * totalLength([{ from: 0n, to: 5n }, { from: 10n, to: 12n }]) // 7n
 */
export function totalLength(intervals: readonly Interval[]): TokenAmount {
  return intervals.reduce((sum, each) => sum + intervalLength(each), 0n)
}

/**
 * Puts intervals in order: those that touch or overlap become one, and empty ones are dropped.
 * @example
 * joinIntervals([{ from: 5n, to: 10n }, { from: 0n, to: 5n }]) // [{ from: 0n, to: 10n }]
 */
export function joinIntervals(intervals: readonly Interval[]): readonly Interval[] {
  const rising = intervals.filter(isNotEmpty).sort((a, b) => compareBigints(a.from, b.from))
  const result: Interval[] = []
  for (const next of rising) {
    const last = result.at(-1)
    if (last !== undefined && last.to >= next.from) {
      result[result.length - 1] = { from: last.from, to: largest(last.to, next.to) }
    } else {
      result.push(next)
    }
  }
  return result
}

/**
 * The units of the list, which is in order, without those in `taken`.
 * @example
 * subtractInterval([{ from: 0n, to: 10n }], { from: 0n, to: 4n }) // [{ from: 4n, to: 10n }]
 */
export function subtractInterval(
  intervals: readonly Interval[],
  taken: Interval,
): readonly Interval[] {
  return intervals.flatMap((each) =>
    overlap(each, taken)
      ? [
          { from: each.from, to: taken.from },
          { from: taken.to, to: each.to },
        ].filter(isNotEmpty)
      : [each],
  )
}

/**
 * The units that are in both lists, each of which is in order.
 * @example
 * intersectIntervals([{ from: 0n, to: 10n }], [{ from: 8n, to: 20n }]) // [{ from: 8n, to: 10n }]
 */
export function intersectIntervals(
  some: readonly Interval[],
  others: readonly Interval[],
): readonly Interval[] {
  return joinIntervals(
    some.flatMap((a) =>
      others.map((b) => ({ from: largest(a.from, b.from), to: smallest(a.to, b.to) })),
    ),
  )
}

/**
 * True when every unit of `interval` is in the list, which is in order.
 * @example
 * containsInterval([{ from: 0n, to: 10n }], { from: 5n, to: 10n }) // true
 */
export function containsInterval(intervals: readonly Interval[], { from, to }: Interval): boolean {
  // Neighbours are one interval, so that what is contained lies within a single one.
  return from >= to || intervals.some((each) => each.from <= from && to <= each.to)
}

/**
 * True when some unit of `interval` is in the list.
 * @example
 * overlapsInterval([{ from: 0n, to: 10n }], { from: 10n, to: 15n }) // false
 */
export function overlapsInterval(intervals: readonly Interval[], interval: Interval): boolean {
  return intervals.some((each) => overlap(each, interval))
}

function overlap(a: Interval, b: Interval): boolean {
  return largest(a.from, b.from) < smallest(a.to, b.to)
}

function isNotEmpty({ from, to }: Interval): boolean {
  return from < to
}
