// Version 1 of x402, as a buyer meets it: the requirements stand in the body of the 402, chains have names, and the
// payment goes in `X-PAYMENT` (checked against @x402/core and @x402/evm 2.27.0).
import { defined } from '../defined.ts'
import { type ExactPayload, formatExactPayload, networkOf } from './exact.ts'
import {
  isObject,
  type Json,
  malformed,
  optionalObjectIn,
  optionalTextIn,
  readObject,
  textIn,
  writeField,
} from './json.ts'
import {
  checkVersion,
  listIn,
  type PaymentRequired,
  type Requirements,
  timeoutIn,
} from './messages.ts'

export const version1Field = {
  signature: 'X-PAYMENT',
  response: 'X-PAYMENT-RESPONSE',
} as const

/** Chains by the names that stock clients of version 1 know. */
const chainIds: { readonly [name: string]: bigint } = {
  ...{ ethereum: 1n, sepolia: 11_155_111n, abstract: 2741n, 'abstract-testnet': 11_124n },
  ...{ 'base-sepolia': 84_532n, base: 8453n, 'avalanche-fuji': 43_113n, avalanche: 43_114n },
  ...{ iotex: 4689n, sei: 1329n, 'sei-testnet': 1328n, polygon: 137n, 'polygon-amoy': 80_002n },
  ...{ peaq: 3338n, story: 1514n, educhain: 41_923n, 'skale-base-sepolia': 324_705_682n },
  ...{ megaeth: 4326n, monad: 143n, stable: 988n, 'stable-testnet': 2201n, celo: 42_220n },
  flare: 14n,
}

const where = 'the body'

/**
 * What the body of a 402 asks for, in the words of version 2. A chain whose name is not known has no number: its
 * network is the name behind `v1:`.
 * @throws UraidenError `malformed_x402`
 */
export function parseVersion1(body: string): PaymentRequired {
  const message = readObject(where, body)
  checkVersion(message, where, 1)
  const accepts = listIn(message, where).map((each, at) => offerOf(each, `${where}.accepts[${at}]`))
  const [first] = accepts
  return {
    accepts: accepts.map(({ offer }) => offer),
    resource: { url: first?.url ?? '' },
    ...defined({ error: optionalTextIn(message, 'error', where, 2048) }),
  }
}

function offerOf(
  value: Json,
  place: string,
): { readonly offer: Requirements; readonly url: string } {
  if (!isObject(value)) throw malformed(place, 'is no object')
  const text = (name: string, most = 128) => textIn(value, name, place, { most })
  const network = text('network')
  const chainId = Object.hasOwn(chainIds, network) ? chainIds[network] : undefined
  const extra = optionalObjectIn(value, 'extra', place)
  return {
    url: text('resource', 2048),
    offer: {
      scheme: text('scheme'),
      network: chainId === undefined ? `v1:${network}` : networkOf(chainId),
      amount: text('maxAmountRequired'),
      ...{ asset: text('asset'), payTo: text('payTo') },
      maxTimeoutSeconds: timeoutIn(value, place),
      ...defined({ extra }),
    },
  }
}

/** The value of `X-PAYMENT`: of an offer that `parseVersion1` has read. */
export function formatVersion1(
  { scheme, network }: Pick<Requirements, 'scheme' | 'network'>,
  payload: ExactPayload,
): string {
  const [name = network] =
    Object.entries(chainIds).find(([, chainId]) => networkOf(chainId) === network) ?? []
  return writeField({
    ...{ x402Version: 1, scheme, network: name },
    payload: formatExactPayload(payload),
  })
}
