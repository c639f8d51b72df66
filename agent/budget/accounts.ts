// Who has spent how much when: kept in memory, written by the ledger in the same batch as the balance.
import type { Address, TokenAmount } from '../../protocol/index.ts'
import { type Budget, type BudgetLimit, type BudgetScope, capsOf } from './caps.ts'
import { advance, type BudgetClock, type ClockReading } from './clock.ts'
import {
  type CalendarDate,
  nothingSpent,
  refund,
  type Spending,
  shift,
  spend,
  spentIn,
  windows,
} from './spending.ts'

export interface AccountsOptions {
  readonly budget: Budget
  readonly readClock: () => ClockReading
  readonly date: (time: number) => CalendarDate
  /** As they were on disk. */
  readonly clock: BudgetClock | undefined
  readonly spent: ReadonlyMap<BudgetScope, Spending>
}

/** What has changed since the last write. */
export interface AccountChanges {
  readonly clock: BudgetClock
  readonly spent: ReadonlyMap<BudgetScope, Spending>
}

export interface Accounts {
  readonly spend: (scopes: readonly BudgetScope[], amount: TokenAmount) => void
  readonly refund: (scopes: readonly BudgetScope[], amount: TokenAmount) => void
  /** Each cap of a scope, with `reserved` counted as spent now. */
  readonly limits: (scope: BudgetScope, reserved: TokenAmount) => readonly BudgetLimit[]
  readonly spentInAll: (scope: BudgetScope) => TokenAmount
  /** Takes the changes for a write; `putBack` when it failed. */
  readonly takeChanges: () => AccountChanges
  readonly putBack: (changes: AccountChanges) => void
}

export function scopesOf(receiver: Address, job: string | undefined): readonly BudgetScope[] {
  const both: readonly BudgetScope[] = ['all', `receiver/${receiver}`]
  return job === undefined ? both : [...both, `job/${job}`]
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { budget, readClock, date } = options
  const spent = new Map(options.spent)
  let clock = options.clock
  let dirty = new Set<BudgetScope>()
  const of = (scope: BudgetScope): Spending => spent.get(scope) ?? nothingSpent

  function now(): BudgetClock {
    const step = advance(clock, readClock())
    clock = step.clock
    if (step.jump > 0) {
      for (const [scope, spending] of spent) {
        set(scope, shift(spending, step.jump, date(clock.time)))
      }
    }
    return clock
  }

  function set(scope: BudgetScope, spending: Spending): void {
    spent.set(scope, spending)
    dirty.add(scope)
  }

  return {
    spend: (scopes, amount) => {
      const { time } = now()
      for (const scope of scopes) set(scope, spend(of(scope), amount, time, date(time)))
    },
    refund: (scopes, amount) => {
      for (const scope of scopes) set(scope, refund(of(scope), amount))
    },
    limits: (scope, reserved) => {
      const { time } = now()
      const caps = capsOf(budget, scope)
      return windows.flatMap((window) => {
        const cap = caps[window]
        if (cap === undefined) return []
        const used = spentIn(of(scope), window, time, date(time)) + reserved
        return [{ scope, window, cap, used }]
      })
    },
    spentInAll: (scope) => of(scope).total,
    takeChanges: () => {
      const changes = {
        clock: now(),
        spent: new Map([...dirty].map((scope) => [scope, of(scope)])),
      }
      dirty = new Set()
      return changes
    },
    putBack: (changes) => {
      for (const scope of changes.spent.keys()) dirty.add(scope)
    },
  }
}
