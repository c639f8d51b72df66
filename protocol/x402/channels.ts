// The scheme `uraiden`: channels, for clients and servers of x402. What RDN says in headers stands in `extra` and in
// `payload` under the same names, so that both are read by the same rules.
import {
  type HeaderFields,
  type HeaderSource,
  headerName,
  type Payment,
  parsePayment,
  parseTerms,
  type Terms,
} from '../headers.ts'
import { chainIdOf, networkOf } from './exact.ts'
import { type JsonObject, malformed } from './json.ts'
import type { Requirements } from './messages.ts'

export const channelsScheme = 'uraiden'

/** Requirements have places of their own for these. */
const placed: ReadonlySet<string> = new Set([
  ...[headerName.price, headerName.receiver, headerName.token, headerName.sender],
])

export interface ChannelsOffer {
  readonly chainId: bigint
  /** Seconds; a payment of a channel does not expire. */
  readonly timeout: number
}

/** The entry of `accepts` for what these RDN fields ask. */
export function formatChannelsOffer(
  fields: HeaderFields,
  { chainId, timeout }: ChannelsOffer,
): Requirements {
  const text = (name: string) => fields[name] ?? ''
  const extra = Object.entries(fields).filter(
    ([name]) => name.startsWith('RDN-') && !placed.has(name),
  )
  return {
    ...{ scheme: channelsScheme, network: networkOf(chainId), amount: text(headerName.price) },
    ...{ asset: text(headerName.token), payTo: text(headerName.receiver) },
    ...{ maxTimeoutSeconds: timeout, extra: Object.fromEntries(extra) },
  }
}

/**
 * The terms in such an entry, and the chain that they are for.
 * @throws UraidenError `malformed_x402`, `missing_header`, `malformed_header`
 */
export function parseChannelsOffer(offer: Requirements): Terms & { readonly chainId: bigint } {
  const { network, amount, asset, payTo, extra } = offer
  const chainId = chainIdOf(network)
  if (offer.scheme !== channelsScheme || chainId === undefined) {
    throw malformed('accepted', 'is no offer of channels')
  }
  const own = {
    [headerName.price]: amount,
    [headerName.token]: asset,
    [headerName.receiver]: payTo,
  }
  return { ...parseTerms(sourceOf({ ...extra, ...own })), chainId }
}

/** Of what RDN says in headers. */
export function formatChannelsPayload(fields: HeaderFields): JsonObject {
  return { ...fields }
}

/**
 * The payment in a payload of this scheme.
 * @throws UraidenError `malformed_x402`, `malformed_header`, `high_s_signature`
 */
export function parseChannelsPayload(payload: JsonObject): Payment {
  const payment = parsePayment(sourceOf(payload))
  if (payment === undefined) throw malformed('payload', 'lacks a part of a payment')
  return payment
}

/** Names in any case, as of headers. */
function sourceOf(object: JsonObject): HeaderSource {
  const texts = new Map(
    Object.entries(object).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name.toLowerCase(), value] as const] : [],
    ),
  )
  return (name) => texts.get(name.toLowerCase())
}
