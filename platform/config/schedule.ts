// Cron expressions in configuration files, and the moments they mean.
//
// node-cron knows expressions, time zones and daylight saving. Its timers are not used: a clock that
// jumps, as that of a Pi without a battery does, makes them walk through every moment in between.

import { createTask, validateDetailed } from 'node-cron'
import { shorten } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { parsed } from './fields.ts'

export interface Timetable {
  /** The next moment it is due, after now. Unix time in milliseconds. */
  readonly next: () => number
  readonly close: () => void
}

/** `timeZone` is an IANA name, the machine's own when not given. */
export function cronTimetable(expression: string, timeZone?: string): Timetable {
  const options = timeZone === undefined ? {} : { timezone: timeZone }
  const task = createTask(expression, () => undefined, options)
  return {
    next: () => task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY,
    close: () => {
      task.destroy()
    },
  }
}

/** @throws UraidenError `not_a_schedule` */
export function parseSchedule(text: string): string {
  const { valid, errors } = validateDetailed(text)
  if (valid) return text
  const wrong = errors.map(({ field, value }) => (value ? `${field} "${value}"` : field)).join(', ')
  throw platformError({
    code: 'not_a_schedule',
    message: `"${shorten(text)}" is not a schedule (${wrong}).`,
  })
}

export const schedule = parsed(parseSchedule)
