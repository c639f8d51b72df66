import test from 'ava'
import { flushInterval } from '../../../../agent/program/configuration/card.ts'
import { Flushing } from '../../../../agent/program/daemon/flushing.ts'
import { manualClock } from '../../../support/manual-clock.ts'

const gentle = { spool: { ledger: '/run/ledger', jobs: '/run/jobs' } }

function setUp() {
  const clock = manualClock()
  const state = { flushes: 0, failed: 0, fails: false }
  const flushing = new Flushing({
    clock,
    flush: async () => {
      state.flushes++
      if (state.fails) throw new Error('the card is full')
    },
    onFailed: () => {
      state.failed++
    },
  })
  const pass = async (time: number) => {
    clock.pass(time)
    // The next one is armed when the last one is over.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, flushing, state, pass }
}

test('a gentle card is flushed every two hours, a careful one never', async (t) => {
  const { flushing, state, pass } = setUp()
  await flushing.start({ spool: undefined })
  await pass(3 * flushInterval)
  t.is(state.flushes, 0)
  await flushing.start(gentle)
  for (let times = 0; times < 3; times++) await pass(flushInterval)
  t.is(state.flushes, 3)
  await flushing.stop()
  await pass(3 * flushInterval)
  t.is(state.flushes, 3)
})

test('the next flush comes two hours after the last one, whoever asked, and a reload defers none', async (t) => {
  const { flushing, state, pass } = setUp()
  await flushing.start(gentle)
  await pass(flushInterval - 1)
  await flushing.now()
  await pass(flushInterval - 1)
  t.is(state.flushes, 1)
  await flushing.start(gentle)
  await pass(1)
  t.is(state.flushes, 2)
})

test('one that fails is said, to whoever asked, and tried again', async (t) => {
  const { flushing, state, pass } = setUp()
  await flushing.start(gentle)
  state.fails = true
  await t.throwsAsync(flushing.now(), { message: 'the card is full' })
  t.is(state.failed, 0)
  await pass(flushInterval)
  t.is(state.failed, 1)
  state.fails = false
  await pass(flushInterval)
  t.is(state.flushes, 3)
  t.is(state.failed, 1)
})

test('when the card was written last is known, and a flush that fails is none', async (t) => {
  const { clock, flushing, state } = setUp()
  t.is(flushing.last, undefined)
  await flushing.now()
  const first = clock.now()
  t.is(flushing.last, first)
  clock.pass(60_000)
  state.fails = true
  await t.throwsAsync(flushing.now())
  t.is(flushing.last, first)
})
