// Where a deposit goes when no channel has room: a pure function (wire-protocol.md section 7).
import { compareBigints, largest, smallest, type TokenAmount } from '../../protocol/index.ts'
import type { ChannelName } from './records.ts'

export interface Candidate {
  readonly name: ChannelName
  readonly deposit: TokenAmount
  /** Balance signed so far, or more: never less. */
  readonly balance: TokenAmount
}

export type DepositChoice =
  | { readonly kind: 'topUp'; readonly channel: ChannelName; readonly added: TokenAmount }
  | { readonly kind: 'open'; readonly deposit: TokenAmount }

/** How large deposits are, in the smallest unit. */
export interface DepositPolicy {
  /** A new channel's deposit for this price. */
  readonly open: (price: TokenAmount) => TokenAmount
  /** What should be left in a channel after a top-up for this price. */
  readonly topUp: (price: TokenAmount) => TokenAmount
  /** Most deposit in one channel. */
  readonly most?: TokenAmount
  /** Most deposit in all channels that are not closed. */
  readonly mostInAll?: TokenAmount
}

/** Open with ten times the price, top up to five times. */
export const defaultDeposits: DepositPolicy = {
  open: (price) => 10n * price,
  topUp: (price) => 5n * price,
}

/** What is to be paid, and what was last paid for the same: undefined the first time. */
export interface PriceSeen {
  readonly price: TokenAmount
  readonly lastPrice: TokenAmount | undefined
}

export interface DepositBounds {
  readonly deposits: DepositPolicy
  /** What all channels together may still get; undefined when unlimited. */
  readonly room: TokenAmount | undefined
}

/**
 * Of open channels without room for the price the one with the most rest is topped up; else one is opened.
 * A price that has risen locks no more than itself until it was paid once. Undefined when the most that may
 * be deposited is not enough for the price.
 */
export function chooseDeposit(
  candidates: readonly Candidate[],
  { price, lastPrice }: PriceSeen,
  { deposits, room }: DepositBounds,
): DepositChoice | undefined {
  const known = smallest(price, lastPrice)
  const fullest = [...candidates].sort((a, b) => compareBigints(rest(a), rest(b))).at(-1)
  if (fullest) {
    const wanted = largest(deposits.topUp(known), price) - rest(fullest)
    const added = smallest(limit(wanted, fullest.deposit, deposits), room)
    if (rest(fullest) + added >= price) return { kind: 'topUp', channel: fullest.name, added }
  }
  const deposit = smallest(limit(largest(deposits.open(known), price), 0n, deposits), room)
  return deposit >= price ? { kind: 'open', deposit } : undefined
}

function rest({ deposit, balance }: Candidate): TokenAmount {
  return deposit - balance
}

function limit(added: TokenAmount, before: TokenAmount, { most }: DepositPolicy): TokenAmount {
  if (most === undefined || before + added <= most) return added
  return largest(most - before, 0n)
}
