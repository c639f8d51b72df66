import { mock } from 'node:test'
import test from 'ava'
import { cronTimetable, parseSchedule } from '../../../platform/config/schedule.ts'

test.serial('schedules: seconds first, time zones, daylight saving', (t) => {
  mock.timers.enable({ apis: ['Date'] })
  t.teardown(() => mock.timers.reset())
  const cases: readonly [
    expression: string,
    zone: string | undefined,
    now: string,
    next: string,
  ][] = [
    ['*/10 * * * * *', 'UTC', '2026-11-21T10:00:05Z', '2026-11-21T10:00:10Z'],
    ['*/5 * * * *', 'UTC', '2026-11-21T10:05:00Z', '2026-11-21T10:10:00Z'],
    ['0 6 * * *', 'Europe/Berlin', '2026-11-21T10:00:00Z', '2026-11-22T05:00:00Z'],
    ['0 6 * * *', 'Europe/Berlin', '2026-07-21T10:00:00Z', '2026-07-22T04:00:00Z'],
    ['0 6 * * *', 'America/New_York', '2026-11-21T10:00:00Z', '2026-11-21T11:00:00Z'],
    // 02:30 comes twice on 25 October in Berlin: a run is due at one of them.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T01:30:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
    // And not at all on 29 March.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-30T00:30:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-11-21T10:00:00Z', '2028-02-29T00:00:00Z'],
  ]
  for (const [expression, zone, now, next] of cases) {
    mock.timers.setTime(Date.parse(now))
    const timetable = cronTimetable(expression, zone)
    t.is(new Date(timetable.next()).toISOString(), new Date(next).toISOString(), expression)
    timetable.close()
  }
})

for (const text of ['', '* * * *', '61 * * * *', '* * * * * * *', 'every minute', '0 0 31 2 *']) {
  test(`no schedule: ${text}`, (t) => {
    t.throws(() => parseSchedule(text), { code: 'not_a_schedule' })
  })
}
