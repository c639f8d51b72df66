// Keeps teasers for a while, so that visitors who do not pay are no load for the upstream.
import type { TeaserParts } from './teaser-document.ts'

export interface TeaserCacheOptions {
  /** Undefined when there is none; must not throw. */
  readonly make: (key: string) => Promise<TeaserParts | undefined>
  /** Milliseconds for which one is good. */
  readonly lifetime: number
  /** Milliseconds until it is tried again when there was none. */
  readonly retry: number
  /** How many are kept; the one that was wanted longest ago goes first. */
  readonly most: number
  /** Characters of all that are kept. */
  readonly mostLength: number
  /** How many are being made or wait for it; whoever comes then gets none. */
  readonly mostMaking: number
  /** Milliseconds that only grow. */
  readonly now: () => number
}

interface Kept {
  readonly teaser: TeaserParts | undefined
  readonly until: number
}

/** `mayMake` is asked when there is none; whoever may not gets none. */
type Lookup = (key: string, mayMake: () => Promise<boolean>) => Promise<TeaserParts | undefined>

/** Looks one up or makes it. Asked for twice at once, it is made once. */
export function createTeaserCache(options: TeaserCacheOptions): Lookup {
  const { make, lifetime, retry, most, mostLength, mostMaking, now } = options
  const kept = new Map<string, Kept>()
  const making = new Map<string, Promise<TeaserParts | undefined>>()
  let length = 0

  function forget(key: string): void {
    length -= lengthOf(kept.get(key)?.teaser)
    kept.delete(key)
  }

  function keep(key: string, each: Kept): void {
    kept.set(key, each)
    length += lengthOf(each.teaser)
    for (const oldest of kept.keys()) {
      if (kept.size <= most && length <= mostLength) break
      forget(oldest)
    }
  }

  async function fill(
    key: string,
    mayMake: () => Promise<boolean>,
  ): Promise<TeaserParts | undefined> {
    try {
      if (!(await mayMake())) return undefined
      const teaser = await make(key)
      const until = now() + (teaser === undefined ? Math.min(retry, lifetime) : lifetime)
      if (until > now()) keep(key, { teaser, until })
      return teaser
    } finally {
      making.delete(key)
    }
  }

  return async (key, mayMake) => {
    const found = kept.get(key)
    forget(key)
    if (found !== undefined && found.until > now()) {
      keep(key, found)
      return found.teaser
    }
    const under = making.get(key)
    if (under !== undefined) return under
    if (making.size >= mostMaking) return undefined
    const made = fill(key, mayMake)
    making.set(key, made)
    return made
  }
}

function lengthOf(teaser: TeaserParts | undefined): number {
  return teaser === undefined ? 0 : teaser.beforeBase.length + teaser.afterBase.length
}
