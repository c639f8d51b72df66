// How a payment is written in HTTP. RDN is spoken wherever nothing else is said; where the owner allows another
// dialect too, it leads a purchase through the same states (terms, policy, persist, sign, judge) and gives it to RDN
// where that comes first.
import type { Address } from '../../protocol/index.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import type { Asked, DialectName, PaidAnswer, PaidRequest, SentPayment } from './types.ts'

/** What the owner says of how a place is paid. */
export interface PaymentPlan {
  /** What may be spoken there, the preferred one first. */
  readonly dialects: readonly DialectName[]
  /** The only one that may be paid there by another dialect than RDN. */
  readonly payTo?: Address
}

/** The same purchase in RDN. */
export interface InRdn {
  /** Its terms are known, or it was paid before: nothing needs to be asked. */
  readonly isKnown: () => Promise<boolean>
  /** `asked` is a 402 that was answered to the request unpaid; `other` what it asks in other dialects. */
  readonly run: (asked?: OpenAnswer, other?: readonly Asked[]) => Promise<PaidAnswer>
}

export interface Dialect {
  /**
   * @throws UraidenError of policy and budget, of the transport, `payment_refused`, `payment_spent`,
   * `payment_waits`
   */
  readonly buy: (request: PaidRequest, plan: PaymentPlan, rdn: InRdn) => Promise<PaidAnswer>
  /** As `Purchases.repeatPayment`, of a payment of its own. */
  readonly repeat: (request: PaidRequest, payment: SentPayment) => Promise<PaidAnswer>
}

export interface Dialects {
  /** Undefined where RDN alone is spoken. */
  readonly planFor: (url: URL) => PaymentPlan | undefined
  /** Its code is loaded with the first purchase that may need it. */
  readonly x402: () => Promise<Dialect>
}
