// A dialect turns a request into a payment and a decision into headers. RDN is the first; another
// one (x402, MPP) is another implementation of this interface.
import type {
  HeaderFields,
  HeaderSource,
  Payment,
  PaymentReason,
  TokenAmount,
} from '../../protocol/index.ts'
import type { Channel } from '../channels/records.ts'

export interface RequestView {
  readonly method: string
  /** As the client sent it: path and query. */
  readonly url: string
  readonly header: HeaderSource
  readonly cookie: HeaderSource
}

/** What an answer says about the payment, whatever the dialect. */
export interface PaymentAnswer {
  readonly price: TokenAmount
  /** The channel that the payment named, if we know it. */
  readonly channel?: Channel | undefined
  readonly reason?: PaymentReason | undefined
  /** What it cost in the end, when that is not the price. */
  readonly cost?: TokenAmount | undefined
}

export interface Dialect {
  readonly name: string
  /**
   * The payment of a request; undefined when it does not pay in this dialect.
   * @throws UraidenError `malformed_header`, `high_s_signature`
   */
  readonly payment: (request: RequestView) => Payment | undefined
  readonly headers: (answer: PaymentAnswer) => HeaderFields
}
