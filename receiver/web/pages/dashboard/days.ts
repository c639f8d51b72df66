// Income by the day, from what was paid in all by the end of each hour: a pure function.
import type { IncomeHour } from './api.ts'

export interface Day {
  /** Unix time of its beginning in UTC, in seconds. */
  readonly start: number
  /** In the smallest unit. */
  readonly income: bigint
}

const length = 86_400

/** The last `count` days up to and with the one of `now`, those without income among them. */
export function incomeByDay(
  hours: readonly IncomeHour[],
  now: number,
  count: number,
): readonly Day[] {
  const byDay = new Map<number, bigint>()
  let before = 0n
  for (const { start, total } of hours) {
    const day = Math.floor(start / length) * length
    byDay.set(day, (byDay.get(day) ?? 0n) + BigInt(total) - before)
    before = BigInt(total)
  }
  const today = Math.floor(now / length) * length
  return Array.from({ length: count }, (_, at) => {
    const start = today - (count - 1 - at) * length
    return { start, income: byDay.get(start) ?? 0n }
  })
}
