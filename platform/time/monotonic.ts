// Time that passes. A wall clock is set by time services and by people: it is for dates, not for waiting.
import type { Milliseconds } from './clock.ts'

/** Milliseconds that only grow, and only as time passes. */
export type MonotonicClock = () => Milliseconds

export const monotonic: MonotonicClock = () => performance.now()
