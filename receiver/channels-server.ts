// The scheme `uraiden` for stock servers of x402: a receiver of ours takes the payments that they ask for. A payment is
// on disk when it is verified; what the handler fails to serve becomes the sender's credit.
import {
  contractAbilities,
  type Feature,
  formatTerms,
  type HeaderFields,
  headerName,
  isUraidenError,
  parseAmount,
  type TokenAmount,
} from '../protocol/index.ts'
import {
  channelsScheme,
  formatChannelsOffer,
  parseChannelsPayload,
} from '../protocol/x402/channels.ts'
import { type JsonObject, networkOf, type Requirements } from '../protocol/x402/index.ts'
import type { PaidOutcome } from './channels/manager.ts'
import type { Channel } from './channels/records.ts'
import type { Receiver } from './core/receiver.ts'
import { rdnDialect } from './paywall/dialect.ts'

interface Payload {
  readonly payload: object
}

/** What a stock server passes to hooks of a scheme, as far as it is used here. */
interface Context {
  readonly paymentPayload?: Payload | undefined
  readonly requirements: unknown
}

/** For an `x402ResourceServer`; its types are these in structure. */
export interface ChannelsServer {
  /** To be registered under. */
  readonly network: `eip155:${string}`
  /** The first argument of `x402ResourceServer`, alone or in a list. */
  readonly facilitator: {
    readonly verify: (payload: Payload, requirements: object) => Promise<Verified>
    readonly settle: (payload: Payload, requirements: object) => Promise<SettledByChannel>
    readonly getSupported: () => Promise<Supported>
  }
  /** For `register`. */
  readonly scheme: StockScheme
}

interface Verified {
  readonly isValid: boolean
  readonly invalidReason?: string
  readonly payer?: string
}

interface SettledByChannel {
  readonly success: boolean
  readonly errorReason?: string
  readonly payer?: string
  readonly transaction: string
  readonly network: `eip155:${string}`
  readonly amount?: string
}

interface Supported {
  readonly kinds: { x402Version: number; scheme: string; network: `eip155:${string}` }[]
  readonly extensions: string[]
  readonly signers: Record<string, string[]>
}

interface StockScheme {
  readonly scheme: typeof channelsScheme
  readonly defaultAssetTransferMethod: 'default'
  readonly paymentFlows: {
    readonly default: { readonly supported: ['authorization']; readonly default: 'authorization' }
  }
  readonly parsePrice: (price: unknown) => Promise<{ amount: string; asset: string }>
  readonly enhancePaymentRequirements: <Base extends object>(base: Base) => Promise<Base>
  readonly enrichPaymentRequiredResponse: (context: Context) => Promise<never>
  readonly schemeHooks: { readonly onVerifiedPaymentCanceled: (context: Context) => Promise<void> }
}

interface Serving {
  readonly receiver: Receiver
  readonly network: `eip155:${string}`
  /** By what was signed: paid, and not known to be served yet. */
  readonly open: Map<string, PaidOutcome>
  /** Where channels stand whose payment was refused, until the refusal has left. */
  readonly refused: Map<string, Channel>
}

/** The oldest are served by now, or will never be. */
const mostOpen = 4096

const features: ReadonlySet<Feature> = new Set(['parallel'])

/**
 * Sells through a stock server what it asks for, paid by channels to this receiver. Its channel API has to be served
 * beside it: `receiverApi`.
 * @example
 * const channels = createChannelsServer(receiver)
 * const resources = new x402ResourceServer(channels.facilitator).register(channels.network, channels.scheme)
 * app.use(paymentMiddleware({ 'GET /reading': { accepts: { scheme: 'uraiden', price: '0.005 TKN',
 *   network: channels.network, payTo: receiver.address } } }, resources))
 */
export function createChannelsServer(receiver: Receiver): ChannelsServer {
  const network = networkOf(receiver.chainId) as `eip155:${string}`
  const serving: Serving = { receiver, network, open: new Map(), refused: new Map() }
  const kind = { x402Version: 2, scheme: channelsScheme, network }
  return {
    network,
    facilitator: {
      verify: (payload, requirements) => verify(serving, payload, requirements as Requirements),
      settle: (payload, requirements) => settle(serving, payload, requirements as Requirements),
      getSupported: async () => ({ kinds: [kind], extensions: [], signers: {} }),
    },
    scheme: schemeOf(serving),
  }
}

function schemeOf(serving: Serving): StockScheme {
  const { receiver } = serving
  return {
    scheme: channelsScheme,
    defaultAssetTransferMethod: 'default',
    paymentFlows: { default: { supported: ['authorization'], default: 'authorization' } },
    parsePrice: async (price) => {
      const amount = amountOf(receiver, price)
      return { amount: `${amount}`, asset: receiver.token.address }
    },
    enhancePaymentRequirements: async (base) => {
      const { extra } = offerOf(receiver, {})
      return { ...base, extra: { ...(base as { readonly extra?: object }).extra, ...extra } }
    },
    enrichPaymentRequiredResponse: async ({ paymentPayload, requirements }) =>
      withStanding(serving, paymentPayload, requirements as Requirements[]) as never,
    schemeHooks: {
      onVerifiedPaymentCanceled: async ({ paymentPayload }) => {
        const name = paymentPayload && nameOf(paymentPayload)
        const paid = name === undefined ? undefined : serving.open.get(name)
        if (name !== undefined) serving.open.delete(name)
        await paid?.chargeOnly(0n)
      },
    },
  }
}

/** @throws UraidenError those of `parseAmount` */
function amountOf({ token }: Receiver, price: unknown): TokenAmount {
  const given = typeof price === 'object' && price !== null && 'amount' in price && price.amount
  return given ? BigInt(`${given}`) : parseAmount(`${price}`, token)
}

/** The RDN fields of it, with where the channel stands. */
function offerOf(
  receiver: Receiver,
  { price = 0n, channel }: { readonly price?: TokenAmount; readonly channel?: Channel },
): Requirements {
  const { address, contract, token, chainId, contractFacts } = receiver
  const { forms } = contractAbilities(contractFacts.version)
  const known = new Set<Feature>([
    ...features,
    ...(forms.includes('eip712') ? (['eip712'] as const) : []),
  ])
  const identity = { receiver: address, contract, token: token.address, features: known }
  const fields =
    channel === undefined
      ? formatTerms({ gatewayPath, price, ...identity })
      : rdnDialect({ gatewayPath, ...identity }).headers({ price, channel })
  return formatChannelsOffer(fields, { chainId, timeout: 60 })
}

const gatewayPath = '/api/1'

function nameOf({ payload }: Payload): string {
  return (payload as HeaderFields)[headerName.signature] ?? ''
}

async function verify(
  { receiver, open, refused }: Serving,
  sent: Payload,
  { amount }: Requirements,
): Promise<Verified> {
  const { manager, contract, address } = receiver
  try {
    const payment = {
      contract,
      receiver: address,
      ...parseChannelsPayload(sent.payload as JsonObject),
    }
    const payer = payment.sender
    if (payment.contract !== contract || payment.receiver !== address) {
      return { isValid: false, invalidReason: 'wrong_contract', payer }
    }
    if (manager.isBoundOnly(payment)) {
      return { isValid: false, invalidReason: 'nonexisting_channel', payer }
    }
    const outcome = await manager.registerPayment(payment, BigInt(amount))
    if (outcome.kind === 'paid') {
      keep(open, nameOf(sent), outcome)
      return { isValid: true, payer }
    }
    // Only requests that are named find an earlier answer, and here none is.
    if (outcome.kind === 'answered') throw new Error('an answer to a request without a name')
    if (outcome.channel !== undefined) keep(refused, nameOf(sent), outcome.channel)
    return { isValid: false, invalidReason: outcome.code, payer }
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return { isValid: false, invalidReason: error.code }
  }
}

function keep<Value>(kept: Map<string, Value>, name: string, value: Value): void {
  kept.set(name, value)
  const [oldest] = kept.keys()
  if (kept.size > mostOpen && oldest !== undefined) kept.delete(oldest)
}

/** It was paid when it was verified, and is final now. */
async function settle(
  { network, open }: Serving,
  sent: Payload,
  { amount }: Requirements,
): Promise<SettledByChannel> {
  const paid = open.get(nameOf(sent))
  open.delete(nameOf(sent))
  if (paid === undefined) {
    return { success: false, errorReason: 'not_verified', transaction: '', network }
  }
  return { success: true, payer: paid.channel.sender, transaction: '', network, amount }
}

/** A refusal says where the channel stands, to whoever has signed for it. */
function withStanding(
  { receiver, refused }: Serving,
  sent: Payload | undefined,
  requirements: readonly Requirements[],
): readonly Requirements[] | undefined {
  const channel = sent && refused.get(nameOf(sent))
  if (sent === undefined || channel === undefined) return undefined
  refused.delete(nameOf(sent))
  return requirements.map((each) => {
    if (each.scheme !== channelsScheme) return each
    const { extra } = offerOf(receiver, { price: BigInt(each.amount), channel })
    return { ...each, extra: { ...each.extra, ...extra } }
  })
}
