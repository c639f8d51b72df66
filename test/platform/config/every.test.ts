import { mock } from 'node:test'
import test from 'ava'
import {
  mostTimesWithin,
  parseEvery,
  timesPerDay,
  timetableOf,
} from '../../../platform/config/every.ts'

for (const [every, now, next] of [
  ['1m', '2026-11-21T10:00:05Z', '2026-11-21T10:01:00Z'],
  ['1m', '2026-11-21T10:01:00Z', '2026-11-21T10:02:00Z'],
  ['90s', '2026-11-21T10:01:00Z', '2026-11-21T10:01:30Z'],
  ['1.5h', '2026-11-21T10:00:00Z', '2026-11-21T10:30:00Z'],
  ['1 d', '2026-11-21T10:00:00Z', '2026-11-22T00:00:00Z'],
  // Fields are read as before.
  ['*/5 * * * *', '2026-11-21T10:00:05Z', '2026-11-21T10:05:00Z'],
] as const) {
  test.serial(`every ${every}, after ${now}`, (t) => {
    mock.timers.enable({ apis: ['Date'], now: Date.parse(now) })
    t.teardown(() => mock.timers.reset())
    const timetable = timetableOf(parseEvery(every), 'UTC')
    t.is(timetable.next(), Date.parse(next))
    t.true(timetable.next(Date.parse('2027-01-01T00:00Z')) > Date.parse('2027-01-01T00:00Z'))
    timetable.close()
  })
}

test('an interval is known by how often it comes', (t) => {
  t.deepEqual([timesPerDay('1m'), timesPerDay('90s'), timesPerDay('2d')], [1440, 960, 0.5])
  t.deepEqual(
    ['1m', '7m', '1d', '*/10 * * * * *'].map((every) => mostTimesWithin(every, 7_200_000)),
    [120, 18, 1, 720],
  )
})

for (const every of ['', '5', '0s', '999ms', '-1m', '1w', '1m ago', '400d', '61 * * * *', 'm']) {
  test(`"${every}" is neither an interval nor a cron expression`, (t) => {
    const error = t.throws(() => parseEvery(every))
    t.regex(`${(error as { readonly code?: string }).code}`, /^not_a_(schedule|duration)$/)
  })
}
