// Cron expressions in configuration files, and the moments they mean.
//
// node-cron knows expressions. Its timers are not used: a clock that jumps, as that of a Pi without a
// battery does, makes them walk through every moment in between. Neither are its moments: where summer time
// ends it leaves out an hour.

import { createTask, parse, validateDetailed } from 'node-cron'
import { shorten } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { day, hour, type Milliseconds } from '../time/clock.ts'
import { type ClockChange, timeZone, type WallTime, type Zone } from '../time/zone.ts'

export interface Timetable {
  /** The next moment it is due, after now or another moment. Unix time in milliseconds. */
  readonly next: (after?: Milliseconds) => Milliseconds
  readonly close: () => void
}

const second: Milliseconds = 1000

/**
 * `zone` is an IANA name, the machine's own when not given.
 *
 * Where clocks are set, an interval (its hour begins with `*`) goes on, also in an hour that comes twice. Times of
 * day come once: the first of two, and for a time that is left out the moment that it would have been had the clock
 * not been set (as RFC 5545 section 3.3.5 reads such a time).
 */
export function cronTimetable(expression: string, zone?: string): Timetable {
  const pattern = openPattern(expression)
  const clock = timeZone(zone)
  return {
    next: (after = Date.now()) => nextMoment(pattern, clock, after),
    close: pattern.close,
  }
}

function nextMoment(pattern: Pattern, zone: Zone, now: Milliseconds): Milliseconds {
  const before = zone.change(now - day, now)
  let position: Position = { now, offset: zone.offset(now), before }
  while (true) {
    const found = momentAfter(pattern, position)
    const begin = Math.max(position.now, position.before?.at ?? position.now)
    const soon = begin + day
    const change = zone.change(begin, Math.min(found, soon))
    if (change === undefined) return found <= soon ? found : farMoment(pattern, zone, soon)
    position = justAt(change)
  }
}

function justAt(before: ClockChange): Position {
  return { now: before.at - 1, offset: before.to, before }
}

interface Position {
  readonly now: Milliseconds
  /** From now on, and until the next change. */
  readonly offset: Milliseconds
  /** Within the last day. */
  readonly before: ClockChange | undefined
}

/** The next one, if clocks stay as they are. */
function momentAfter(pattern: Pattern, { now, offset, before }: Position): Milliseconds {
  const next = (wall: WallTime) => pattern.after(wall)
  if (before === undefined) return next(now + offset) - offset
  const { at, from, to } = before
  if (from > to && !pattern.isInterval) {
    // Up to `at + from` the wall has shown it already.
    return next(Math.max(now + offset, at + from - 1)) - offset
  }
  // Left out by the clock: it comes when the old one would have shown it.
  const late = to > from ? next(Math.max(now, at - 1) + from) - from : Number.POSITIVE_INFINITY
  const shown = next(now + offset) - offset
  return late < at + to - from ? Math.min(late, shown) : shown
}

/** The first after `begin`, before which clocks were not set for a day. */
function farMoment(pattern: Pattern, zone: Zone, begin: Milliseconds): Milliseconds {
  const wall = pattern.after(begin + zone.offset(begin))
  if (wall === Number.POSITIVE_INFINITY) return wall
  const change = zone.change(wall - day, wall + day)
  if (change === undefined) return wall - zone.offset(wall)
  const { at, from, to } = change
  if (at <= begin) return wall - to
  return wall - from < at ? wall - from : momentAfter(pattern, justAt(change))
}

/** How often it is due in a day, over a year. */
export function timesPerDay(expression: string): number {
  const { times, isDay, close } = openDates(expression)
  const { hours, minutes, seconds } = times
  const due = Array.from({ length: daysOfYear }, (_, number) => number * day).filter(isDay)
  close()
  return (hours.length * minutes.length * seconds.length * due.length) / daysOfYear
}

const daysOfYear = 365

/** How often it is due at most in so long a time, which is a number of hours. */
export function mostTimesWithin(expression: string, time: Milliseconds): number {
  const { times, close } = openDates(expression)
  const { hours, minutes, seconds } = times
  close()
  return Math.min(hours.length, Math.ceil(time / hour)) * minutes.length * seconds.length
}

/** A cron expression on the wall's clock, which knows no time zones. */
interface Pattern {
  /** Its hour begins with `*`: it is not about times of day. */
  readonly isInterval: boolean
  /** The first wall time after this one, `Infinity` when there is none. */
  readonly after: (wall: WallTime) => WallTime
  readonly close: () => void
}

type Fields = ReturnType<typeof parse>

/** 29 February on a Monday may be so far away. */
const longestWait = 40 * 366

interface Dates {
  readonly times: TimesOfDay
  /** Whether it is due on a day, by its begin. */
  readonly isDay: (begin: WallTime) => boolean
  readonly close: () => void
}

function openDates(expression: string): Dates {
  const fields = parse(expression)
  const [hours, minutes, seconds] = [fields.hour, fields.minute, fields.second].map(ascending)
  const times = { hours: hours ?? [], minutes: minutes ?? [], seconds: seconds ?? [] }
  const months = new Set(fields.month)
  const days = openDays(expression, fields, timeIn(times, 0) ?? 0)
  return {
    times,
    isDay: (begin) => months.has(new Date(begin).getUTCMonth() + 1) && days.has(begin),
    close: days.close,
  }
}

function openPattern(expression: string): Pattern {
  const { times, isDay, close } = openDates(expression)
  let known = { after: Number.POSITIVE_INFINITY, wall: Number.NEGATIVE_INFINITY }

  function search(from: WallTime): WallTime {
    let begin = Math.floor(from / day) * day
    let time = from - begin
    for (let days = 0; days < longestWait; days++, begin += day, time = 0) {
      const found = isDay(begin) ? timeIn(times, time) : undefined
      if (found !== undefined) return begin + found
    }
    return Number.POSITIVE_INFINITY
  }

  return {
    isInterval:
      times.hours.length === 24 || /^\*/.test(expression.trim().split(/\s+/).at(-4) ?? ''),
    after: (wall) => {
      if (wall < known.after || wall >= known.wall) {
        known = { after: wall, wall: search((Math.floor(wall / second) + 1) * second) }
      }
      return known.wall
    },
    close,
  }
}

interface Days {
  /** Whether it is one, by its begin; in months that are right. */
  readonly has: (begin: WallTime) => boolean
  readonly close: () => void
}

/** `first` is the first time of a day. Numbers are compared here: node-cron asks ICU, which takes megabytes. */
function openDays(expression: string, fields: Fields, first: Milliseconds): Days {
  const { dayOfMonth, dayOfWeek } = fields
  if ([...dayOfMonth, ...dayOfWeek].every((day) => typeof day === 'number')) {
    const [ofMonth, ofWeek] = [new Set(dayOfMonth), new Set(dayOfWeek)]
    return {
      has: (begin) => {
        const date = new Date(begin)
        return ofMonth.has(date.getUTCDate()) && ofWeek.has(date.getUTCDay())
      },
      close: () => undefined,
    }
  }
  // It knows more of them, such as L, 15W and 5#2.
  const task = createTask(expression, () => undefined, { timezone: 'UTC' })
  return {
    has: (begin) => task.match(new Date(begin + first)),
    close: () => {
      task.destroy()
    },
  }
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((a, b) => a - b)
}

interface TimesOfDay {
  readonly hours: readonly number[]
  readonly minutes: readonly number[]
  readonly seconds: readonly number[]
}

/** The first at `from` or later. Since the day's begin. */
function timeIn(
  { hours, minutes, seconds }: TimesOfDay,
  from: Milliseconds,
): Milliseconds | undefined {
  for (const hour of hours) {
    if ((hour + 1) * 3600 * second <= from) continue
    for (const minute of minutes) {
      const begin = (hour * 60 + minute) * 60 * second
      const found = seconds.find((each) => begin + each * second >= from)
      if (found !== undefined) return begin + found * second
    }
  }
  return undefined
}

/** `hint` in place of the usual one. @throws UraidenError `not_a_schedule` */
export function parseSchedule(text: string, hint?: string): string {
  const { valid, errors } = validateDetailed(text)
  if (valid) return text
  const wrong = errors.map(({ field, value }) => (value ? `${field} "${value}"` : field)).join(', ')
  throw platformError({
    code: 'not_a_schedule',
    message: `"${shorten(text)}" is not a schedule (${wrong}).`,
    ...(hint !== undefined && { hint }),
  })
}
