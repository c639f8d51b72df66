// Durations, sizes and schedules as a person writes them.
import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import { parseSchedule } from '../../../platform/config/schedule.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { shorten, UraidenError } from '../../../protocol/index.ts'

const units: { readonly [unit: string]: Milliseconds } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Timers of Node end at 2^31 ms; a year is more than anybody waits for here. */
const longest: Milliseconds = 366 * 86_400_000

/** `30s`, `1.5h`; in milliseconds. @throws UraidenError `not_a_duration` */
export function parseDuration(text: string): Milliseconds {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|m|h|d)$/.exec(text) ?? []
  const duration = Math.round(Number(number) * (units[unit] ?? Number.NaN))
  if (duration <= longest && unit !== '') return duration
  throw new UraidenError({
    code: 'not_a_duration',
    message: `"${shorten(text)}" is not a duration.`,
    hint: 'Write a number with ms, s, m, h or d, such as 30s; at most 366d.',
  })
}

/** `10 MB`, `64 KiB`; in bytes. @throws UraidenError `not_a_size` */
export function parseSize(text: string): number {
  const [, number = '', power = '', binary = ''] =
    /^(\d{1,12}(?:\.\d{1,6})?) ?([kKMG]?)(i?)B$/.exec(text) ?? []
  const exponent = ' KMG'.indexOf(power === '' ? ' ' : power.toUpperCase())
  const size = Math.round(Number(number) * (binary === '' ? 1000 : 1024) ** exponent)
  if (number !== '' && size >= 1 && size <= 2 ** 40) return size
  throw new UraidenError({
    code: 'not_a_size',
    message: `"${shorten(text)}" is not a size.`,
    hint: 'Write a number with B, kB, MB, GB, KiB, MiB or GiB, such as 10 MB.',
  })
}

export const duration = parsed(parseDuration)
export const size = parsed(parseSize)
export const schedule = parsed(parseSchedule)

export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export const count = z.int({ error: 'this should be a whole number.' })
