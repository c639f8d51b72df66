// Where a channel stands, and what a payment takes of it: pure functions on plain data.
//
// A payment over price p that signs the balance b pays the interval (b − p, b] (wire-protocol.md
// section 8). Everything up to `signed` has been given to payments, but for the intervals in `free`,
// which the receiver has not taken, and those in `doubtful`, of which nobody knows because the answer
// was lost. The receiver takes each unit once, however often it is offered.
import {
  type Interval,
  intervalLength,
  joinIntervals,
  largest,
  overlapsInterval,
  subtractInterval,
  type TokenAmount,
  totalLength,
} from '../../protocol/index.ts'

export interface Position {
  /** The next fresh payment begins here. */
  readonly signed: TokenAmount
  /** The highest balance a signature was ever made for. */
  readonly top: TokenAmount
  /**
   * Apart from each other and rising, none above `signed`. While not `certain`: what was free before the crash, which
   * counts as not spent and pays for nothing.
   */
  readonly free: readonly Interval[]
  readonly doubtful: readonly Interval[]
  /** False after a crash: signatures up to the bound may have left that nobody remembers. */
  readonly certain: boolean
}

/**
 * fresh     above everything that was signed
 * credit    an interval that the receiver gave back
 * doubtful  one of which it is not known whether the receiver took it: offered again, costs nothing
 * probe     the last known proof once more: makes the receiver say where the channel stands
 */
export type TakenFrom = 'fresh' | 'credit' | 'doubtful' | 'probe'

export interface WantedInterval {
  readonly price: TokenAmount
  /** No balance above it is signed. */
  readonly bound: TokenAmount
  readonly receiverKnows: 'intervals' | 'balances'
}

export interface Taking {
  readonly source: TakenFrom
  readonly interval: Interval
  readonly position: Position
}

/**
 * The interval for a payment of `price`; undefined when nothing fits below `bound`. Intervals below
 * `signed` are for receivers that know the rule of intervals; the last one, if it is in doubt, for any.
 */
export function takeFrom(
  position: Position,
  { price, bound, receiverKnows }: WantedInterval,
): Taking | undefined {
  const { signed, top, certain } = position
  if (!certain) {
    const from = largest(signed - price, 0n)
    return { source: 'probe', interval: { from, to: signed }, position }
  }
  if (receiverKnows === 'intervals') {
    const taken = takeBelow(position, price)
    if (taken !== undefined) return taken
  }
  // At the end no gap is needed: one that knows balances only takes it, or says that it has it.
  const last = position.doubtful.find(
    (each) => each.to === signed && intervalLength(each) === price,
  )
  if (last !== undefined) return takeAgain(position, last)
  const to = signed + price
  if (to > bound) return undefined
  return {
    source: 'fresh',
    interval: { from: signed, to },
    position: { ...position, signed: to, top: largest(to, top) },
  }
}

function takeBelow(position: Position, price: TokenAmount): Taking | undefined {
  const { doubtful, free } = position
  // Only as a whole: of a part of it nobody could say afterwards what became of the rest.
  const again = doubtful.find((each) => intervalLength(each) === price)
  if (again !== undefined) return takeAgain(position, again)
  const credit = free.find((each) => intervalLength(each) >= price)
  if (credit === undefined) return undefined
  const interval = { from: credit.from, to: credit.from + price }
  const rest = subtractInterval(free, interval)
  return { source: 'credit', interval, position: { ...position, free: rest } }
}

function takeAgain(position: Position, again: Interval): Taking {
  const doubtful = position.doubtful.filter((each) => each !== again)
  return { source: 'doubtful', interval: again, position: { ...position, doubtful } }
}

/** The receiver has not taken this interval: it can pay for something else. */
export function giveBack(position: Position, interval: Interval): Position {
  const free = joinIntervals([...position.free, interval])
  const last = free.at(-1)
  // At the end it needs no gap, so that it pays any receiver.
  if (last !== undefined && last.to === position.signed) {
    return { ...position, signed: last.from, free: free.slice(0, -1) }
  }
  return { ...position, free }
}

/** All of it counts as charged. */
export function isSettled(
  { signed, free, doubtful, certain }: Position,
  interval: Interval,
): boolean {
  const open = [...free, ...doubtful]
  return certain && interval.to <= signed && !overlapsInterval(open, interval)
}

export function doubt(position: Position, interval: Interval): Position {
  // Not joined: it is resolved, or offered again, as the payment that it was.
  const added = interval.from < interval.to ? [interval] : []
  return { ...position, doubtful: [...position.doubtful, ...added] }
}

export function resolveDoubt(position: Position, { from, to }: Interval): Position {
  const others = position.doubtful.filter((each) => each.from !== from || each.to !== to)
  return { ...position, doubtful: others }
}

/**
 * It is proven that the receiver holds a proof for `highest` and none above, and nothing is on its
 * way to it.
 */
export function standAt(position: Position, highest: TokenAmount): Position {
  const below = ({ to }: Interval): boolean => to <= highest
  return {
    signed: highest,
    top: largest(position.top, highest),
    // What was free before a crash may have been used since.
    free: position.certain ? position.free.filter(below) : [],
    doubtful: position.doubtful.filter(below),
    certain: true,
  }
}

/** Below `signed`, less what at its end the receiver gave back or nobody knows to be taken. */
export function servedUpTo({
  signed,
  free,
  doubtful,
}: Pick<Position, 'signed' | 'free' | 'doubtful'>): TokenAmount {
  const open = [...free, ...doubtful]
  let at = signed
  for (;;) {
    const last = open.find(({ from, to }) => from < at && to >= at)
    if (last === undefined) return at
    at = last.from
  }
}

/** The units of intervals that the receiver has not taken. */
export function freeSum({ free }: Position): TokenAmount {
  return totalLength(free)
}
