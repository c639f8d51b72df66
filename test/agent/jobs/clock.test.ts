import test from 'ava'
import { startTicker } from '../../../agent/jobs/clock.ts'
import { every, manualClock } from '../../support/manual-clock.ts'

const minute = 60_000

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
