// How much may be spent, and what of it is left: pure functions on plain data.

import {
  type Address,
  formatAmount,
  largest,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export const windows = ['hour', 'day', 'month', 'total'] as const

/** hour: the last 60 minutes, rolling; day and month: of the calendar; total: for ever. */
export type BudgetWindow = (typeof windows)[number]

/** Most that may be spent in each window, in the token's smallest unit; not given is not limited. */
export type WindowCaps = { readonly [Window in BudgetWindow]?: TokenAmount }

/** A ledger is bound to one contract and so to one token: these are the caps of that token. */
export interface Budget extends WindowCaps {
  /** Most for a single request. */
  readonly request?: TokenAmount
  readonly receivers?: { readonly [receiver: Address]: WindowCaps }
  readonly jobs?: { readonly [job: string]: WindowCaps }
}

/** Whose spending is counted together. */
export type BudgetScope = 'all' | `receiver/${Address}` | `job/${string}`

/** One cap, and what is left of it. */
export interface BudgetLimit {
  readonly scope: BudgetScope
  readonly window: BudgetWindow
  readonly cap: TokenAmount
  /** Spent in the window, and reserved. */
  readonly used: TokenAmount
}

export function capsOf(budget: Budget, scope: BudgetScope): WindowCaps {
  if (scope === 'all') return budget
  const [kind, name = ''] = splitScope(scope)
  return (kind === 'receiver' ? budget.receivers?.[name as Address] : budget.jobs?.[name]) ?? {}
}

function splitScope(scope: string): readonly [string, string] {
  const at = scope.indexOf('/')
  return [scope.slice(0, at), scope.slice(at + 1)]
}

export function left({ cap, used }: BudgetLimit): TokenAmount {
  return largest(cap - used, 0n)
}

/** The limit with the least left; undefined when nothing is limited. */
export function tightest(limits: readonly BudgetLimit[]): BudgetLimit | undefined {
  return limits.reduce<BudgetLimit | undefined>(
    (least, each) => (least === undefined || left(each) < left(least) ? each : least),
    undefined,
  )
}

const inWindow: { readonly [Window in BudgetWindow]: string } = {
  hour: 'an hour',
  day: 'a day',
  month: 'a month',
  total: 'in all',
}

const whenAgain: { readonly [Window in BudgetWindow]: string } = {
  hour: 'Wait until what was spent is an hour ago, or raise',
  day: 'Wait until the next day, or raise',
  month: 'Wait until the next month, or raise',
  total: 'To go on raise',
}

/**
 * The error for a price that a cap has no room for: `budget_hour_spent`, `budget_day_spent`,
 * `budget_month_spent` or `budget_total_spent`.
 */
export function budgetSpent(
  price: TokenAmount,
  { limit, available }: { readonly limit: BudgetLimit; readonly available: TokenAmount },
  token: TokenUnit,
): UraidenError {
  const { scope, window, cap } = limit
  const { whose, setting } = wordsFor(scope)
  return agentError({
    code: `budget_${window}_spent`,
    message: `This costs ${formatAmount(price, token)}, but of the budget of ${formatAmount(cap, token)} ${inWindow[window]}${whose} only ${formatAmount(available, token)} are left.`,
    hint: `Nothing was signed. ${whenAgain[window]} ${setting}.${window}.`,
  })
}

/** How a person calls a scope, and where its caps are in the configuration. */
function wordsFor(scope: BudgetScope): { readonly whose: string; readonly setting: string } {
  if (scope === 'all') return { whose: '', setting: 'budget' }
  const [kind, name] = splitScope(scope)
  const [owner, program] = splitScope(name)
  if (kind === 'job' && owner === 'proxy') {
    return { whose: ` for the program ${program}`, setting: `proxy.programs.${program}.budget` }
  }
  return { whose: ` for the ${kind} ${name}`, setting: `budget.${kind}s.${name}` }
}
