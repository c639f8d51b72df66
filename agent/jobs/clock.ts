// Time, for what waits for it: the machine's, or a test's.
import type { Milliseconds } from '../../platform/time/clock.ts'

export interface Clock {
  /** Unix time; may jump. */
  readonly now: () => Milliseconds
  /** Calls back once; the result calls it off. */
  readonly after: (delay: Milliseconds, callback: () => void) => () => void
}

export const wallClock: Clock = {
  now: Date.now,
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  },
}
