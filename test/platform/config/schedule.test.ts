import { execFile } from 'node:child_process'
import { mock } from 'node:test'
import { promisify } from 'node:util'
import test from 'ava'
import { createTask } from 'node-cron'
import {
  cronTimetable,
  mostTimesWithin,
  parseSchedule,
  timesPerDay,
} from '../../../platform/config/schedule.ts'

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
    ['0 0 29 2 *', 'UTC', '2026-11-21T10:00:00Z', '2028-02-29T00:00:00Z'],
  ]
  for (const [expression, zone, now, next] of cases) {
    mock.timers.setTime(Date.parse(now))
    const timetable = cronTimetable(expression, zone)
    t.is(new Date(timetable.next()).toISOString(), new Date(next).toISOString(), expression)
    timetable.close()
  }
})

for (const [expression, times] of [
  ['* * * * *', 1440],
  ['*/10 * * * * *', 8640],
  ['0 6,18 * * *', 2],
  ['0 6 1 1 *', 1 / 365],
  // 1970 had 52 Mondays.
  ['30 6 * * 1', 52 / 365],
  ['0 6 L * *', 12 / 365],
] as const) {
  test(`times a day: ${expression}`, (t) => {
    t.is(timesPerDay(expression), times)
  })
}

for (const [expression, times] of [
  ['* * * * *', 120],
  ['*/10 * * * * *', 720],
  ['*/5 8 * * *', 12],
  ['0 6,18 * * *', 2],
  ['0 6 1 1 *', 1],
] as const) {
  test(`most times in two hours: ${expression}`, (t) => {
    t.is(mostTimesWithin(expression, 7_200_000), times)
  })
}

interface ClockChangeCase {
  readonly zone: string
  readonly every: string
  /** A day with the change in it. */
  readonly from: string
  readonly to: string
  readonly runs: number
  /** In minutes. */
  readonly longest: number
}

/** All moments in a span, as a daemon comes to them. */
function momentsIn({ zone, every, from, to }: ClockChangeCase): readonly number[] {
  const found: number[] = []
  const timetable = cronTimetable(every, zone)
  mock.timers.setTime(Date.parse(from) - 1)
  for (let next = timetable.next(); next < Date.parse(to); next = timetable.next()) {
    found.push(next)
    mock.timers.setTime(next)
  }
  timetable.close()
  return found
}

const berlinAutumn = { zone: 'Europe/Berlin', from: '2026-10-24T22:00Z', to: '2026-10-25T23:00Z' }
const berlinSpring = { zone: 'Europe/Berlin', from: '2026-03-28T23:00Z', to: '2026-03-29T22:00Z' }
const yorkAutumn = { zone: 'America/New_York', from: '2026-11-01T04:00Z', to: '2026-11-02T05:00Z' }
const yorkSpring = { zone: 'America/New_York', from: '2026-03-08T05:00Z', to: '2026-03-09T04:00Z' }
// By half an hour: at 2:00, to 1:30 and to 2:30.
const howeAutumn = {
  zone: 'Australia/Lord_Howe',
  from: '2026-04-04T13:00Z',
  to: '2026-04-05T13:30Z',
}
const howeSpring = {
  zone: 'Australia/Lord_Howe',
  from: '2026-10-03T13:30Z',
  to: '2026-10-04T13:00Z',
}
const utc = { zone: 'UTC', from: '2026-10-25T00:00Z', to: '2026-10-26T00:00Z' }

const intervals: readonly ClockChangeCase[] = [
  { ...berlinAutumn, every: '*/10 * * * * *', runs: 25 * 360, longest: 1 / 6 },
  { ...berlinAutumn, every: '*/15 * * * *', runs: 100, longest: 15 },
  { ...berlinAutumn, every: '0 * * * *', runs: 25, longest: 60 },
  { ...berlinAutumn, every: '@hourly', runs: 25, longest: 60 },
  { ...berlinAutumn, every: '0 */2 * * *', runs: 13, longest: 120 },
  { ...berlinSpring, every: '*/10 * * * * *', runs: 23 * 360, longest: 1 / 6 },
  { ...berlinSpring, every: '*/15 * * * *', runs: 92, longest: 15 },
  { ...berlinSpring, every: '0 * * * *', runs: 23, longest: 60 },
  { ...berlinSpring, every: '0 */2 * * *', runs: 12, longest: 120 },
  { ...yorkAutumn, every: '*/15 * * * *', runs: 100, longest: 15 },
  { ...yorkSpring, every: '*/15 * * * *', runs: 92, longest: 15 },
  { ...yorkSpring, every: '0 * * * *', runs: 23, longest: 60 },
  { ...howeAutumn, every: '*/15 * * * *', runs: 98, longest: 15 },
  // Between 1:00 and 2:00 it is 1:30 twice.
  { ...howeAutumn, every: '0 * * * *', runs: 24, longest: 90 },
  { ...howeSpring, every: '*/15 * * * *', runs: 94, longest: 15 },
  { ...howeSpring, every: '0 * * * *', runs: 24, longest: 60 },
  { ...utc, every: '*/15 * * * *', runs: 96, longest: 15 },
]

for (const each of intervals) {
  test.serial(
    `an interval goes on when clocks are set: ${each.every} in ${each.zone} from ${each.from}`,
    (t) => {
      mock.timers.enable({ apis: ['Date'] })
      t.teardown(() => mock.timers.reset())
      const moments = momentsIn(each)
      t.is(moments.length, each.runs)
      const ends = [...moments, Date.parse(each.to)]
      const distances = moments.map((moment, index) => (ends[index + 1] ?? 0) - moment)
      t.is(Math.max(...distances) / 60_000, each.longest)
      t.true(Math.min(...distances) > 0)
    },
  )
}

const timesOfDay: readonly (Omit<ClockChangeCase, 'runs' | 'longest'> & { readonly at: string })[] =
  [
    // The first of two.
    { ...berlinAutumn, every: '30 2 * * *', at: '2026-10-25T00:30Z' },
    { ...berlinAutumn, every: '59 59 2 * * *', at: '2026-10-25T00:59:59Z' },
    { ...berlinAutumn, every: '0 3 * * *', at: '2026-10-25T02:00Z' },
    { ...berlinAutumn, every: '0 2 25 10 *', at: '2026-10-25T00:00Z' },
    { ...yorkAutumn, every: '30 1 * * *', at: '2026-11-01T05:30Z' },
    { ...howeAutumn, every: '45 1 * * *', at: '2026-04-04T14:45Z' },
    { ...howeAutumn, every: '15 1 * * *', at: '2026-04-04T14:15Z' },
    { ...howeAutumn, every: '0 2 * * *', at: '2026-04-04T15:30Z' },
    // Left out: when it would have been.
    { ...berlinSpring, every: '30 2 * * *', at: '2026-03-29T01:30Z' },
    { ...berlinSpring, every: '0 2 * * *', at: '2026-03-29T01:00Z' },
    { ...berlinSpring, every: '0 3 * * *', at: '2026-03-29T01:00Z' },
    { ...berlinSpring, every: '30 2 29 3 *', at: '2026-03-29T01:30Z' },
    { ...berlinSpring, every: '30 2 * * 7', at: '2026-03-29T01:30Z' },
    { ...yorkSpring, every: '30 2 * * *', at: '2026-03-08T07:30Z' },
    { ...howeSpring, every: '15 2 * * *', at: '2026-10-03T15:45Z' },
    { ...howeSpring, every: '35 2 * * *', at: '2026-10-03T15:35Z' },
    { ...utc, every: '30 2 * * *', at: '2026-10-25T02:30Z' },
  ]

for (const each of timesOfDay) {
  test.serial(
    `a time of day comes once when clocks are set: ${each.every} in ${each.zone} from ${each.from}`,
    (t) => {
      mock.timers.enable({ apis: ['Date'] })
      t.teardown(() => mock.timers.reset())
      const at = new Date(each.at).toISOString()
      const moments = momentsIn({ ...each, runs: 1, longest: 0 })
      t.deepEqual(
        moments.map((moment) => new Date(moment).toISOString()),
        [at],
      )
      for (const hours of [20, 12, 3, 0.5, 0.01]) {
        const timetable = cronTimetable(each.every, each.zone)
        mock.timers.setTime(Date.parse(at) - hours * 3_600_000)
        t.is(new Date(timetable.next()).toISOString(), at, `${hours} hours before`)
        timetable.close()
      }
    },
  )
}

test.serial('a time of day when clocks are set is known from far away', (t) => {
  mock.timers.enable({ apis: ['Date'] })
  t.teardown(() => mock.timers.reset())
  for (const [every, next] of [
    ['30 2 29 3 *', '2026-03-29T01:30:00.000Z'],
    ['30 2 25 10 *', '2026-10-25T00:30:00.000Z'],
    ['30 3 25 10 *', '2026-10-25T02:30:00.000Z'],
  ] as const) {
    for (const days of [200, 30, 1.01, 0.99]) {
      const timetable = cronTimetable(every, 'Europe/Berlin')
      mock.timers.setTime(Date.parse(next) - days * 86_400_000)
      t.is(new Date(timetable.next()).toISOString(), next, `${every} ${days} days before`)
      timetable.close()
    }
  }
})

test.serial('two times of a left out hour are two moments, whatever the shift', (t) => {
  mock.timers.enable({ apis: ['Date'] })
  t.teardown(() => mock.timers.reset())
  const minutes = (each: Omit<ClockChangeCase, 'runs' | 'longest'>) =>
    momentsIn({ ...each, runs: 0, longest: 0 }).map((at) =>
      new Date(at).toISOString().slice(11, 16),
    )
  t.deepEqual(minutes({ ...berlinSpring, every: '10,40 2 * * *' }), ['01:10', '01:40'])
  t.deepEqual(minutes({ ...howeSpring, every: '10,35 2 * * *' }), ['15:35', '15:40'])
})

for (const every of [
  '15 6 * * *',
  '15 6 1,15,31 * *',
  '15 6 * 2,4-6 1-5',
  '15 6 * * 7',
  '15 6 * * sun',
  '15 6 13 * FRI',
  '15 6 */7 jan,JUL *',
  '15 6 L * *',
  '15 6 15W * *',
  '15 6 * * 5#2',
  '15 6 * * 1L',
]) {
  test.serial(`the days are node-cron's: ${every}`, (t) => {
    mock.timers.enable({ apis: ['Date'] })
    t.teardown(() => mock.timers.reset())
    const [from, to] = ['2026-01-01T00:00Z', '2029-01-01T00:00Z']
    const task = createTask(every, () => undefined, { timezone: 'UTC' })
    t.teardown(() => task.destroy())
    const wanted: number[] = []
    for (let at = Date.parse('2026-01-01T06:15Z'); at < Date.parse(to); at += 86_400_000) {
      if (task.match(new Date(at))) wanted.push(at)
    }
    t.true(wanted.length > 2)
    t.deepEqual(momentsIn({ zone: 'UTC', every, from, to, runs: 0, longest: 0 }), wanted)
  })
}

/** What a process of the machine's zone `zone` prints that runs `code`, where ICU's dates are not to be had. */
async function withoutIcu(zone: string, code: string): Promise<string> {
  const program = `
    import { cronTimetable } from './platform/config/schedule.ts'
    import { timeZone } from './platform/time/zone.ts'
    const named = timeZone('${zone}')
    Intl.DateTimeFormat = class { constructor() { throw new Error('ICU was asked') } }
    ${code}`
  const args = ['--input-type=module', '--eval', program]
  const env = { ...process.env, TZ: zone }
  return (await promisify(execFile)(process.execPath, args, { env })).stdout
}

for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']) {
  test(`the machine’s own zone is told without ICU’s dates: ${zone}`, async (t) => {
    const code = `
      const own = timeZone()
      const begin = Date.parse('2025-12-31T00:00Z')
      let wrong = 0
      for (let hour = 0; hour < 400 * 24; hour++) {
        const at = begin + hour * 3_600_000
        if (own.offset(at) !== named.offset(at)) wrong++
      }
      console.log(wrong, own.offset(begin) !== 0)`
    t.is(await withoutIcu(zone, code), '0 true\n')
  })
}

test('a schedule without a zone of its own, or in UTC, does not ask ICU', async (t) => {
  const code = `
    for (const every of ['*/5 * * * * *', '0 6 * * 1-5', '30 2 29 3 *']) {
      for (const zone of [undefined, 'UTC']) {
        const timetable = cronTimetable(every, zone)
        if (!(timetable.next() > Date.now())) throw new Error(every)
        timetable.close()
      }
    }
    console.log('not asked')`
  t.is(await withoutIcu('Europe/Berlin', code), 'not asked\n')
})

for (const text of ['', '* * * *', '61 * * * *', '* * * * * * *', 'every minute', '0 0 31 2 *']) {
  test(`no schedule: ${text}`, (t) => {
    t.throws(() => parseSchedule(text), { code: 'not_a_schedule' })
  })
}
