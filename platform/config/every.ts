// When something is done again and again: a cron expression, or an interval such as `5m`.
import { shorten } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { day, type Milliseconds } from '../time/clock.ts'
import { parseDuration } from './duration.ts'
import {
  cronTimetable,
  mostTimesWithin as mostByCron,
  parseSchedule,
  type Timetable,
  timesPerDay as timesByCron,
} from './schedule.ts'

const shortest: Milliseconds = 1000

/** @throws UraidenError `not_a_schedule` */
export function parseEvery(text: string): string {
  const interval = intervalIn(text)
  if (interval === undefined) return parseSchedule(text, hint)
  if (interval >= shortest) return text
  throw platformError({
    code: 'not_a_schedule',
    message: `"${shorten(text)}" is too short an interval.`,
    hint: 'Write one of a second or more, such as 10s.',
  })
}

const hint =
  "Write an interval such as 5m, five fields (minute hour day month weekday) or six (second first), such as '*/5 * * * *'."

/**
 * Intervals are counted from the beginning of Unix time, not from a start: `5m` is due at :00, :05, … after every
 * restart as before. `zone` is of cron expressions, an IANA name, the machine's own when not given.
 */
export function timetableOf(every: string, zone?: string): Timetable {
  const interval = intervalIn(every)
  if (interval === undefined) return cronTimetable(every, zone)
  return {
    next: (after = Date.now()) => (Math.floor(after / interval) + 1) * interval,
    close: () => undefined,
  }
}

/** How often it is due in a day, over a year. */
export function timesPerDay(every: string): number {
  const interval = intervalIn(every)
  return interval === undefined ? timesByCron(every) : day / interval
}

/** How often it is due at most in so long a time, which is a number of hours. */
export function mostTimesWithin(every: string, time: Milliseconds): number {
  const interval = intervalIn(every)
  return interval === undefined ? mostByCron(every, time) : Math.ceil(time / interval)
}

/** Undefined for what is no interval. @throws UraidenError `not_a_duration` */
export function intervalIn(every: string): Milliseconds | undefined {
  return /^[\d.]+ ?[a-z]+$/.test(every) ? parseDuration(every) : undefined
}
