// When to look whether a withdrawal is worth while, by a cron expression.
//
// node-cron's expressions are used and its timers are not: the chain is looked at often enough.
import { createTask, validateDetailed } from 'node-cron'
import { shorten, UraidenError } from '../../protocol/index.ts'

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
  const task = createTask(expression, () => undefined)
  const next = () => task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY
  let due = next()
  return {
    takeDue: () => {
      if (now() < due) return false
      due = next()
      return true
    },
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
  throw new UraidenError({
    code: 'not_a_schedule',
    message: `"${shorten(text)}" is not a schedule (${wrong}).`,
    hint: "Write five fields: minute, hour, day, month, weekday, such as '0 4 * * *'.",
  })
}
