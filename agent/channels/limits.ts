// What the budget still allows, with all that is reserved counted as spent.
import type { Address, TokenAmount } from '../../protocol/index.ts'
import type { Accounts } from '../budget/accounts.ts'
import { type BudgetLimit, type BudgetScope, left, tightest } from '../budget/caps.ts'
import type { Purchase, Shortfall } from './ledger-types.ts'
import type { ChannelName } from './records.ts'
import { isIn, type Slot, unspent } from './slot.ts'

export interface LedgerLimits {
  readonly of: (scopes: readonly BudgetScope[]) => readonly BudgetLimit[]
  /** The one that leaves least for reserving on a channel to this receiver; undefined without any. */
  readonly onReceiver: (receiver: Address) => BudgetLimit | undefined
  readonly shortfall: (receiver: Address, purchase: Purchase) => Shortfall | undefined
  readonly jobShortfall: (price: TokenAmount, job: string | undefined) => Shortfall | undefined
}

export function createLimits(
  slots: ReadonlyMap<ChannelName, Slot>,
  accounts: Accounts,
): LedgerLimits {
  const slotsIn = (scope: BudgetScope): readonly Slot[] =>
    [...slots.values()].filter((slot) => isIn(scope, slot))
  /** What a crash may have hidden. */
  const hiddenIn = (scope: BudgetScope): TokenAmount =>
    sum(slotsIn(scope).filter(({ position }) => !position.certain))
  /** A job reserves nothing, but a crash may have hidden its payments. */
  const reservedFor = (scope: BudgetScope): TokenAmount =>
    scope.startsWith('job/') ? hiddenIn(scope) : sum(slotsIn(scope))
  const of: LedgerLimits['of'] = (scopes) =>
    scopes.flatMap((scope) => accounts.limits(scope, reservedFor(scope)))

  const jobShortfall: LedgerLimits['jobShortfall'] = (price, job) =>
    job === undefined ? undefined : exceeded(tightest(of([`job/${job}`])), price)

  return {
    of,
    onReceiver: (receiver) => tightest(of(['all', `receiver/${receiver}`])),
    shortfall: (receiver, { price, job }) => {
      // What other channels have reserved and not signed can be released, so it is there to be spent.
      const scopes: readonly BudgetScope[] = ['all', `receiver/${receiver}`]
      const limits = scopes.flatMap((scope) => accounts.limits(scope, hiddenIn(scope)))
      return exceeded(tightest(limits), price) ?? jobShortfall(price, job)
    },
    jobShortfall,
  }
}

function exceeded(limit: BudgetLimit | undefined, price: TokenAmount): Shortfall | undefined {
  if (limit === undefined || left(limit) >= price) return undefined
  return { short: 'budget', limit, available: left(limit) }
}

function sum(slots: readonly Slot[]): TokenAmount {
  return slots.reduce((amount, slot) => amount + unspent(slot), 0n)
}
