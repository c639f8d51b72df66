// Time that passes when a test says so.
import type { Clock } from '../../agent/jobs/clock.ts'
import type { Timetable } from '../../platform/config/schedule.ts'

export interface ManualClock extends Clock {
  /** Lets time pass; what falls due is called at its moment, in order. */
  readonly pass: (milliseconds: number) => void
  /** Sets the clock, as a time service does: no time passes. */
  readonly set: (time: number) => void
}

interface Timer {
  /** On a clock that nobody sets. */
  readonly at: number
  readonly callback: () => void
}

export function manualClock(start = Date.UTC(2026, 10, 21)): ManualClock {
  let passed = 0
  let offset = start
  const timers = new Set<Timer>()
  const nextBefore = (end: number) =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  return {
    now: () => offset + passed,
    passed: () => passed,
    after: (delay, callback) => {
      const timer = { at: passed + delay, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass: (milliseconds) => {
      const end = passed + milliseconds
      for (let timer = nextBefore(end); timer !== undefined; timer = nextBefore(end)) {
        timers.delete(timer)
        passed = Math.max(passed, timer.at)
        timer.callback()
      }
      passed = end
    },
    set: (time) => {
      offset = time - passed
    },
  }
}

/** Due at every multiple of `interval`. */
export function every(interval: number, clock: Clock): Timetable {
  return {
    next: (after = clock.now()) => (Math.floor(after / interval) + 1) * interval,
    close: () => undefined,
  }
}
