// Income by the hour, as pure functions: what all channels have paid in all, at the end of each hour
// in which that has changed.
import { parseUint192, type TokenAmount } from '../../protocol/index.ts'

export interface IncomeHour {
  /** Unix time of its beginning, in seconds. */
  readonly start: number
  /** Paid since the beginning of all time, as of the last look in this hour. */
  readonly total: TokenAmount
}

/** Oldest first. */
export type IncomeHistory = readonly IncomeHour[]

const hour = 3600

/** A year; an hour without income takes no room. */
const mostHours = 366 * 24

/**
 * With what was paid by now. The total never falls: while the chain is read again, channels are
 * missing for a while.
 */
export function withTotal(
  history: IncomeHistory,
  seconds: number,
  total: TokenAmount,
): IncomeHistory {
  const last = history.at(-1)
  if (last !== undefined && total <= last.total) return history
  const start = Math.floor(seconds / hour) * hour
  // A clock that was set back adds to the newest hour.
  if (last !== undefined && start <= last.start) {
    return [...history.slice(0, -1), { ...last, total }]
  }
  return [...history, { start, total }].slice(-mostHours)
}

export function encodeHistory(history: IncomeHistory): string {
  return JSON.stringify(history.map(({ start, total }) => [start, `${total}`]))
}

/** A damaged file is no history: it counts no money, it only shows it. */
export function decodeHistory(text: string): IncomeHistory {
  try {
    const hours: readonly (readonly [number, string])[] = JSON.parse(text)
    return hours.map(([start, total]) => ({ start: Number(start), total: parseUint192(total) }))
  } catch {
    return []
  }
}
