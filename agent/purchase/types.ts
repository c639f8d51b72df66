// What a paid request is, what comes of it, and what it needs.
import type {
  Address,
  HeaderFields,
  Payment,
  Terms,
  TokenAmount,
  TokenUnit,
} from '../../protocol/index.ts'
import type { ChannelFunding } from '../channels/funding.ts'
import type { Ledger, Taken } from '../channels/ledger-types.ts'
import type { Locks } from '../channels/locks.ts'
import type { ProofMaker } from '../channels/proofs.ts'
import type { PurchaseHistory } from '../channels/purchases.ts'
import type { ChannelName } from '../channels/records.ts'
import type { ContentForm, OpenAnswer, Transport } from '../transport/transport.ts'
import type { AgentHooks } from './hooks.ts'
import type { Policy } from './policy.ts'
import type { TermsMemory } from './terms.ts'

export interface PaidRequest {
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  readonly timeout?: number
  /** Refuse a higher price for this request, in the smallest unit. */
  readonly mostPrice?: TokenAmount
  /** The job whose budget it counts against too. */
  readonly job?: string
  /** To repeat a request whose answer was lost: the same key pays with the same proof. */
  readonly idempotencyKey?: string
  /** Called with each payment before it leaves, and waited for. Nothing leaves when it throws. */
  readonly onPayment?: (payment: SentPayment) => void | Promise<void>
  /** Whether the answer is complete with its body, or with its headers. */
  readonly read: 'body' | 'stream'
  readonly content?: ContentForm
  readonly dryRun?: boolean
}

/** All that it takes to send a payment again, for who writes it down. */
export interface SentPayment {
  /** The payment's own, with the idempotency key. */
  readonly headers: HeaderFields
  readonly receiver: Address
  readonly channel: ChannelName
  readonly price: TokenAmount
  readonly balance: TokenAmount
  readonly key?: string
}

/** What was paid for an answer. Amounts in the token's smallest unit. */
export interface PaymentFacts {
  readonly price: TokenAmount
  /** What the receiver charged: the price, or less. */
  readonly cost: TokenAmount
  readonly channel: ChannelName
  readonly balance: TokenAmount
  /** With which the request can be repeated, where the receiver offers that. */
  readonly idempotencyKey?: string
}

export interface Answer extends Omit<OpenAnswer, 'body'> {
  /** Empty for `read: 'stream'`. */
  readonly body: Uint8Array
}

export interface ExchangeResult {
  readonly answer: Answer
  /** Undefined for an answer that was free. */
  readonly payment: PaymentFacts | undefined
  readonly roundTrips: number
}

export interface ExchangeParts {
  readonly memory: TermsMemory
  readonly policy: Policy
  readonly receiverAt: (url: URL) => Address | undefined
  readonly token: TokenUnit
  readonly contractVersion: string
  readonly funding: ChannelFunding
  /** Takes up closes to a receiver that were agreed, or may have been; gives up quietly. */
  readonly finishCloses: (receiver: Address) => Promise<void>
  readonly ledger: Ledger
  readonly proofs: ProofMaker
  readonly transport: Transport
  readonly locks: Locks
  readonly hooks: AgentHooks
  readonly lost: LostPayments
  readonly history: PurchaseHistory
  /** How often a request with a lost answer is repeated, where the receiver offers idempotency. */
  readonly repeats: number
  /** How long to wait for a receiver to see our channel confirmed, in milliseconds. */
  readonly confirmTimeout: number
  /** Between two tries while waiting, in milliseconds, unless the receiver says how long. */
  readonly retryInterval: number
}

/** Payments whose answers are missing, by the key they can be repeated with. */
export interface LostPayments {
  readonly put: (key: string, attempt: Attempt) => void
  readonly take: (key: string) => Attempt | undefined
  /** Before a payment with a key of the caller's leaves; durable when it resolves. */
  readonly noteSent: (request: PaidRequest, payment: SentPayment) => Promise<void>
  /** The payment of an earlier process for this very request. */
  readonly sentBefore: (request: PaidRequest) => SentPayment | undefined
  /** Its answer has come, or never will. */
  readonly answered: (request: PaidRequest) => void
  /** What this offered has paid for its request, so it has paid for none that offered it before. */
  readonly paidFor: (attempt: Attempt) => void
  /** What it offered has paid for another request meanwhile. */
  readonly isSuperseded: (payment: SentPayment) => boolean
}

/** One payment for one request: the same proof and the same key however often it is sent. */
export interface Attempt {
  readonly taken: Taken
  readonly payment: Payment
  readonly terms: Terms
  /** Our balance before it. */
  readonly previous: TokenAmount
  readonly key: string | undefined
}
