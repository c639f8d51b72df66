// Income and requests by hour and day and by resource: pure functions of what the receiver tells.
import { refusal } from '../../../../protocol/refusal.ts'
import type { IncomeHour, ResourceCounts } from './api.ts'

export type By = 'hour' | 'day'

/** In seconds. */
export const lengthOf = { hour: 3600, day: 86_400 } as const

/** Shown in the plot. */
export const shownPeriods = { hour: 48, day: 30 } as const

/** Saved in a file: as many as the receiver has by day, and 30 days of hours. */
export const savedPeriods = { hour: 720, day: 400 } as const

export interface Requests {
  readonly paid: number
  readonly failed: number
  /** Not among them: who asked for the price. */
  readonly refused: number
  readonly asked: number
}

export interface PeriodSum extends Requests {
  /** Unix time of its beginning in UTC, in seconds. */
  readonly start: number
  /** By the balances of the channels, in the smallest unit. */
  readonly income: bigint
}

export interface ResourceSum extends Requests {
  readonly path: string
  readonly income: bigint
}

const none: Requests = { paid: 0, failed: 0, refused: 0, asked: 0 }

/** The last hours or days up to and with that of `now`, those without anything among them. */
export function sumsBy(
  by: By,
  {
    hours,
    traffic,
    now,
  }: {
    readonly hours: readonly IncomeHour[]
    readonly traffic: readonly ResourceCounts[]
    readonly now: number
  },
): readonly PeriodSum[] {
  const income = new Map<number, bigint>()
  let before = 0n
  for (const { start, total } of hours) {
    const period = beginning(start, by)
    income.set(period, (income.get(period) ?? 0n) + BigInt(total) - before)
    before = BigInt(total)
  }
  const requests = new Map<number, Requests>()
  for (const counts of traffic) {
    requests.set(counts.start, plus(requests.get(counts.start) ?? none, requestsOf(counts)))
  }
  const count = shownPeriods[by]
  const last = beginning(now, by)
  return Array.from({ length: count }, (_, at) => {
    const start = last - (count - 1 - at) * lengthOf[by]
    return { start, income: income.get(start) ?? 0n, ...(requests.get(start) ?? none) }
  })
}

function beginning(time: number, by: By): number {
  return Math.floor(time / lengthOf[by]) * lengthOf[by]
}

/** Whatever brought most comes first. */
export function sumsByResource(traffic: readonly ResourceCounts[]): readonly ResourceSum[] {
  const sums = new Map<string, ResourceSum>()
  for (const counts of traffic) {
    const { path, income } = counts
    const sum = sums.get(path) ?? { path, income: 0n, ...none }
    const requests = plus(sum, requestsOf(counts))
    sums.set(path, { path, income: sum.income + BigInt(income), ...requests })
  }
  return [...sums.values()].sort((a, b) => Number(b.income - a.income) || b.paid - a.paid)
}

function requestsOf({ paid, failed, refused }: ResourceCounts): Requests {
  const { payment_required: asked = 0, ...others } = refused
  const sum = Object.values(others).reduce((total, count) => total + count, 0)
  return { paid, failed, refused: sum, asked }
}

function plus(a: Requests, b: Requests): Requests {
  return {
    paid: a.paid + b.paid,
    failed: a.failed + b.failed,
    refused: a.refused + b.refused,
    asked: a.asked + b.asked,
  }
}

/** Why requests were refused, the most frequent reason first: `3 × No such channel`. */
export function refusalTexts(traffic: readonly ResourceCounts[]): readonly string[] {
  const sums = new Map<string, number>()
  for (const { refused } of traffic) {
    for (const [code, count] of Object.entries(refused)) {
      if (code !== 'payment_required') sums.set(code, (sums.get(code) ?? 0) + count)
    }
  }
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${count} × ${titleOf(code)}`)
}

/** A price function has codes of its own. */
function titleOf(code: string): string {
  try {
    return refusal(code as Parameters<typeof refusal>[0]).title
  } catch {
    return code
  }
}

/** `2026-11-28`, `2026-11-28 14:00`; months and days as ISO 8601 has them: 11-21 is the same everywhere. */
export function periodText(start: number, by: By): string {
  const text = new Date(start * 1000).toISOString()
  return by === 'day' ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`
}

/** For a file: a line for each hour or day and resource. */
export function trafficRows(
  traffic: readonly ResourceCounts[],
  by: By,
): readonly (readonly string[])[] {
  return traffic.map((counts) => {
    const { paid, failed, refused, asked } = requestsOf(counts)
    const numbers = [paid, failed, counts.repeated, refused, asked].map(String)
    return [periodText(counts.start, by), counts.path, counts.income, ...numbers]
  })
}

export const trafficNames = [
  'start_utc',
  'resource',
  'income',
  'paid',
  'failed',
  'repeated',
  'refused',
  'price_asked',
] as const
