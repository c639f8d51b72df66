// When to look whether a withdrawal is worth while, by a cron expression. Without timers: the chain is
// looked at often enough.
import { cronTimetable } from '../../platform/config/schedule.ts'

export interface Timetable {
  /** True once for each moment of the schedule that has come. */
  readonly takeDue: () => boolean
  readonly close: () => void
}

/** Without an expression it is always due. `now` is Unix time in milliseconds. */
export function createTimetable(
  expression: string | undefined,
  now: () => number = Date.now,
): Timetable {
  if (expression === undefined) return { takeDue: () => true, close: () => undefined }
  const { next, close } = cronTimetable(expression)
  let due = next()
  return {
    takeDue: () => {
      if (now() < due) return false
      due = next()
      return true
    },
    close,
  }
}
