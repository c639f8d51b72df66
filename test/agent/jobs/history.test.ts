import test from 'ava'
import { eventsOf, historyAfter, notBefore } from '../../../agent/jobs/history.ts'
import type { RunOutcome } from '../../../agent/jobs/types.ts'

const slow = { after: 10, first: 60_000, most: 3_600_000 }
const facts = { id: 'x', job: 'a', cause: 'schedule', began: 1, ended: 2 } as const
const failed: RunOutcome = { ...facts, kind: 'failed', error: new Error('no'), payment: 'none' }
const done: RunOutcome = {
  ...facts,
  kind: 'done',
  status: 200,
  bytes: 1,
  payment: undefined,
  authentic: false,
  unfit: [],
  value: { text: '21.4', number: 21.4 },
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
    t.is(notBefore({ failures }, slow, { now: () => 0, passed: () => 0 }), wait)
  })
}

test('a receiver puts a job off, for an hour at most, until it went well', (t) => {
  const clock = { now: () => 1_000_000, passed: () => 5 }
  const putOff = (wait: number) =>
    historyAfter({ failures: 0 }, { ...failed, notBefore: clock.now() + wait })
  t.is(notBefore(putOff(120_000), slow, clock), 120_005)
  t.is(notBefore(putOff(3_600_000), slow, clock), 3_600_005)
  t.is(notBefore(putOff(3_600_001), slow, clock), 3_600_005)
  t.is(notBefore(historyAfter(putOff(120_000), done), slow, clock), Number.NEGATIVE_INFINITY)
  t.is(notBefore(historyAfter(putOff(120_000), failed), slow, clock), Number.NEGATIVE_INFINITY)
})
