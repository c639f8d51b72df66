// Lets a request through when it pays. Knows nothing of the HTTP server: the middleware around it
// translates (wire-protocol.md sections 1, 2 and 8).
import {
  type HeaderFields,
  isUraidenError,
  type Payment,
  problemDetails,
  type Refusal,
  type RefusalCode,
  refusal,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { ChannelManager } from '../channels/manager.ts'
import type { Dialect, PaymentAnswer, RequestView } from '../dialect/dialect.ts'
import type { Channel } from '../store/records.ts'

export type Admission =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'paid'
      readonly headers: HeaderFields
      /**
       * Charges `cost` in place of the price, 0 for a resource that failed; the rest stays the
       * sender's credit. Resolves, when that is on disk, with the headers to answer.
       */
      readonly chargeOnly: (cost: TokenAmount) => Promise<HeaderFields>
    }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly headers: HeaderFields
      /** JSON text, or empty for a client that did not ask for any. */
      readonly body: string
    }

export interface Paywall {
  readonly admit: (request: RequestView, price: TokenAmount) => Promise<Admission>
}

export interface PaywallOptions {
  readonly dialect: Dialect
  readonly manager: ChannelManager
  /** Why no payment can be taken now (node away, no ether), if so. */
  readonly outage: () => RefusalCode | undefined
  /** What a payment may name as its contract and receiver. */
  readonly isOurs: (payment: Payment) => boolean
  /** Seconds until it is worth while to ask again, after an answer that time will change. */
  readonly retryAfter: number
}

/** The refusals that pass by themselves. */
const passing: ReadonlySet<RefusalCode> = new Set([
  'insufficient_confirmations',
  'chain_unavailable',
  'receiver_lacks_ether',
])

export function createPaywall(options: PaywallOptions): Paywall {
  const { dialect, manager, outage, isOurs, retryAfter } = options

  function refuse(request: RequestView, why: Refusal, answer: PaymentAnswer): Admission {
    const wantsBody = why.status === 409 || acceptsJson(request.header('accept') ?? '')
    return {
      kind: 'refused',
      status: why.status,
      headers: {
        ...dialect.headers({ ...answer, reason: why.reason }),
        'content-type': wantsBody ? 'application/problem+json' : 'application/json',
        ...(passing.has(why.code) && { 'retry-after': retryAfter.toString() }),
      },
      body: wantsBody ? JSON.stringify(problemDetails(why)) : '',
    }
  }

  async function take(
    request: RequestView,
    payment: Payment,
    price: TokenAmount,
  ): Promise<Admission> {
    const outcome = await manager.registerPayment(payment, price)
    if (outcome.kind === 'refused') {
      const { code, channel } = outcome
      return refuse(request, refusal(code), { price, channel })
    }
    const { channel, chargeOnly } = outcome
    return {
      kind: 'paid',
      headers: dialect.headers({ price, channel: withoutProof(channel) }),
      chargeOnly: async (cost) => {
        await chargeOnly(cost)
        return dialect.headers({ price, channel: withoutProof(channel), cost })
      },
    }
  }

  return {
    admit: async (request, price) => {
      if (price === 0n) return { kind: 'free' }
      let payment: Payment | undefined
      try {
        payment = dialect.payment(request)
      } catch (error) {
        return refuse(request, unreadable(error), { price })
      }
      const away = outage()
      if (away !== undefined) return refuse(request, refusal(away), { price })
      if (payment === undefined) return refuse(request, refusal('payment_required'), { price })
      if (!isOurs(payment)) return refuse(request, refusal('wrong_contract'), { price })
      return take(request, payment, price)
    },
  }
}

function unreadable(error: unknown): Refusal {
  if (!isUraidenError(error)) throw error
  const detail = `${error.message} ${error.hint}`
  if (error.code === 'high_s_signature') return refusal('invalid_balance_proof', detail)
  if (error.code === 'malformed_header') return refusal('malformed_payment', detail)
  throw error
}

/** The one who paid knows its own signature; it is worth its bytes where something went wrong. */
function withoutProof({ proof: _, ...channel }: Channel): Channel {
  return channel
}

/** Clients that name JSON get a body; `*\/*` alone gets the original's empty one. */
function acceptsJson(accept: string): boolean {
  return /application\/(?:problem\+)?json/.test(accept)
}
