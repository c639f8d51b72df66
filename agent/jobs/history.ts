// What is remembered of a job's runs, and what is said of them: pure functions on plain data.

import type { Milliseconds } from '../../platform/time/clock.ts'
import { defined, isUraidenError } from '../../protocol/index.ts'
import { BudgetSpentError } from '../budget/caps.ts'
import type { Clock } from './clock.ts'
import { type Backoff, backoffDelay } from './sinks/backoff.ts'
import type { JobEvent, LastRun, RunOutcome, SpentBudget } from './types.ts'
import { type BoughtValues, withValue } from './values.ts'

export interface History {
  /** In a row. */
  readonly failures: number
  readonly last?: LastRun
  /** The receiver of the last run wants no request before. Unix time. */
  readonly notBefore?: Milliseconds
  /** The last run found no room in it. */
  readonly spent?: SpentBudget
  readonly values?: BoughtValues
}

/** What becomes of a job that keeps failing. */
export interface Slowness extends Backoff {
  /** So many failures in a row. */
  readonly after: number
}

export function historyAfter(before: History, outcome: RunOutcome): History {
  const { failures, values } = before
  const last = lastRun(outcome)
  if (outcome.kind === 'done') {
    return { failures: 0, last, values: withValue(values, outcome.value) }
  }
  const spent = spentBudget(outcome)
  if (spent !== undefined) return { ...before, spent }
  const { notBefore } = outcome
  return { failures: failures + 1, last, ...defined({ notBefore, values }) }
}

/** Undefined for an outcome that is another one. */
function spentBudget(outcome: RunOutcome): SpentBudget | undefined {
  if (outcome.kind !== 'failed' || !(outcome.error instanceof BudgetSpentError)) return undefined
  const { code, message, limit, needed, freeAt } = outcome.error
  const { scope, window } = limit
  return { code, message, scope, window, needed: `${needed}`, ...defined({ until: freeAt }) }
}

/** That a job fails is said once, and once that it works again; that its budget is spent, too. */
export function eventsOf(
  { failures: before, spent: earlier }: History,
  outcome: RunOutcome,
  { after }: Slowness,
): readonly JobEvent[] {
  const { job } = outcome
  const run = { kind: 'run', outcome } as const
  if (outcome.kind === 'done') {
    return before >= after ? [run, { kind: 'recovered', job, failures: before }] : [run]
  }
  const spent = spentBudget(outcome)
  if (spent !== undefined) {
    return earlier === undefined ? [run, { kind: 'budgetSpent', job, spent }] : [run]
  }
  const { error } = outcome
  const failures = before + 1
  return failures === after ? [run, { kind: 'failing', job, failures, error }] : [run]
}

/**
 * Runs that are due earlier are passed over. By `passed` of the clock, which is never set. A receiver puts a job
 * off for no longer than `slow.most`.
 */
export function notBefore(
  history: History,
  slow: Slowness,
  { now, passed }: Pick<Clock, 'now' | 'passed'>,
): Milliseconds {
  const over = history.failures - slow.after + 1
  const slowed = over > 0 ? backoffDelay(slow, over) : Number.NEGATIVE_INFINITY
  const asked = Math.min((history.notBefore ?? Number.NEGATIVE_INFINITY) - now(), slow.most)
  return passed() + Math.max(slowed, asked)
}

function lastRun(outcome: RunOutcome): LastRun {
  const { began, ended, kind } = outcome
  if (kind === 'done') {
    const { payment, authentic, unfit } = outcome
    const unit = payment?.x402?.unit
    const amounts = payment && {
      cost: `${payment.cost}`,
      price: `${payment.price}`,
      ...(unit !== undefined && { unit }),
    }
    return { began, ended, kind, ...amounts, authentic, ...(unfit.length > 0 && { unfit }) }
  }
  const { error } = outcome
  const code = isUraidenError(error) ? error.code : error.name
  return { began, ended, kind, error: { code, message: error.message } }
}
