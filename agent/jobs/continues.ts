// When a job goes on whose budget is spent, in words.
import { day, type Milliseconds } from '../../platform/time/clock.ts'

const minute: Milliseconds = 60_000

/** `at 00:00 UTC`, `at 2026-12-01 00:00 UTC`; to the minute, because a ledger's clock differs by seconds. */
export function continuesWhen(until: Milliseconds | undefined, now: Milliseconds): string {
  if (until === undefined) return 'when it is raised'
  const text = new Date(Math.round(until / minute) * minute).toISOString()
  const date = until - now < day ? '' : `${text.slice(0, 10)} `
  return `at ${date}${text.slice(11, 16)} UTC`
}
