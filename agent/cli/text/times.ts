// Times as a person reads them at a glance.
import { calendar } from '../../../platform/time/calendar.ts'
import { day, type Milliseconds } from '../../../platform/time/clock.ts'
import type { BudgetWindow } from '../../budget/caps.ts'

/** From `time` to now, in one unit. */
export function ago(time: Milliseconds, now: Milliseconds): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

export function until(time: Milliseconds, now: Milliseconds): string {
  return `in ${ago(2 * now - time, now)}`
}

/** When what is spent in a window is free again. `timeZone` is the one in which days begin; default UTC. */
export function freeAgain(
  window: BudgetWindow,
  now: Milliseconds,
  timeZone: string | undefined,
): string {
  // Five minutes at a time, as they turn an hour old.
  if (window === 'hour') return 'in 1 h'
  if (window === 'total') return 'when raised'
  const date = calendar(timeZone)
  const current = date(now)[window]
  const at = firstTime((time) => date(time)[window] !== current, now)
  const text = new Date(at).toISOString()
  return at - now <= day ? `${text.slice(11, 16)} UTC` : text.slice(0, 10)
}

/** To the minute, where `isOver` stays true once it is, within 32 days. */
function firstTime(isOver: (time: Milliseconds) => boolean, now: Milliseconds): Milliseconds {
  const minute = 60_000
  let [before, at] = [Math.floor(now / minute), Math.floor(now / minute) + (32 * day) / minute]
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2)
    if (isOver(middle * minute)) at = middle
    else before = middle
  }
  return at * minute
}
