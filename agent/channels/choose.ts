// Where a deposit goes when no channel has room: a pure function (wire-protocol.md section 7).
import { day, type Milliseconds } from '../../platform/time/clock.ts'
import { compareBigints, largest, smallest, type TokenAmount } from '../../protocol/index.ts'
import { type ByKind, type DepositKind, type FeeShare, worthItsFee } from './deposit-fees.ts'
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
  /** A new channel's deposit for this price, where so much is spent with the receiver in a day. */
  readonly open: (price: TokenAmount, perDay: TokenAmount) => TokenAmount
  /** What should be left in a channel after a top-up, the same. */
  readonly topUp: (price: TokenAmount, perDay: TokenAmount) => TokenAmount
  /**
   * The least that is worth a transaction of this fee, in wei: an opening's deposit, or what a top-up adds. What
   * caps and the account do not allow is not waited for. Default: anything is.
   */
  readonly least?: (kind: DepositKind, fee: bigint) => TokenAmount
  /** Most deposit in one channel. */
  readonly most?: TokenAmount
  /** Most deposit in all channels that are not closed. */
  readonly mostInAll?: TokenAmount
}

/**
 * Deposits that last so long, in milliseconds: for ten payments at least, and five after a top-up.
 * @example
 * const month = 30 * 24 * 3_600_000
 * const agent = await createAgent({ ...options, deposit: depositsFor(month) })
 */
export function depositsFor(time: Milliseconds): Pick<DepositPolicy, 'open' | 'topUp'> {
  const use = (perDay: TokenAmount) => (perDay * BigInt(time)) / BigInt(day)
  return {
    open: (price, perDay) => largest(10n * price, use(perDay)),
    topUp: (price, perDay) => largest(5n * price, use(perDay)),
  }
}

/**
 * Deposits of which the fee is no more than a share, where caps and the account allow.
 * @example
 * const ether = 2500n * 10n ** 18n
 * const fees = { feeShare: 100n, etherPrice: ether }
 * const agent = await createAgent({ ...options, deposit: depositsWorth(fees) })
 */
export function depositsWorth(share: FeeShare): Required<Pick<DepositPolicy, 'least'>> {
  return { least: (_, fee) => worthItsFee(fee, share) }
}

/** A week. */
export const defaultDeposits: DepositPolicy = depositsFor(7 * day)

/** What is to be paid, and what was last paid for the same: undefined the first time. */
export interface PriceSeen {
  readonly price: TokenAmount
  readonly lastPrice: TokenAmount | undefined
  /** What is spent with the receiver in a day, as far as is known. */
  readonly perDay: TokenAmount
}

export interface DepositBounds {
  readonly deposits: DepositPolicy
  /** What all channels together may still get; undefined when unlimited. */
  readonly room: TokenAmount | undefined
  /** Deposits that are worth their fee; nothing when that is not known. */
  readonly worth?: ByKind | undefined
}

const worthAnything: ByKind = { open: 0n, topUp: 0n }

/**
 * Of open channels without room for the price the one with the most rest is topped up; else one is opened.
 * A price that has risen locks no more than itself until it was paid once. Undefined when the most that may
 * be deposited is not enough for the price.
 */
export function chooseDeposit(
  candidates: readonly Candidate[],
  { price, lastPrice, perDay }: PriceSeen,
  { deposits, room, worth = worthAnything }: DepositBounds,
): DepositChoice | undefined {
  const known = smallest(price, lastPrice)
  const fullest = [...candidates].sort((a, b) => compareBigints(rest(a), rest(b))).at(-1)
  if (fullest) {
    const lasting = largest(deposits.topUp(known, perDay), price) - rest(fullest)
    const wanted = largest(lasting, worth.topUp)
    const added = smallest(withinMost(wanted, fullest.deposit, deposits), room)
    if (rest(fullest) + added >= price) return { kind: 'topUp', channel: fullest.name, added }
  }
  const wanted = largest(deposits.open(known, perDay), price, worth.open)
  const deposit = smallest(withinMost(wanted, 0n, deposits), room)
  return deposit >= price ? { kind: 'open', deposit } : undefined
}

function rest({ deposit, balance }: Candidate): TokenAmount {
  return deposit - balance
}

/** What may be added to a channel with the deposit `before`. */
export function withinMost(
  added: TokenAmount,
  before: TokenAmount,
  { most }: Pick<DepositPolicy, 'most'>,
): TokenAmount {
  if (most === undefined || before + added <= most) return added
  return largest(most - before, 0n)
}
