// The parts of the scheduler that decide: schedules, fields, the ticker, what is skipped, who is slow.
import { mock } from 'node:test'
import test from 'ava'
import { type Decision, decide, type Moment, mostAtOnce } from '../../../agent/jobs/decide.ts'
import { eventsOf, historyAfter, notBefore } from '../../../agent/jobs/history.ts'
import { backoffDelay } from '../../../agent/jobs/sinks/backoff.ts'
import { parseDuration, parseSize } from '../../../agent/jobs/sinks/fields.ts'
import { startTicker } from '../../../agent/jobs/ticker.ts'
import type { RunOutcome } from '../../../agent/jobs/types.ts'
import { cronTimetable, parseSchedule } from '../../../platform/config/schedule.ts'
import { every, manualClock } from '../../support/manual-clock.ts'

const minute = 60_000

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

for (const { text, is } of [
  { text: '30s', is: 30_000 },
  { text: '1.5h', is: 5_400_000 },
  { text: '250 ms', is: 250 },
  { text: '366d', is: 366 * 86_400_000 },
  { text: '0s', is: 0 },
]) {
  test(`the duration ${text}`, (t) => t.is(parseDuration(text), is))
}

for (const text of ['', '30', 's', '-1s', '1 week', '367d', '1e3s', '٣s', '9'.repeat(400)]) {
  test(`no duration: ${text.slice(0, 20)}`, (t) => {
    t.throws(() => parseDuration(text), { code: 'not_a_duration' })
  })
}

for (const { text, is } of [
  { text: '1B', is: 1 },
  { text: '10 MB', is: 10_000_000 },
  { text: '64 KiB', is: 65_536 },
  { text: '1.5kB', is: 1500 },
  { text: '1024 GiB', is: 2 ** 40 },
]) {
  test(`the size ${text}`, (t) => t.is(parseSize(text), is))
}

for (const text of ['', '10', '0 B', '-1 MB', '1025 GiB', '10 mb', 'MB']) {
  test(`no size: ${text}`, (t) => {
    t.throws(() => parseSize(text), { code: 'not_a_size' })
  })
}

for (const text of ['', '* * * *', '61 * * * *', '* * * * * * *', 'every minute', '0 0 31 2 *']) {
  test(`no schedule: ${text}`, (t) => {
    t.throws(() => parseSchedule(text), { code: 'not_a_schedule' })
  })
}

test('a ticker calls at each moment, once', (t) => {
  const clock = manualClock()
  const calls: string[] = []
  const begin = clock.now()
  const ticker = startTicker({
    clock,
    timetable: every(5 * minute, clock),
    onDue: (when) => calls.push(`${when} ${(clock.now() - begin) / minute}`),
  })
  clock.pass(16 * minute)
  t.deepEqual(calls, ['inTime 5', 'inTime 10', 'inTime 15'])
  t.is(ticker.due() - begin, 20 * minute)
  ticker.stop()
  clock.pass(60 * minute)
  t.is(calls.length, 3)
})

test('a clock that jumps from 1970 to now is one late moment, found within a minute', (t) => {
  const clock = manualClock(0)
  const calls: string[] = []
  startTicker({ clock, timetable: every(1000, clock), onDue: (when) => calls.push(when) })
  clock.pass(1500)
  t.deepEqual(calls, ['inTime'])
  clock.set(Date.UTC(2026, 10, 21))
  clock.pass(500)
  t.deepEqual(calls, ['inTime', 'late'])
  clock.pass(2000)
  t.deepEqual(calls, ['inTime', 'late', 'inTime', 'inTime'])
})

test('a clock that is set back a day does not silence a job for a day', (t) => {
  const clock = manualClock()
  let calls = 0
  startTicker({ clock, timetable: every(5 * minute, clock), onDue: () => calls++ })
  clock.pass(6 * minute)
  clock.set(clock.now() - 24 * 60 * minute)
  clock.pass(11 * minute)
  t.is(calls, 3)
})

for (const { back, when } of [
  { back: 60_000, when: 'inTime' },
  { back: 60_001, when: 'late' },
]) {
  test(`a moment ${back} ms back is ${when}`, (t) => {
    const clock = manualClock()
    const calls: string[] = []
    startTicker({ clock, timetable: every(3_600_000, clock), onDue: (each) => calls.push(each) })
    clock.set(clock.now() + 3_600_000 + back - minute)
    clock.pass(minute)
    t.deepEqual(calls, [when])
  })
}

const idle: Moment = {
  paused: false,
  full: false,
  running: 0,
  queued: false,
  overlap: 'skip',
  now: 1000,
  notBefore: 1000,
}

const decisions: readonly [what: string, change: Partial<Moment>, decision: Decision][] = [
  ['idle', {}, { begin: 'now' }],
  ['paused', { paused: true }, { skip: 'paused' }],
  ['slowed', { notBefore: 1001 }, { skip: 'slowed' }],
  ['full', { full: true }, { skip: 'sinkFull' }],
  ['running, skip', { running: 1 }, { skip: 'overlap' }],
  ['running, queue', { running: 1, overlap: 'queue' }, { begin: 'afterThis' }],
  ['one queued already', { running: 1, overlap: 'queue', queued: true }, { skip: 'overlap' }],
  ['running, allow', { running: mostAtOnce - 1, overlap: 'allow' }, { begin: 'now' }],
  ['too many', { running: mostAtOnce, overlap: 'allow' }, { skip: 'overlap' }],
]
for (const [what, change, decision] of decisions) {
  test(`a run is due while the job is ${what}`, (t) => {
    t.deepEqual(decide({ ...idle, ...change }), decision)
  })
}

const slow = { after: 10, first: 60_000, most: 3_600_000 }
const facts = { id: 'x', job: 'a', cause: 'schedule', began: 1, ended: 2 } as const
const failed: RunOutcome = { ...facts, kind: 'failed', error: new Error('no'), payment: 'none' }
const done: RunOutcome = {
  ...facts,
  kind: 'done',
  status: 200,
  bytes: 1,
  payment: undefined,
  unfit: [],
}

test('the tenth failure in a row is said once, and that it works again too', (t) => {
  let history = { failures: 0 }
  const said: string[] = []
  for (const outcome of [...Array(25).fill(failed), done, failed, done]) {
    for (const { kind } of eventsOf(history, outcome, slow)) if (kind !== 'run') said.push(kind)
    history = historyAfter(history, outcome)
  }
  t.deepEqual(said, ['failing', 'recovered'])
})

for (const { failures, wait } of [
  { failures: 9, wait: Number.NEGATIVE_INFINITY },
  { failures: 10, wait: 60_000 },
  { failures: 11, wait: 120_000 },
  { failures: 15, wait: 1_920_000 },
  { failures: 16, wait: 3_600_000 },
  { failures: 1_000_000, wait: 3_600_000 },
]) {
  test(`after ${failures} failures the next run waits ${wait} ms`, (t) => {
    t.is(notBefore({ failures }, slow, 0), wait)
  })
}

for (const { failures, delay } of [
  { failures: 0, delay: 0 },
  { failures: 1, delay: 1000 },
  { failures: 3, delay: 4000 },
  { failures: 5000, delay: 30_000 },
]) {
  test(`back-off after ${failures} failures`, (t) => {
    t.is(backoffDelay({ first: 1000, most: 30_000 }, failures), delay)
  })
}
