// What can be asked for, what comes of it, and the payment in between: plain data.
import type { Readable } from 'node:stream'
import type { Amount } from '../../platform/written/written.ts'
import type {
  Address,
  HeaderFields,
  Hex,
  Payment,
  Signature,
  SignedCommitment,
  Terms,
  TickWord,
  TokenAmount,
  TokenUnit,
} from '../../protocol/index.ts'
import type { Taken } from '../channels/ledger-types.ts'
import type { ChannelName, PaidThrough } from '../channels/records.ts'
import type { BoundChannel } from '../transport/bound.ts'
import type { ContentForm, OpenAnswer } from '../transport/transport.ts'

export const dialectNames = ['rdn', 'x402'] as const

export type DialectName = (typeof dialectNames)[number]

/** What a seller asks in one dialect. */
export interface Asked {
  readonly dialect: DialectName
  /** In the smallest unit. */
  readonly price: TokenAmount
  /** Undefined for what the configuration does not know. */
  readonly unit: TokenUnit | undefined
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Longest wait for one HTTP answer, in milliseconds. */
  readonly timeout?: number
  /** Refuse a higher price for this request. */
  readonly mostPrice?: Amount
  /** The asset that `mostPrice` is in, and that alone may be paid with. Default: the channels' token. */
  readonly mostPriceIn?: string
  /**
   * Buy only what is proven to be the receiver's own answer to this request: no unbound payment is made, and
   * an answer that is free is an error, `answer_not_authentic`.
   */
  readonly authentic?: 'require'
  /** The job whose budget it counts against too. */
  readonly job?: string
  /** How often it is bought in a day, as far as is known: deposits are sized by it. */
  readonly timesPerDay?: number
  /** Of a payment whose answer was lost: repeats it with the same proof. */
  readonly idempotencyKey?: string
  /**
   * Called with each payment before it leaves, and waited for; nothing leaves when it throws. A caller that
   * records it can ask for the answer after a crash, with `repeatPayment`.
   */
  readonly onPayment?: (payment: SentPayment) => void | Promise<void>
  /** Say what it costs, with the error `dry_run`; sign and send nothing. */
  readonly dryRun?: boolean
  /** Whether a content coding such as gzip is taken off. Default decoded. */
  readonly content?: ContentForm
  /** Most bytes of the body, decoded; of a stream without limit. Default `AgentOptions.mostBody`. */
  readonly mostBody?: number
}

/** The same with its URL and all that is needed. */
export interface PaidRequest extends Omit<RequestOptions, 'method' | 'headers'> {
  /** In capitals. */
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  /** Whether the answer is complete with its body, or with its headers. */
  readonly read: 'body' | 'stream'
}

/** All that it takes to send a payment again, for a caller that records it. */
export interface SentPayment {
  /** The payment's own, with the idempotency key. */
  readonly headers: HeaderFields
  readonly receiver: Address
  readonly channel: PaidThrough
  readonly price: TokenAmount
  /** 0 where there is no channel. */
  readonly balance: TokenAmount
  readonly key?: string
  /** Where the receiver's channel API is, unless it is where receivers have it. */
  readonly gatewayPath?: string
}

/** One that was made on a channel. */
export interface ChannelPayment extends SentPayment {
  readonly channel: ChannelName
}

/** Of a payment by x402. */
export interface X402Facts {
  /** What price and cost are in. */
  readonly unit: TokenUnit
  /** CAIP-2. */
  readonly network: string
  /** Of the authorization. */
  readonly nonce: Hex
  /** As the seller says; where it says nothing, the chain will. */
  readonly transaction?: string
}

/** What was paid for an answer. Amounts in the token's smallest unit, or of the asset that was paid with. */
export interface PaymentFacts {
  readonly price: TokenAmount
  /** What the receiver charged: the price, or less. */
  readonly cost: TokenAmount
  readonly channel: PaidThrough
  /** 0 where there is no channel. */
  readonly balance: TokenAmount
  readonly x402?: X402Facts
  /** What the receiver asks in the other dialects that may be spoken there, where it was asked this time. */
  readonly otherwise?: readonly Asked[]
  /**
   * The answer is the receiver's own and belongs to this request: status, body, and of the headers those that
   * say something about them. Of a stream only once it has ended without an error.
   */
  readonly authentic: boolean
  /** With which the request can be repeated, where the receiver offers that. */
  readonly idempotencyKey?: string
}

export interface Answer extends Omit<OpenAnswer, 'body'> {
  /** Empty for `read: 'stream'`. */
  readonly body: Uint8Array
}

export interface PaidAnswer {
  readonly answer: Answer
  /** Undefined for an answer that was free. */
  readonly payment: PaymentFacts | undefined
  readonly roundTrips: number
}

export interface AgentResponse extends PaidAnswer {
  readonly status: number
  readonly text: () => string
  readonly json: () => unknown
}

export interface AgentStream {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Readable
  readonly payment: PaymentFacts | undefined
  readonly roundTrips: number
}

/** What a program asks for with a URL. */
export interface Purchases {
  readonly request: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly get: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly post: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  /** Resolves with the headers; the body comes as it arrives. */
  readonly stream: (url: string | URL, options?: RequestOptions) => Promise<AgentStream>
  /**
   * The answer to a payment that left before, in this process or an earlier one, with the same method, URL
   * and body. It cannot cost twice.
   * @throws UraidenError `payment_spent`: its answer cannot be had; `payment_waits`: perhaps later;
   * `payment_superseded`: it was not taken; those of the transport
   */
  readonly repeatPayment: (
    url: string | URL,
    payment: SentPayment,
    options?: RequestOptions,
  ) => Promise<AgentResponse>
}

/** A payment with what proves it: a signature, a tick, or of a bound request nothing where its balance is proven. */
export interface ProvenPayment extends Omit<Payment, 'signature'> {
  readonly signature?: Signature
  readonly tick?: TickWord
  /** Of the tick, until the receiver knows it. */
  readonly commitment?: SignedCommitment
}

/** One payment for one request: the same proof and the same key however often it is sent. */
export interface Attempt {
  readonly taken: Taken
  readonly payment: ProvenPayment
  readonly terms: Terms
  /** Our balance before it. */
  readonly previous: TokenAmount
  readonly key: string | undefined
  /** Tied to its request; undefined for a receiver that knows nothing of it. */
  readonly bound: BoundChannel | undefined
}
