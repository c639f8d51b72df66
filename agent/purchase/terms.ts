// What receivers ask, remembered, so that from the second request on the payment is in the first
// round trip. A receiver's 402 corrects what is remembered.
import {
  type Address,
  formatTerms,
  type HeaderSource,
  headerName,
  isUraidenError,
  parseAddress,
  parseTerms,
  parseUint192,
  type Terms,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { Notes } from '../channels/notes.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { notAReceiver } from './errors.ts'

/**
 * Of a 402, whose body is thrown away. A bound one leaves out what does not change: it is taken from
 * `known`, the terms that were paid, whatever the answer says of it.
 * @throws UraidenError `terms_unreadable`
 */
export function readTerms(url: URL, { header, stream }: OpenAnswer, known?: Terms): Terms {
  // Nobody reads the page of a 402, however long it is.
  stream.destroy()
  try {
    return parseTerms(known === undefined ? header : withKnown(header, known))
  } catch (error) {
    if (isUraidenError(error)) throw notAReceiver(url, error)
    throw error
  }
}

function withKnown(header: HeaderSource, known: Terms): HeaderSource {
  const { gatewayPath, receiver, contract, token, price, features, otherContracts } = known
  const others = otherContracts === undefined ? {} : { otherContracts }
  const fixed = formatTerms({ gatewayPath, receiver, contract, token, price, features, ...others })
  const lasting = new Map(
    Object.entries(fixed)
      .filter(([name]) => name !== headerName.price)
      .map(([name, value]) => [name.toLowerCase(), value]),
  )
  return (name) => lasting.get(name.toLowerCase()) ?? header(name)
}

export interface TermsMemory extends Prices {
  /** What is known of this very URL, or else of its path with another query. */
  readonly recall: (method: string, url: URL) => Terms | undefined
  readonly remember: (method: string, url: URL, terms: Terms) => void
}

export interface Prices {
  /** What was last paid for this very URL, or else for its path with another query. */
  readonly lastPrice: (method: string, url: URL) => TokenAmount | undefined
  readonly paid: (method: string, url: URL, price: TokenAmount) => void
}

const pricePrefix = 'price/'

/** Terms are asked again after a restart. */
export function createTermsMemory(prices: Prices): TermsMemory {
  const terms = byResource<Terms>()
  return { recall: terms.get, remember: terms.set, ...prices }
}

/** Last prices are kept, so that none jumps over a restart, or from one contract to another. */
export function createPrices(notes: Notes): Prices {
  const prices = byResource<TokenAmount>()
  const lastNoted = (key: string): TokenAmount | undefined => {
    const noted = notes.get(`${pricePrefix}${key}`) as { readonly price: string } | undefined
    return noted && parseUint192(noted.price)
  }
  const unnoted = new Map<string, TokenAmount>()
  const makeRoom = (): void => {
    const noted = notes.keysUnder(pricePrefix)
    if (noted[0] !== undefined && noted.length >= mostKept) notes.later(noted[0], undefined)
  }
  notes.beforeWrite(() => {
    for (const [resource, price] of unnoted) {
      const key = `${pricePrefix}${resource}`
      if (notes.get(key) === undefined) makeRoom()
      notes.later(key, { price })
    }
    unnoted.clear()
  })
  return {
    lastPrice: (method, url) => {
      const resource = anyQuery(method, url)
      return prices.get(method, url) ?? unnoted.get(resource) ?? lastNoted(resource)
    },
    paid: (method, url, price) => {
      prices.set(method, url, price)
      unnoted.set(anyQuery(method, url), price)
    },
  }
}

const mostKept = 1000

/** Keeps the entries that were used last. */
function byResource<Value>() {
  const known = new Map<string, Value>()

  function use(key: string): Value | undefined {
    const value = known.get(key)
    if (value !== undefined) keep(key, value)
    return value
  }

  function keep(key: string, value: Value): void {
    // A map keeps the order of insertion: the first key is the one that was not used for longest.
    known.delete(key)
    known.set(key, value)
    const [oldest] = known.keys()
    if (known.size > mostKept && oldest !== undefined) known.delete(oldest)
  }

  return {
    get: (method: string, url: URL): Value | undefined =>
      use(exactly(method, url)) ?? use(anyQuery(method, url)),
    set: (method: string, url: URL, value: Value): void => {
      keep(anyQuery(method, url), value)
      keep(exactly(method, url), value)
    },
  }
}

function exactly(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}${url.search}`
}

function anyQuery(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname} *`
}

/** Who is paid where. */
export interface Sellers {
  /** Undefined when nothing was bought there yet. */
  readonly at: (url: URL) => Address | undefined
  /** Durable before the first payment there is. */
  readonly remember: (url: URL, receiver: Address) => void
}

const sellerPrefix = 'seller/'

/**
 * Keeps the `most` that came last. The address that an origin named first is the only one that is paid there:
 * a seller that could name another one in every answer would have a channel opened for each.
 */
export function createSellers(notes: Notes, most = mostKept): Sellers {
  const known = new Map<string, Address>()
  for (const key of notes.keysUnder(sellerPrefix)) {
    const { receiver } = notes.get(key) as { readonly receiver: string }
    known.set(key.slice(sellerPrefix.length), parseAddress(receiver))
  }
  return {
    at: ({ origin }) => known.get(origin),
    remember: ({ origin }, receiver) => {
      if (known.get(origin) === receiver) return
      known.set(origin, receiver)
      notes.later(`${sellerPrefix}${origin}`, { receiver })
      const [oldest] = known.keys()
      if (known.size <= most || oldest === undefined) return
      known.delete(oldest)
      notes.later(`${sellerPrefix}${oldest}`, undefined)
    },
  }
}
