// x402 beside RDN on the same resources: reads PAYMENT-SIGNATURE, and says in PAYMENT-REQUIRED what is taken.
import { type HeaderFields, isUraidenError, type Payment, refusal } from '../../protocol/index.ts'
import {
  channelsScheme,
  formatChannelsOffer,
  parseChannelsOffer,
  parseChannelsPayload,
} from '../../protocol/x402/channels.ts'
import {
  formatPaymentRequired,
  formatPaymentResponse,
  isExact,
  networkOf,
  type PaymentSignature,
  parsePaymentSignature,
  x402Field,
} from '../../protocol/x402/index.ts'
import type { Dialect, PaymentAnswer, RequestView } from '../paywall/dialect.ts'
import type { Asked, OtherDialect, PricedRequest, Spoken } from '../paywall/paywall.ts'
import type { ExactSeller } from './exact.ts'

export interface X402Options {
  readonly chainId: bigint
  readonly rdn: Dialect
  readonly exact: ExactSeller
  /** Whether channels are offered as a scheme of x402, too. */
  readonly channels: 'on' | 'off'
  /** Seconds that an offer of channels is said to be good for. */
  readonly timeout: number
  /** Where the server is reached, as far as it is known. */
  readonly origins: readonly string[]
  readonly publicPath: string
}

export function x402Dialect(options: X402Options): OtherDialect {
  return {
    spokenIn: (request) => {
      const text = request.header(x402Field.signature)
      return text === undefined ? undefined : spoken(options, request, text)
    },
    asks: (request, asked) => asks(options, request, asked),
  }
}

function spoken(options: X402Options, request: PricedRequest, text: string): Spoken {
  try {
    const sent = parsePaymentSignature(text)
    const { accepted } = sent
    if (isExact(accepted)) {
      return { kind: 'own', admit: (price) => readable(options.exact.admit(request, sent, price)) }
    }
    const isOfChannels = accepted.scheme === channelsScheme && options.channels === 'on'
    const payment = isOfChannels ? paymentIn(options, sent) : undefined
    return payment === undefined
      ? { kind: 'refused', why: refusal('x402_not_offered') }
      : { kind: 'channels', dialect: channelsDialect(options, payment) }
  } catch (error) {
    return { kind: 'refused', why: unreadable(error) }
  }
}

async function readable<Value>(admitted: Promise<Value>) {
  try {
    return await admitted
  } catch (error) {
    const { code, detail } = unreadable(error)
    return { kind: 'refused', code, detail } as const
  }
}

function unreadable(error: unknown) {
  const codes = ['malformed_x402', 'malformed_header', 'missing_header', 'high_s_signature']
  if (!isUraidenError(error) || !codes.includes(error.code)) throw error
  return refusal('x402_malformed', error.message)
}

/**
 * Undefined of one for another chain.
 * @throws UraidenError `malformed_x402`, `malformed_header`, `missing_header`, `high_s_signature`
 */
function paymentIn(
  options: X402Options,
  { accepted, payload }: PaymentSignature,
): Payment | undefined {
  const { contract, receiver, chainId } = parseChannelsOffer(accepted)
  // What the payload says of contract and receiver is what was accepted, or it is for another one.
  const payment = { contract, receiver, ...parseChannelsPayload(payload) }
  return chainId === options.chainId ? payment : undefined
}

/** Channels as RDN has them, with the payment and the answer where x402 has its own. */
function channelsDialect({ rdn, chainId }: X402Options, payment: Payment): Dialect {
  return {
    name: 'x402 channels',
    payment: () => payment,
    headers: (answer) => {
      const fields = rdn.headers(answer)
      return answer.isPaid === true
        ? { ...fields, [x402Field.response]: paid(answer, { payment, chainId }) }
        : fields
    },
  }
}

interface PaidByChannel {
  readonly payment: Payment
  readonly chainId: bigint
}

/** No transaction: it is settled when the channel is. */
function paid({ price, cost = price }: PaymentAnswer, { payment, chainId }: PaidByChannel): string {
  return formatPaymentResponse({
    ...{ success: true, payer: payment.sender, transaction: '', network: networkOf(chainId) },
    amount: `${cost}`,
  })
}

function asks(
  options: X402Options,
  request: RequestView,
  { price, why, terms, sold, failed }: Asked,
): HeaderFields {
  if (why.status !== 402) return {}
  const { chainId, timeout, channels, exact } = options
  const ofChannels = channels === 'on' ? [formatChannelsOffer(terms, { chainId, timeout })] : []
  const error = failed?.reason ?? why.code
  const { title, description = title } = sold
  const required = formatPaymentRequired({
    error,
    resource: {
      url: urlOf(options, request),
      ...(description !== undefined && { description }),
    },
    accepts: [...ofChannels, exact.offer(price)],
  })
  if (failed?.reason === undefined) return { [x402Field.required]: required }
  const response = formatPaymentResponse({
    ...{ success: false, errorReason: failed.reason, errorMessage: why.detail },
    ...(failed.payer !== undefined && { payer: failed.payer }),
    ...{ transaction: '', network: networkOf(chainId) },
  })
  return { [x402Field.required]: required, [x402Field.response]: response }
}

/** As whoever asks has it; where no origin is known, by the name that he has used. */
function urlOf({ origins, publicPath }: X402Options, { header, url }: RequestView): string {
  const host = header('host') ?? 'localhost'
  const known = origins.find((origin) => new URL(origin).host === host) ?? origins[0]
  return `${known ?? `http://${host}`}${publicPath}${url}`
}
