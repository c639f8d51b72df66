// Time that passes. A wall clock is set by time services and by people: it is for dates, not for waiting.
import type { Milliseconds } from './clock.ts'

/** Milliseconds that only grow, and only as time passes. */
export type MonotonicClock = () => Milliseconds

export const monotonic: MonotonicClock = () => performance.now()

/**
 * Unix time as it was when the process began, moved on by the time that passes: for what is written down and
 * ends. A clock that is set meanwhile ends nothing; after a restart what it says counts.
 */
export const steadyTime: MonotonicClock = () => performance.timeOrigin + performance.now()
