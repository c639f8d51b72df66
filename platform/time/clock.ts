// Time that is proven. A Pi has no clock of its own: after a power cut it may think that it is 1970,
// run backwards, or jump. None of that may count, so time moves on only as far as something proves it:
// the machine's uptime, or a wall clock that the system has synchronised.
export type Milliseconds = number

export const hour: Milliseconds = 3_600_000
/** That of a clock: on days when clocks are set a date has an hour more or less. */
export const day: Milliseconds = 86_400_000

/** What the machine says about time, all in one look. */
export interface ClockReading {
  /** Unix time of the wall clock; may be wrong. */
  readonly wall: Milliseconds
  /** Since the machine started; never wrong. */
  readonly uptime: Milliseconds
  /** Another one after each start of the machine. */
  readonly boot: string
  /** The system says that its wall clock was set from a trusted source. */
  readonly synchronised: boolean
}

/** The time and the look at the machine that it was computed from. Kept on disk. */
export interface ProvenClock {
  /** Unix time in milliseconds as far as it is proven; never goes back. */
  readonly time: Milliseconds
  readonly reading: ClockReading
}

export interface Advance {
  readonly clock: ProvenClock
  /**
   * How far the clock was set forward without time having passed. What was before keeps its distance from
   * now.
   */
  readonly jump: Milliseconds
}

/** Drift below this is left alone; more is a clock that was set. */
const drift: Milliseconds = 10_000

/**
 * The time now.
 *
 * - Uptime moves it on, whatever the wall clock says.
 * - After a restart of the machine the time without power counts only if the wall clock was
 *   synchronised before it and is now; else only the uptime since then.
 * - A synchronised clock that is ahead of that sets it forward: a jump, which frees nothing.
 * - A clock that is behind is passed over.
 */
export function advance(before: ProvenClock | undefined, now: ClockReading): Advance {
  if (before === undefined) return { clock: { time: now.wall, reading: now }, jump: 0 }
  const proven = before.time + Math.max(0, elapsed(before.reading, now))
  const jump = now.synchronised ? now.wall - proven : 0
  return jump > drift
    ? { clock: { time: now.wall, reading: now }, jump }
    : { clock: { time: proven, reading: now }, jump: 0 }
}

function elapsed(before: ClockReading, now: ClockReading): Milliseconds {
  if (before.boot === now.boot) return now.uptime - before.uptime
  const powerless = before.synchronised && now.synchronised ? now.wall - before.wall : 0
  return Math.max(now.uptime, powerless)
}
