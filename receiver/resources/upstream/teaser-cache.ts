// Keeps teasers for a while, so that visitors who do not pay are no load for the upstream.

export interface TeaserCacheOptions {
  /** Undefined when there is none; must not throw. */
  readonly make: (key: string) => Promise<string | undefined>
  /** Milliseconds for which one is good. */
  readonly lifetime: number
  /** Milliseconds until it is tried again when there was none. */
  readonly retry: number
  /** How many are kept; the one that was wanted longest ago goes first. */
  readonly most: number
  /** How many are made at the same time; whoever comes then gets none. */
  readonly mostMaking: number
  /** Milliseconds that only grow. */
  readonly now: () => number
}

interface Kept {
  readonly teaser: string | undefined
  readonly until: number
}

/** Looks one up or makes it. Asked for twice at once, it is made once. */
export function createTeaserCache(
  options: TeaserCacheOptions,
): (key: string) => Promise<string | undefined> {
  const { make, lifetime, retry, most, mostMaking, now } = options
  const kept = new Map<string, Kept>()
  const making = new Map<string, Promise<string | undefined>>()

  async function fill(key: string): Promise<string | undefined> {
    try {
      const teaser = await make(key)
      const until = now() + (teaser === undefined ? Math.min(retry, lifetime) : lifetime)
      if (until > now()) kept.set(key, { teaser, until })
      const [oldest] = kept.keys()
      if (kept.size > most && oldest !== undefined) kept.delete(oldest)
      return teaser
    } finally {
      making.delete(key)
    }
  }

  return async (key) => {
    const found = kept.get(key)
    kept.delete(key)
    if (found !== undefined && found.until > now()) {
      kept.set(key, found)
      return found.teaser
    }
    const under = making.get(key)
    if (under !== undefined) return under
    if (making.size >= mostMaking) return undefined
    const made = fill(key)
    making.set(key, made)
    return made
  }
}
