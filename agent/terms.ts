// What receivers ask, remembered, so that from the second request on the payment is in the first
// round trip. A receiver's 402 corrects what is remembered.
import type { Terms, TokenAmount } from '../protocol/index.ts'

export interface TermsMemory {
  /** What is known of this very URL, or else of its path with another query. */
  readonly recall: (method: string, url: URL) => Terms | undefined
  readonly remember: (method: string, url: URL, terms: Terms) => void
  /** What was last paid for this very URL, or else for its path with another query. */
  readonly lastPrice: (method: string, url: URL) => TokenAmount | undefined
  readonly paid: (method: string, url: URL, price: TokenAmount) => void
}

export function createTermsMemory(): TermsMemory {
  const terms = byResource<Terms>()
  const prices = byResource<TokenAmount>()
  return {
    recall: terms.get,
    remember: terms.set,
    lastPrice: prices.get,
    paid: prices.set,
  }
}

/** Keeps the `most` entries that were used last. */
function byResource<Value>(most = 1000) {
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
    if (known.size > most && oldest !== undefined) known.delete(oldest)
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
