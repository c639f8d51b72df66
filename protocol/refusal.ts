// Why a receiver does not serve: one code per cause (wire-protocol.md sections 2 and 8).
import type { PaymentReason } from './headers.ts'

interface RefusalKind {
  readonly status: 400 | 402 | 409 | 422 | 502 | 503
  readonly title: string
  /** The RDN header that goes with it, if any. */
  readonly reason?: PaymentReason
  /** What to do, unless the case at hand says it better. */
  readonly remedy: string
}

const kinds = {
  payment_required: {
    status: 402,
    title: 'Payment required',
    remedy: 'Open a channel to the receiver and pay with a balance proof.',
  },
  wrong_contract: {
    status: 402,
    title: 'Another contract or receiver',
    remedy: 'Pay through the contract and to the receiver that the RDN headers name.',
  },
  nonexisting_channel: {
    status: 402,
    title: 'No such channel',
    reason: 'nonexisting_channel',
    remedy: 'The channel is unknown, closing or closed. Open another one.',
  },
  insufficient_confirmations: {
    status: 402,
    title: 'The channel is not confirmed yet',
    reason: 'insufficient_confirmations',
    remedy: 'Wait for more blocks and send the same request again.',
  },
  invalid_balance_proof: {
    status: 402,
    title: 'Invalid balance proof',
    reason: 'invalid_balance_proof',
    remedy: 'Sign the balance with the key of the channel’s sender.',
  },
  balance_over_deposit: {
    status: 402,
    title: 'The balance is over the deposit',
    reason: 'invalid_balance_proof',
    remedy: 'Top up the channel, or wait until the top-up is confirmed.',
  },
  invalid_amount: {
    status: 402,
    title: 'Invalid amount',
    reason: 'invalid_amount',
    remedy: 'Sign RDN-Sender-Balance + RDN-Price.',
  },
  balance_spent: {
    status: 402,
    title: 'This balance has paid already',
    remedy: 'Sign RDN-Sender-Balance + RDN-Price.',
  },
  tick_unknown: {
    status: 402,
    title: 'The tick is of no commitment that is known here',
    reason: 'tick_unknown',
    remedy: 'Send the same payment again with RDN-Tick-Commitment.',
  },
  malformed_payment: {
    status: 409,
    title: 'Malformed payment header',
    remedy: 'Correct the header that is named.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'This key belongs to a request that said something else',
    remedy:
      'Repeat that request with the content that it had, or pay for this one under a new key. Nothing was charged.',
  },
  two_payments: {
    status: 400,
    title: 'Two payments in one request',
    remedy:
      'Pay in one dialect: with the RDN headers, or with PAYMENT-SIGNATURE. Nothing was charged.',
  },
  x402_malformed: {
    status: 400,
    title: 'Malformed payment of x402',
    remedy: 'Correct what is named. Nothing was charged.',
  },
  x402_not_offered: {
    status: 402,
    title: 'What the payment accepts is not offered here',
    remedy: 'Take an entry of PAYMENT-REQUIRED as it is. Nothing was charged.',
  },
  x402_invalid: {
    status: 402,
    title: 'The payment of x402 is not good',
    remedy: 'Sign what PAYMENT-REQUIRED asks for. Nothing was charged.',
  },
  x402_spent: {
    status: 402,
    title: 'This authorization is spent',
    remedy: 'Sign another one, with another nonce.',
  },
  x402_busy: {
    status: 503,
    title: 'Too many payments wait to be settled',
    remedy: 'Send the same request with the same payment again. Nothing was charged.',
  },
  x402_unable: {
    status: 503,
    title: 'Payments of x402 cannot be settled now',
    remedy: 'Send the same request with the same payment again later. Nothing was charged.',
  },
  x402_unsettled: {
    status: 503,
    title: 'It is not known yet whether the payment is settled',
    remedy:
      'Send the same request with the same payment again: it is charged once at most. Do not sign another one before it has expired.',
  },
  chain_unavailable: {
    status: 502,
    title: 'The receiver’s Ethereum node does not answer',
    remedy: 'Try again later. Nothing was charged.',
  },
  receiver_lacks_ether: {
    status: 502,
    title: 'The receiver could not defend a channel',
    remedy: 'Its account lacks ether. Try again later. Nothing was charged.',
  },
} as const satisfies { readonly [code: string]: RefusalKind }

export type RefusalCode = keyof typeof kinds

export type Refusal = RefusalOf<RefusalKind, RefusalCode>

/**
 * A refusal by its code; without a sentence of its own it says the remedy.
 * @example
 * refusal('payment_required').status // 402
 */
export function refusal(code: RefusalCode, detail?: string): Refusal {
  return refusalOf<RefusalKind, RefusalCode>(kinds, code, detail)
}

/** One cause, and one sentence about the case at hand, with the remedy. */
export type RefusalOf<Kind, Code extends string> = Kind & {
  readonly code: Code
  readonly detail: string
}

/**
 * A refusal of one table; without a sentence of its own it says the remedy.
 * @example
 * const kinds = { sold_out: { status: 410, remedy: 'Come back tomorrow.' } }
 * refusalOf(kinds, 'sold_out').detail // 'Come back tomorrow.'
 */
export function refusalOf<Kind extends { readonly remedy: string }, Code extends string>(
  kinds: { readonly [code in Code]: Kind },
  code: Code,
  detail?: string,
): RefusalOf<Kind, Code> {
  const kind = kinds[code]
  return { ...kind, code, detail: detail ?? kind.remedy }
}

/** What is told to a client about a request that failed. */
interface Problem {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
}

/**
 * The body of a refusal as RFC 9457 has it; `code` is an extension member.
 * @example
 * problemDetails(refusal('payment_required')).type // 'urn:uraiden:problem:payment_required'
 */
export function problemDetails({ code, title, status, detail }: Problem) {
  return { type: `urn:uraiden:problem:${code}`, title, status, detail, code }
}
