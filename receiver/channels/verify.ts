// Whether a payment is good, decided on plain data: the payment, the channel as confirmed, the price.
import type { Interval, Payment, RefusalCode, TokenAmount } from '../../protocol/index.ts'
import { type Claims, claim } from './claims.ts'
import { acceptsPayments, type Channel } from './records.ts'

export interface PaymentCase {
  readonly payment: Payment
  readonly price: TokenAmount
  /** Undefined when no confirmed channel has this sender and open block. */
  readonly channel: Channel | undefined
  /** The open transaction was seen in a block that is not confirmed yet. */
  readonly seenUnconfirmed: boolean
}

export type PaymentDecision =
  | {
      readonly kind: 'acceptable'
      readonly channel: Channel
      readonly claims: Claims
      readonly paid: Interval
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode }

/**
 * All of wire-protocol.md section 2 but the signature, which is checked by the caller because it is
 * a thousand times slower: cheap reasons come first.
 */
export function decidePayment(given: PaymentCase): PaymentDecision {
  const { payment, price, channel, seenUnconfirmed } = given
  if (channel === undefined) {
    return refused(seenUnconfirmed ? 'insufficient_confirmations' : 'nonexisting_channel')
  }
  if (!acceptsPayments(channel)) return refused('nonexisting_channel')
  if (payment.balance > channel.deposit) return refused('balance_over_deposit')
  if (payment.amount !== undefined && payment.amount !== price) return refused('invalid_amount')
  const mayLeaveGap = payment.amount !== undefined
  const decision = claim(channel.claims, { balance: payment.balance, price, mayLeaveGap })
  if (decision.kind === 'refused') return refused(decision.code)
  return { kind: 'acceptable', channel, claims: decision.claims, paid: decision.paid }
}

function refused(code: RefusalCode): PaymentDecision {
  return { kind: 'refused', code }
}
