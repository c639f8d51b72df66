// The same trouble again and again is said once, then seldom: the log stays readable on a bad day.
import type { Milliseconds } from '../../../platform/time/clock.ts'

export interface Said {
  /** How often it was kept quiet since it was said last. */
  readonly quiet: number
}

export interface Troubles {
  /** Undefined when it was said a short time ago. */
  readonly say: (kind: string, now: Milliseconds) => Said | undefined
  /** It works again: true when it was said before. */
  readonly over: (kind: string) => boolean
}

const seldom: Milliseconds = 10 * 60_000

/** Different kinds that are remembered; there are few, but a receiver's words may be in them. */
const mostKinds = 200

export function createTroubles(): Troubles {
  const known = new Map<string, { said: Milliseconds; quiet: number }>()
  return {
    say: (kind, now) => {
      const before = known.get(kind)
      if (before !== undefined && now - before.said < seldom) {
        before.quiet++
        return undefined
      }
      known.delete(kind)
      known.set(kind, { said: now, quiet: 0 })
      const [oldest] = known.keys()
      if (known.size > mostKinds && oldest !== undefined) known.delete(oldest)
      return { quiet: before?.quiet ?? 0 }
    },
    over: (kind) => known.delete(kind),
  }
}
