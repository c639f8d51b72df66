// What receivers ask, remembered, so that from the second request on the payment is in the first
// round trip. A receiver's 402 corrects what is remembered.
import { parseUint192, type Terms, type TokenAmount } from '../../protocol/index.ts'
import type { Notes } from '../channels/notes.ts'

export interface TermsMemory {
  /** What is known of this very URL, or else of its path with another query. */
  readonly recall: (method: string, url: URL) => Terms | undefined
  readonly remember: (method: string, url: URL, terms: Terms) => void
  /** What was last paid for this very URL, or else for its path with another query. */
  readonly lastPrice: (method: string, url: URL) => TokenAmount | undefined
  readonly paid: (method: string, url: URL, price: TokenAmount) => void
}

const pricePrefix = 'price/'

/** Terms are asked again after a restart; last prices are kept, so that none jumps over one. */
export function createTermsMemory(notes: Notes): TermsMemory {
  const terms = byResource<Terms>()
  const prices = byResource<TokenAmount>()
  const lastNoted = (key: string): TokenAmount | undefined => {
    const noted = notes.get(`${pricePrefix}${key}`) as { readonly price: string } | undefined
    return noted && parseUint192(noted.price)
  }
  const makeRoom = (): void => {
    const noted = notes.keysUnder(pricePrefix)
    if (noted[0] !== undefined && noted.length >= mostKept) notes.later(noted[0], undefined)
  }
  return {
    recall: terms.get,
    remember: terms.set,
    lastPrice: (method, url) => prices.get(method, url) ?? lastNoted(anyQuery(method, url)),
    paid: (method, url, price) => {
      prices.set(method, url, price)
      const key = `${pricePrefix}${anyQuery(method, url)}`
      if (notes.get(key) === undefined) makeRoom()
      notes.later(key, { price })
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
