// What the ledger keeps and answers: its interface, on plain data.

import type { ClockReading } from '../../platform/time/clock.ts'
import type { Address, ContractBlock, Interval, TokenAmount } from '../../protocol/index.ts'
import type { DailyUse } from '../budget/accounts.ts'
import type { Budget, BudgetLimit, BudgetScope } from '../budget/caps.ts'
import type { OwnCommitment } from './commitment.ts'
import type { HourSums } from './hours.ts'
import type { LedgerFacts, LedgerStorage } from './ledger-storage.ts'
import type { Notes } from './notes.ts'
import type { TakenFrom } from './position.ts'
import type { ChannelEntry, ChannelName } from './records.ts'

/**
 * requests    bound to its receiver, which is asked where the channel stands when it is not known
 * transfers   unbound, without anybody to ask: the ledger itself knows exactly
 */
export type ChannelUse = 'requests' | 'transfers'

/** A channel and what of it was signed. */
export interface ChannelBalance extends Omit<ChannelEntry, 'commitment'> {
  /** Signed so far. Where `certain` is false: at most this, a crash hid the true one. */
  readonly balance: TokenAmount
  /** The highest balance a signature was ever made for. */
  readonly top: TokenAmount
  readonly certain: boolean
  /**
   * The books may be an old copy: the receiver has neither taken a payment from this process nor said to it where
   * the channel stands, and this was not taken on trust before.
   */
  readonly mayBeOld: boolean
  /** Answers were lost: nobody knows whether the receiver took those payments. */
  readonly inDoubt: boolean
}

/** One that new payments may be made on. */
export interface PayableChannel extends ChannelBalance {
  readonly name: ChannelName
}

export interface Purchase {
  readonly price: TokenAmount
  readonly job?: string
  readonly receiverKnows: 'intervals' | 'balances'
  /** Becomes the channel's, durably, before anything is taken. */
  readonly commitment?: OwnCommitment | undefined
}

/** An interval of a channel that one payment may use, durably covered. */
export interface Taken {
  readonly channel: ChannelName
  readonly interval: Interval
  readonly source: TakenFrom
  readonly job: string | undefined
}

/** Why there is nothing to take: the deposit, or a cap and what can still be paid under it. */
export type Shortfall =
  | { readonly short: 'deposit' }
  | { readonly short: 'budget'; readonly limit: BudgetLimit; readonly available: TokenAmount }

export interface Ledger {
  /** That of the channels which name none. */
  readonly contract: Address | undefined
  readonly channels: (receiver?: Address) => readonly ChannelBalance[]
  readonly get: (name: ChannelName) => ChannelBalance
  /** The one that ticks of the channel are paid of; undefined for none. */
  readonly commitment: (name: ChannelName) => OwnCommitment | undefined
  /** Default for requests. */
  readonly payable: (receiver: Address, use?: ChannelUse) => readonly PayableChannel[]
  /** Of those with room for `price` the one with the least room; undefined when there is none. */
  readonly withRoom: (
    receiver: Address,
    price: TokenAmount,
    use?: ChannelUse,
  ) => ChannelName | undefined
  /** Up to which balance transfers may have been signed on it; undefined for a channel of requests. */
  readonly transferred: (name: ChannelName) => TokenAmount | undefined
  /** The channel is for transfers, and pays no requests: they are signed up to `balance`. Durable when it resolves. */
  readonly setTransferred: (name: ChannelName, balance: TokenAmount) => Promise<void>
  /** The sum of all bounds, of closed channels too. */
  readonly reserved: () => TokenAmount
  /** Each cap that is set for these scopes, and what is used of it. */
  readonly limits: (scopes: readonly BudgetScope[]) => readonly BudgetLimit[]
  /** When so much more can be spent under a limit, by the wall clock; undefined: never. */
  readonly freeAt: (limit: BudgetLimit, needed: TokenAmount) => number | undefined
  /** What a receiver is paid in a day, by the last ones. */
  readonly perDay: (receiver: Address) => DailyUse
  /** Of all, in the calendar day of the budget. */
  readonly spentToday: () => TokenAmount
  /**
   * Of scopes that are not about the channels' token. Durable with the next write. Returns when it was, by the time
   * that windows go by.
   */
  readonly spend: (scopes: readonly BudgetScope[], amount: bigint) => number
  /** Of the same: what was spent then turned out not to be. */
  readonly refund: (scopes: readonly BudgetScope[], amount: bigint, at: number) => void
  /** Why a new payment would not be covered by the budget; undefined when it would. */
  readonly shortfall: (receiver: Address, purchase: Purchase) => Shortfall | undefined
  /** `intent` is the key of a note of what was to happen: it is deleted in the same write. */
  readonly add: (entry: ChannelEntry, intent?: string) => Promise<void>
  /** Changes what the chain says about a channel. */
  readonly update: (name: ChannelName, change: ChainChange, intent?: string) => Promise<void>
  /** The channel is over, and the receiver got `balance` of it. */
  readonly end: (name: ChannelName, balance: TokenAmount, intent?: string) => Promise<void>
  /** Takes what pays for a purchase: durable before it resolves. */
  readonly take: (name: ChannelName, purchase: Purchase) => Promise<Taken | Shortfall>
  /** Of what was taken, all but `cost` was not charged and pays for something else. */
  readonly settle: (taken: Taken, cost: TokenAmount) => void
  /** Nobody knows whether the receiver took it: it stays counted, and is offered again. */
  readonly leaveInDoubt: (taken: Taken) => void
  /**
   * Of what was settled as charged only `charged` was, or nobody knows any more. What has been put right
   * since stays.
   */
  readonly settleAnew: (taken: Taken, charged: TokenAmount | undefined) => void
  /** The very same payment once more, for the request that it was made for. */
  readonly offerAgain: (taken: Taken) => Taken
  /** It did not leave. What was doubtful before stays so. */
  readonly takeBack: (taken: Taken) => void
  /**
   * The receiver has shown our own signature over `balance`, and nothing is on its way to it: that is
   * where the channel stands.
   */
  readonly correct: (name: ChannelName, balance: TokenAmount) => Promise<void>
  /** The receiver shows nothing: all up to the bound counts as signed. */
  readonly assumeWorst: (name: ChannelName) => void
  /** The receiver refuses to be paid on the channel, for good as far as it can be seen. */
  readonly refused: (name: ChannelName) => void
  /** It has taken a payment that makes this balance: so it knows a deposit of that much. */
  readonly accepted: (name: ChannelName, balance: TokenAmount) => void
  /** What the chain had at this block the receiver has had the time to see. */
  readonly forgetUnseen: (name: ChannelName, block: ContractBlock) => void
  /** See `ChannelEntry.excused`. Durable when it resolves. */
  readonly excuse: (name: ChannelName) => Promise<void>
  /** What was spent in which hour; durable with what it was spent on. */
  readonly hours: HourSums
  /** Small records in the same batches. */
  readonly notes: Notes
  readonly facts: () => LedgerFacts | undefined
  readonly rememberFacts: (facts: LedgerFacts) => Promise<void>
  /**
   * Where the card is spared: brings it up to date with one write, and raises the bounds of the channels that
   * have paid since the last one, as far as reservation, deposit and budget allow. `beside` is kept in that write.
   */
  readonly flush: (beside?: object) => Promise<void>
  /** As JSON: what a flush has kept last. */
  readonly beside: () => unknown
  /** Writes exact balances, so that a clean stop reserves nothing. */
  readonly close: () => Promise<void>
}

export type ChainChange = Partial<
  Pick<ChannelEntry, 'deposit' | 'unseen' | 'state' | 'settleBlock' | 'closeApi'>
>

export interface LedgerOptions {
  readonly storage: LedgerStorage
  /** How many payments one synced write reserves. 1 syncs for each. */
  readonly reservation: number
  readonly budget: Budget
  /** IANA name of the zone in which days and months begin. */
  readonly timeZone?: string
  readonly readClock: () => ClockReading
}
