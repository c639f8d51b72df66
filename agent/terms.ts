// What receivers ask, remembered, so that from the second request on the payment is in the first
// round trip. A receiver's 402 corrects what is remembered.
import type { Terms } from '../protocol/index.ts'

export interface TermsMemory {
  /** What is known of this very URL, or else of its path with another query. */
  readonly recall: (method: string, url: URL) => Terms | undefined
  readonly remember: (method: string, url: URL, terms: Terms) => void
  readonly forget: (method: string, url: URL) => void
}

/** Keeps the `most` entries that were used last. */
export function createTermsMemory(most = 1000): TermsMemory {
  const known = new Map<string, Terms>()

  function use(key: string): Terms | undefined {
    const terms = known.get(key)
    if (terms !== undefined) keep(key, terms)
    return terms
  }

  function keep(key: string, terms: Terms): void {
    // A map keeps the order of insertion: the first key is the one that was not used for longest.
    known.delete(key)
    known.set(key, terms)
    const [oldest] = known.keys()
    if (known.size > most && oldest !== undefined) known.delete(oldest)
  }

  return {
    recall: (method, url) => use(exactly(method, url)) ?? use(anyQuery(method, url)),
    remember: (method, url, terms) => {
      keep(anyQuery(method, url), terms)
      keep(exactly(method, url), terms)
    },
    forget: (method, url) => {
      known.delete(exactly(method, url))
      known.delete(anyQuery(method, url))
    },
  }
}

function exactly(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}${url.search}`
}

function anyQuery(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname} *`
}
