// Which channel gets more deposit before its receiver's channels run dry: a pure function.
import {
  type Address,
  compareBigints,
  largest,
  smallest,
  type TokenAmount,
} from '../../../protocol/index.ts'
import type { DailyUse } from '../../budget/accounts.ts'
import { type BudgetLimit, left } from '../../budget/caps.ts'
import type { DepositPolicy } from '../../channels/choose.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { type ChannelName, canPay, channelName } from '../../channels/records.ts'

export interface TopUp {
  readonly channel: ChannelName
  readonly added: TokenAmount
  /** Of that, for two payments of the last price. */
  readonly least: TokenAmount
}

export interface Purse {
  readonly channels: readonly ChannelBalance[]
  readonly limits: readonly BudgetLimit[]
  readonly deposits: DepositPolicy
}

/**
 * A transaction takes blocks, and a payment should not have to wait for them: when no channel of a
 * receiver has room for two more payments of the last price, or for a quarter of what days need, the
 * fullest one is topped up to what the policy wants left. Not where the budget has no room for a payment
 * anyway.
 */
export function dueTopUp(
  { channels, limits, deposits }: Purse,
  receiver: Address,
  { price, perDay }: { readonly price: TokenAmount; readonly perDay: DailyUse },
): TopUp | undefined {
  const open = channels.filter((each) => canPay(each) && each.receiver === receiver)
  // A crash hides what is left: the next payment clears that first.
  if (open.some(({ certain }) => !certain)) return undefined
  const [fullest] = [...open].sort((a, b) => compareBigints(rest(b), rest(a)))
  if (fullest === undefined) return undefined
  if (limits.some((limit) => binds(limit, receiver) && left(limit) < price)) return undefined
  const wanted = largest(deposits.topUp(price, perDay.amount), 2n * price) - rest(fullest)
  const added = smallest(
    wanted,
    ...room(fullest, channels, deposits),
    ...mostAtOnce(limits, receiver),
  )
  const least = largest(2n * price - rest(fullest), 0n)
  // What an hour was like is no reason to lock more before it is needed.
  const isQuarterLeft = perDay.by === 'day' && 3n * rest(fullest) < added
  if (least === 0n ? !isQuarterLeft : added < least) return undefined
  return { channel: channelName(receiver, fullest.openBlock), added, least }
}

function rest({ deposit, balance }: ChannelBalance): TokenAmount {
  return deposit - balance
}

/** What the caps on deposits leave. */
function room(
  { deposit }: ChannelBalance,
  channels: readonly ChannelBalance[],
  { most, mostInAll }: DepositPolicy,
): readonly TokenAmount[] {
  const locked = channels
    .filter(({ state }) => state !== 'closed')
    .reduce((sum, each) => sum + each.deposit, 0n)
  return [
    ...(most === undefined ? [] : [most - deposit]),
    ...(mostInAll === undefined ? [] : [mostInAll - locked]),
  ]
}

/** No more than may be spent in a day or longer. */
function mostAtOnce(limits: readonly BudgetLimit[], receiver: Address): readonly TokenAmount[] {
  return limits
    .filter((limit) => binds(limit, receiver) && limit.window !== 'hour')
    .map((limit) => (limit.window === 'total' ? left(limit) : limit.cap))
}

function binds({ scope }: BudgetLimit, receiver: Address): boolean {
  return scope === 'all' || scope === `receiver/${receiver}`
}
