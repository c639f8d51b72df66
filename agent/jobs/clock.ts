// Time, for what waits for it: the machine's, or a test's; and the moments of a timetable, which come also
// when the clock jumps or the machine sleeps.

import type { Timetable } from '../../platform/config/schedule.ts'
import type { Milliseconds } from '../../platform/time/clock.ts'
import { monotonic } from '../../platform/time/monotonic.ts'

export interface Clock {
  /** Unix time; may jump. */
  readonly now: () => Milliseconds
  /** Milliseconds that only grow, as time passes. */
  readonly passed: () => Milliseconds
  /** Calls back once; the result calls it off. */
  readonly after: (delay: Milliseconds, callback: () => void) => () => void
}

export const wallClock: Clock = {
  now: Date.now,
  passed: monotonic,
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  },
}

export interface Ticker {
  /** The moment that it waits for. Unix time. */
  readonly due: () => Milliseconds
  /** From the moment that it was due last to this one; undefined before the first. */
  readonly gap: () => Milliseconds | undefined
  readonly stop: () => void
}

export interface TickerOptions {
  readonly clock: Clock
  readonly timetable: Timetable
  /** Once for each moment; once for all that have passed meanwhile, and then `late`. */
  readonly onDue: (when: 'inTime' | 'late') => void
}

/** The clock may be set at any time: it is looked at so often. */
const lookInterval: Milliseconds = 60_000

/** A moment that is further back was missed, not delayed. */
export const tolerance: Milliseconds = 60_000

export function startTicker({ clock, timetable, onDue }: TickerOptions): Ticker {
  let due = timetable.next()
  let gap: Milliseconds | undefined
  let cancel = arm()

  function arm(): () => void {
    return clock.after(Math.max(0, Math.min(due - clock.now(), lookInterval)), look)
  }

  function look(): void {
    const late = clock.now() - due
    const next = timetable.next()
    if (late >= 0) {
      gap = next - due
      due = next
      cancel = arm()
      onDue(late > tolerance ? 'late' : 'inTime')
      return
    }
    // The clock was set back.
    due = Math.min(due, next)
    cancel = arm()
  }

  return { due: () => due, gap: () => gap, stop: () => cancel() }
}
