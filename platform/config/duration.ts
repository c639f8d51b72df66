// Lengths of time as a person writes them. Without zod: a process that stays reads them, too.
import { shorten } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

/** In milliseconds. */
const timeUnits: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** In milliseconds. Timers of Node end at 2^31 ms; a year is more than anybody waits for here. */
const longestDuration = 366 * 86_400_000

/** `30s`, `1.5h`; in milliseconds. @throws UraidenError `not_a_duration` */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|m|h|d)$/.exec(text) ?? []
  const duration = Math.round(Number(number) * (timeUnits[unit] ?? Number.NaN))
  if (duration <= longestDuration && unit !== '') return duration
  throw platformError({
    code: 'not_a_duration',
    message: `"${shorten(text)}" is not a duration.`,
  })
}
