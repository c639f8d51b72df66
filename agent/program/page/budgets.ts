// Each cap as the page shows it: what is spent of it, until when it lasts, and when there is some again. Pure.
import { day, hour, type Milliseconds } from '../../../platform/time/clock.ts'
import { largest, type TokenAmount } from '../../../protocol/index.ts'
import { assetOf, type BudgetLimit, type BudgetScope, left } from '../../budget/caps.ts'
import type { HourSum } from '../../channels/hours.ts'
import type { JobStatus } from '../../jobs/types.ts'
import { programOfJob } from '../../proxy/pay.ts'
import type { DaemonStatus } from '../control/status.ts'
import { lasting, spentIn } from './spending.ts'
import type { PageBudget } from './state.ts'

export interface BudgetFacts {
  readonly status: DaemonStatus
  readonly now: Milliseconds
  /** Of the last days, oldest first: what the pace is by. */
  readonly rows: readonly HourSum[]
  readonly freeAt: (limit: BudgetLimit, needed: TokenAmount) => Milliseconds | undefined
  readonly nameOf: (receiver: string) => string | null
}

/** What a pace without a window is by. */
export const paceDays = 7

export function budgetsOf(facts: BudgetFacts): readonly PageBudget[] {
  const { limits = [] } = facts.status.budget ?? {}
  return limits.map((limit) => budgetOf(limit, facts))
}

function budgetOf(limit: BudgetLimit, facts: BudgetFacts): PageBudget {
  const { window, cap, unit } = limit
  const { status, nameOf } = facts
  const ofAsset = assetOf(limit.scope)
  const scope = ofAsset?.within ?? limit.scope
  const spent = largest(limit.used - reservedIn(limit.scope, status.channels), 0n)
  const net = { ...limit, used: spent }
  const over = overOf(net, facts)
  // Hours have sums of the channels' token alone.
  const lasts = over === null && ofAsset === undefined ? lastsOf(net, facts) : null
  const amounts = { window, cap: `${cap}`, spent: `${spent}`, over, lasts, ...(unit && { unit }) }
  if (scope === 'all') return { owner: 'all', name: '', ...amounts }
  const name = scope.slice(scope.indexOf('/') + 1)
  if (scope.startsWith('receiver/')) {
    return { owner: 'receiver', name: nameOf(name) ?? name, ...amounts }
  }
  const program = programOfJob(name)
  return { owner: program === undefined ? 'job' : 'program', name: program ?? name, ...amounts }
}

/** Jobs reserve nothing; where a crash hides the balance, nobody knows what is only reserved. */
function reservedIn(scope: BudgetScope, channels: DaemonStatus['channels']): TokenAmount {
  return channels
    .filter(({ receiver }) => scope === 'all' || scope === `receiver/${receiver}`)
    .filter(({ certain }) => certain)
    .reduce((sum, { bound, balance }) => sum + bound - balance, 0n)
}

/** Nothing is left, or a job waits for more than is left. */
function overOf(limit: BudgetLimit, { status, freeAt }: BudgetFacts): PageBudget['over'] {
  const waiting = status.jobs.find((job) => isWaitingFor(job, limit))
  if (waiting?.spent !== undefined) return { free: waiting.spent.until ?? null }
  return left(limit) > 0n ? null : { free: freeAt(limit, 1n) ?? null }
}

function isWaitingFor({ spent }: JobStatus, { scope, window }: BudgetLimit): boolean {
  return spent?.scope === scope && spent.window === window
}

function lastsOf(limit: BudgetLimit, { now, rows, freeAt }: BudgetFacts): PageBudget['lasts'] {
  const { cap, used, scope, window } = limit
  const began = rows[0]?.start ?? now
  const within = (since: Milliseconds) => {
    const first = Math.max(since, began)
    return {
      within: now - first,
      spent: spentIn(
        rows.filter(({ start }) => start >= first),
        scope,
      ),
    }
  }
  if (window === 'total') {
    return lasting({ cap, used, now, ends: undefined, ...within(now - paceDays * day) })
  }
  if (window === 'hour') {
    const pace = within(Math.floor(now / hour) * hour - hour)
    // An hour is always the last 60 minutes: what is spent slower than the cap allows never reaches it.
    if (pace.spent * BigInt(hour) <= cap * BigInt(Math.max(pace.within, hour))) return 'window'
    return lasting({ cap, used, now, ends: undefined, ...pace })
  }
  const ends = freeAt(limit, cap + 1n)
  if (ends === undefined) return null
  const since = Math.max(began, window === 'day' ? ends - day : monthBefore(ends))
  return lasting({ cap, used, now, ends, spent: used, within: now - since })
}

/** About: a time zone makes hours of difference. */
function monthBefore(end: Milliseconds): Milliseconds {
  const last = new Date(end - day)
  return Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), 1)
}
