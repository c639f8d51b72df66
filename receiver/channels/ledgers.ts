// Who decides what pays, and keeps it: the ledgers of all channels, of one process or shared by several. A decision
// and its write are one step, so that nothing comes between them; nobody is answered before it is durable.
import type { NumberedKey } from '../../protocol/bound/index.ts'
import type {
  ContractBlock,
  Interval,
  RefusalCode,
  SignatureForm,
  TokenAmount,
} from '../../protocol/index.ts'
import type { AnswerEnd } from './answers.ts'
import type { ChannelId } from './book.ts'
import type { BestProof, Channel, Unanswered } from './records.ts'
import type { KeptReply } from './store.ts'

/** A request that can be repeated, and until when (Unix time in milliseconds). */
export interface KeyedRequest {
  readonly id: string
  readonly expires: number
}

/** What a payment is judged by. */
export interface Standing {
  /** Undefined when no confirmed channel has this sender and open block. */
  readonly channel: Channel | undefined
  /** The open transaction was seen in a block that is not confirmed yet. */
  readonly seenUnconfirmed: boolean
  /** A higher balance waits until the deposit is deeper. */
  readonly mostBalance: TokenAmount
  /** Deposits of before that may stand again. */
  readonly earlierDeposits: readonly TokenAmount[]
}

/** A payment with a proof that is its sender's. */
export interface ProvenPayment extends ChannelId {
  readonly balance: TokenAmount
  readonly price: TokenAmount
  /** See `Asked`. */
  readonly mayLeaveGap: boolean
  /** The request's MAC says that it is the sender's. */
  readonly bound: boolean
  /** Of the request key that the MAC was made with; undefined: it is not bound. */
  readonly keyNumber: NumberedKey['number'] | undefined
  /** Undefined: it was covered by what is proven already. */
  readonly proof: BestProof | undefined
  /** Of a request that may be run once more. */
  readonly mac: string | undefined
  readonly request: KeyedRequest | undefined
}

/** What one request has paid, and what names it. */
export interface ClaimedInterval extends ChannelId {
  readonly paid: Interval
  readonly request: KeyedRequest | undefined
  readonly mac: string | undefined
  /** Among the channel's answers, where they are numbered. */
  readonly number: number | undefined
}

export interface Claimed {
  /** As it is with the payment. */
  readonly channel: Channel
  readonly claimed: ClaimedInterval
}

/** By its MAC, its key, or both. */
export type NamedRequest = ChannelId & Pick<ProvenPayment, 'mac' | 'request' | 'keyNumber'>

export type PaidBefore =
  | ({ readonly kind: 'claimed' } & Claimed)
  /** The same request has paid elsewhere, under the same key: this was the answer. */
  | { readonly kind: 'answered'; readonly reply: KeptReply }

export type ClaimOutcome =
  | PaidBefore
  | {
      readonly kind: 'refused'
      readonly code: RefusalCode
      /** Where it stands. */
      readonly channel: Channel | undefined
    }

export interface Ledgers {
  /**
   * Where a channel stands. What is known from before will do when `good` says so: the claim decides anew. What
   * is not good is asked for.
   */
  readonly look: (
    channel: ChannelId,
    good: (standing: Standing) => boolean,
  ) => Standing | Promise<Standing>
  /**
   * Claims the payment's interval, with its proof, or says why not; resolves when it is durable.
   * @throws UraidenError `request_key_changed`: the channel has another key by now
   */
  readonly claim: (payment: ProvenPayment) => Promise<ClaimOutcome>
  /**
   * Gives back what is above `kept`, which begins where the claimed interval does. Resolves when the credit
   * is durable.
   */
  readonly giveBack: (claimed: ClaimedInterval, kept: Interval) => Promise<void>
  /**
   * What has paid under this name already. A bound request whose answer was lost is run once more; that it is the
   * last time is durable before. Waits for an answer that is on its way. Undefined when its answer left whole, its
   * payment was given back, or there is none.
   */
  readonly again: (named: NamedRequest) => Promise<PaidBefore | undefined>
  /** How the answer to a payment with a MAC ended. */
  readonly answerEnded: (channel: ChannelId, mac: string, end: AnswerEnd) => void
  /** A request that had paid when a process was killed; undefined when its payment was given back meanwhile. */
  readonly resume: (request: KeyedRequest, earlier: Unanswered) => Claimed | undefined
  /** A wrong tick was shown: each of them costs its sender a signature. A crash may forget this. */
  readonly forgetTicks: (channel: ChannelId) => void
  /**
   * Whether a channel takes nothing that is not bound, as far as is known here; see `ChannelBook`. The claim
   * decides.
   */
  readonly isBoundOnly: (channel: ChannelId, form: SignatureForm | undefined) => boolean
  /** From now on the channel takes nothing that is not bound with this key; an older one changes nothing. */
  readonly bind: (channel: ChannelId, key: NumberedKey) => Promise<void>
  /**
   * Takes no payment on the channel from now on; resolves when that is durable, with the channel.
   * @throws UraidenError `channel_unknown`, `channel_closing`, `never_paid`, `not_latest_balance`
   */
  readonly agree: (wanted: WantedClose) => Promise<Channel>
}

/** A channel, and the balance at which its sender wants to close it. */
export interface WantedClose {
  readonly sender: ChannelId['sender']
  readonly openBlock: ContractBlock
  readonly balance: TokenAmount
}
