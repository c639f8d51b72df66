// When a job is due, by a cron expression.
//
// node-cron knows expressions, time zones and daylight saving. Its timers are not used: a clock that
// jumps, as that of a Pi without a battery does, makes them walk through every moment in between.
import { createTask } from 'node-cron'
import type { Milliseconds } from '../budget/clock.ts'

export interface Timetable {
  /** The next moment it is due, after now. Unix time. */
  readonly next: () => Milliseconds
  readonly close: () => void
}

export function cronTimetable(expression: string, timeZone: string | undefined): Timetable {
  const options = timeZone === undefined ? {} : { timezone: timeZone }
  const task = createTask(expression, () => undefined, options)
  return {
    next: () => task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY,
    close: () => {
      task.destroy()
    },
  }
}
