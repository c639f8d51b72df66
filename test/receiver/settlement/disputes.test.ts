// Which dishonest closes are answered, alone, together or not at all, on plain data.
import test from 'ava'
import { parseAddress, parseSignature } from '../../../protocol/index.ts'
import { type AnswerTerms, planAnswers } from '../../../receiver/settlement/disputes.ts'
import type { DishonestClose } from '../../../receiver/settlement/exposure.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const challengePeriod = 800

/** A unit of gas is worth a unit of the token now, and may come to cost four. */
const terms: AnswerTerms = { fee: 4n, now: 1n, etherPrice: 10n ** 18n, hasBatches: true }
/** 60 000 gas at 4. */
const large = 240_001n

function close(openBlock: number, stake: bigint, remaining = challengePeriod): DishonestClose {
  return {
    ...{ stake, remaining },
    channel: {
      ...{ sender, openBlock, deposit: stake, withdrawn: 0n, state: 'closing' },
      claims: { highest: stake, unclaimed: [] },
      ...{ proof: { signature, form: 'eip712' }, agreedToClose: false },
      end: { balance: 0n, block: 1, contractBlock: 1 },
    },
  }
}

const many = (count: number, stake: bigint, remaining?: number) =>
  Array.from({ length: count }, (_, at) => close(at, stake, remaining))

function plan(
  closes: readonly DishonestClose[],
  given: Partial<AnswerTerms> = {},
  alone: readonly number[] = [],
) {
  const planned = planAnswers({
    ...{ closes, challengePeriod, terms: { ...terms, ...given } },
    alone: ({ channel }) => alone.includes(channel.openBlock),
  })
  const blocks = (each: readonly DishonestClose[]) => each.map(({ channel }) => channel.openBlock)
  return {
    single: blocks(planned.single),
    batch: blocks(planned.batch),
    waiting: blocks(planned.waiting),
    letGo: blocks(planned.letGo),
  }
}

const nothing = { single: [], batch: [], waiting: [], letGo: [] }

test('what is worth its own answer is answered at once, what is not waits', (t) => {
  t.deepEqual(plan([close(1, large)]), { ...nothing, single: [1] })
  t.deepEqual(plan([close(1, large - 1n)]), { ...nothing, waiting: [1] })
})

test('up to three are answered singly; more go into one transaction, forty at most', (t) => {
  t.deepEqual(plan(many(3, large)), { ...nothing, single: [0, 1, 2] })
  t.deepEqual(plan(many(4, large)), { ...nothing, batch: [0, 1, 2, 3] })
  t.is(plan(many(40, large)).batch.length, 40)
  // The last one is for the next batch, and no dust.
  t.like(plan(many(41, large)), { single: [], batch: { length: 40 }, waiting: [] })
  t.is(plan(many(4, 304_001n), { hasBatches: false }).single.length, 4)
})

test('dust before a large close in time does not come before it', (t) => {
  const dust = many(1000, 100n, 10)
  const planned = plan([...dust, close(5000, large, 790)])
  t.deepEqual(planned.single, [5000])
  t.deepEqual(planned.batch, [])
  t.is(planned.letGo.length, 1000)
})

test('small ones go together once three eighths of the challenge period are over', (t) => {
  const small = (remaining: number) => many(10, 30_000n, remaining)
  t.deepEqual(plan(small(501)), { ...nothing, waiting: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })
  t.is(plan(small(500)).batch.length, 10)
  // Those that came later go with them.
  const later = close(99, 30_000n)
  t.true(plan([...small(500), later]).batch.includes(99))
})

test('small ones share a transaction to the last unit of gas', (t) => {
  // Ten of them take 220 000 gas.
  t.is(plan(many(10, 22_001n, 500)).batch.length, 10)
  t.deepEqual(plan(many(10, 22_000n, 500)).batch, [])
  t.is(plan(many(10, 22_000n, 500)).letGo.length, 10)
  // A transaction that goes anyway costs them their own part only.
  const paid = many(4, large).map((each, at) => ({ ...close(100 + at, each.stake) }))
  t.deepEqual(plan([...paid, close(1, 18_001n, 500)]).batch, [100, 101, 102, 103, 1])
  t.deepEqual(plan([...paid, close(1, 18_000n, 500)]).letGo, [1])
})

test('the poor do not make the rich lose: the largest go, the others are let go', (t) => {
  const mixed = [close(1, 50_000n, 500), close(2, 30_000n, 500), close(3, 10_000n, 500)]
  t.deepEqual(plan(mixed), { ...nothing, batch: [1, 2], letGo: [3] })
})

test('gas that becomes dear lets go of what was worth it before, and one that is not due still waits', (t) => {
  const small = [...many(5, 30_000n, 500), close(99, 30_000n, 700)]
  t.is(plan(small).batch.length, 6)
  const dear = plan(small, { now: 2n })
  t.deepEqual([dear.letGo.length, dear.waiting], [5, [99]])
})

test('without a price of ether the least is what an answer of its own is worth', (t) => {
  const without = { etherPrice: undefined, least: 60_000n }
  t.deepEqual(plan([close(1, 60_001n)], without).single, [1])
  t.deepEqual(plan([close(1, 60_000n)], without).waiting, [1])
  t.is(plan(many(10, 22_001n, 500), without).batch.length, 10)
  t.is(plan(many(10, 22_000n, 500), without).letGo.length, 10)
  // Nobody said what is too little: nothing is.
  t.deepEqual(plan([close(1, 1n)], { etherPrice: undefined }).single, [1])
})

test('what a batch has passed over goes alone, or not at all', (t) => {
  t.deepEqual(plan(many(5, large), {}, [2]), { ...nothing, single: [2], batch: [0, 1, 3, 4] })
  const small = plan(many(10, 30_000n, 500), {}, [2])
  t.deepEqual([small.letGo, small.batch.length], [[2], 9])
})

test('a contract without batches answers what is worth a transaction of its own', (t) => {
  const old = { hasBatches: false }
  t.deepEqual(plan([close(1, 76_001n, 500)], old).single, [1])
  t.deepEqual(plan([close(1, 76_000n, 500)], old).letGo, [1])
})
