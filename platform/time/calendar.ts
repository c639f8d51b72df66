// Days and months of a time zone.
import type { Milliseconds } from './clock.ts'

/** The calendar at a moment: as text of equal length, so that it compares. */
export interface CalendarDate {
  /** `2026-11-21` */
  readonly day: string
  /** `2026-11` */
  readonly month: string
}

const minute: Milliseconds = 60_000

/**
 * `timeZone` is an IANA name; UTC needs no time zone data and is the default. Days begin at its
 * midnight, also where daylight saving makes them 23 or 25 hours long.
 * @throws RangeError for a time zone that does not exist
 */
export function calendar(timeZone = 'UTC'): (time: Milliseconds) => CalendarDate {
  const dayOf = timeZone === 'UTC' ? utcDay : zonedDay(timeZone)
  let known: { readonly minute: number; readonly date: CalendarDate } | undefined
  return (time) => {
    const at = Math.floor(time / minute)
    if (known?.minute !== at) {
      const day = dayOf(at * minute)
      known = { minute: at, date: { day, month: day.slice(0, 7) } }
    }
    return known.date
  }
}

function utcDay(time: Milliseconds): string {
  return new Date(time).toISOString().slice(0, 10)
}

function zonedDay(timeZone: string): (time: Milliseconds) => string {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  return (time) => format.format(time)
}
