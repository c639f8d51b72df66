// What is remembered of a job's runs, and what is said of them: pure functions on plain data.

import type { Milliseconds } from '../../platform/time/clock.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { type Backoff, backoffDelay } from './sinks/backoff.ts'
import type { JobEvent, LastRun, RunOutcome } from './types.ts'

export interface History {
  /** In a row. */
  readonly failures: number
  readonly last?: LastRun
}

/** What becomes of a job that keeps failing. */
export interface Slowness extends Backoff {
  /** So many failures in a row. */
  readonly after: number
}

export function historyAfter({ failures }: History, outcome: RunOutcome): History {
  return { failures: outcome.kind === 'done' ? 0 : failures + 1, last: lastRun(outcome) }
}

/** That a job fails is said once, and once that it works again. */
export function eventsOf(
  { failures: before }: History,
  outcome: RunOutcome,
  { after }: Slowness,
): readonly JobEvent[] {
  const { job } = outcome
  const run = { kind: 'run', outcome } as const
  if (outcome.kind === 'done') {
    return before >= after ? [run, { kind: 'recovered', job, failures: before }] : [run]
  }
  const { error } = outcome
  const failures = before + 1
  return failures === after ? [run, { kind: 'failing', job, failures, error }] : [run]
}

/** Runs that are due earlier are passed over. */
export function notBefore({ failures }: History, slow: Slowness, now: Milliseconds): Milliseconds {
  const over = failures - slow.after + 1
  return over > 0 ? now + backoffDelay(slow, over) : Number.NEGATIVE_INFINITY
}

function lastRun(outcome: RunOutcome): LastRun {
  const { began, ended, kind } = outcome
  if (kind === 'done') {
    const { payment, authentic } = outcome
    const amounts = payment && { cost: `${payment.cost}`, price: `${payment.price}` }
    return { began, ended, kind, ...amounts, authentic }
  }
  const { error } = outcome
  const code = isUraidenError(error) ? error.code : error.name
  return { began, ended, kind, error: { code, message: error.message } }
}
