import test from 'ava'
import { Collections, ownHeap } from '../../../../agent/program/daemon/collections.ts'
import { manualClock } from '../../../support/manual-clock.ts'

/** Collections of a heap that a test fills. */
function setUp() {
  const clock = manualClock()
  const state = { used: 30 << 20, collected: 0, quickly: 0, busy: false }
  const collections = new Collections({
    clock,
    isBusy: () => state.busy,
    heap: {
      used: () => state.used,
      collect: () => {
        state.collected++
        state.used = 10 << 20
      },
      collectQuickly: () => {
        state.quickly++
        state.used = 11 << 20
      },
    },
  })
  return { clock, state, collections }
}

test('what starting leaves is collected, in several collections', (t) => {
  const { clock, state, collections } = setUp()
  collections.touched()
  t.is(state.collected, 0)
  clock.pass(60_000)
  t.is(state.collected, 4)
})

test('what a busy time leaves is collected when it is over, and a little is not worth it', (t) => {
  const { clock, state, collections } = setUp()
  collections.touched()
  clock.pass(60_000)
  state.used += 1 << 20
  collections.touched()
  clock.pass(60_000)
  t.is(state.collected, 4)

  state.used += 5 << 20
  for (let purchase = 0; purchase < 100; purchase++) {
    collections.touched()
    clock.pass(1000)
  }
  t.is(state.collected, 4)
  clock.pass(60_000)
  t.is(state.collected, 8)
})

test('a busy time has no more garbage than is worth a collection, and leaves none', (t) => {
  const { clock, state, collections } = setUp()
  collections.touched()
  clock.pass(60_000)
  t.is(state.collected, 4)
  state.busy = true
  let most = 0
  for (let purchase = 0; purchase < 1000; purchase++) {
    state.used += 50 << 10
    most = Math.max(most, state.used)
    collections.worked()
    clock.pass(100)
  }
  t.true(most < 14 << 20, `${most}`)
  t.true(state.quickly < 40, `${state.quickly}`)
  t.is(state.collected, 4)
  // Little since the last quick one.
  state.busy = false
  collections.worked()
  clock.pass(60_000)
  t.is(state.collected, 8)

  collections.stop()
  state.used += 5 << 20
  const { quickly } = state
  collections.worked()
  t.is(state.quickly, quickly)
})

test('nothing is collected while something is under way, nor after the end', (t) => {
  const { clock, state, collections } = setUp()
  collections.touched()
  state.busy = true
  clock.pass(60_000)
  t.is(state.collected, 0)

  state.busy = false
  collections.touched()
  clock.pass(2000)
  t.is(state.collected, 1)
  // The next one begins between two collections.
  state.busy = true
  clock.pass(60_000)
  t.is(state.collected, 1)

  state.busy = false
  collections.touched()
  collections.stop()
  // What is ended by the end.
  collections.touched()
  clock.pass(60_000)
  t.is(state.collected, 1)
})

test('V8 collects when it is asked, without a flag of the command line', (t) => {
  const heap = ownHeap()
  let garbage: unknown = Array.from({ length: 1_000_000 }, (_, number) => ({ number }))
  t.truthy(garbage)
  const before = heap.used()
  garbage = undefined
  heap.collectQuickly()
  t.true(heap.used() < before - (20 << 20))
  heap.collect()
  t.is((globalThis as { readonly gc?: unknown }).gc, undefined)
})
