// How much may be owed at which depth (design/trust.md section 4), on plain data.
import test from 'ava'
import fc from 'fast-check'
import { maxTokenAmount, parseAddress, parseSignature } from '../../../protocol/index.ts'
import {
  type CeilingCase,
  type ConfirmationStep,
  checkedSteps,
  mostBalance,
  mostBlocksApart,
  owedEarly,
} from '../../../receiver/channels/ceiling.ts'
import type { EarlierDeposit } from '../../../receiver/channels/deposits.ts'
import type { Channel } from '../../../receiver/channels/records.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const form = 'eip712'

/** 1 after one block, 20 after twelve, all after sixty-four. */
const steps: readonly ConfirmationStep[] = [
  { blocks: 1, mostOwed: 1n },
  { blocks: 12, mostOwed: 20n },
  { blocks: 64 },
]

/** A deposit of 100 in block 1000, read up to `position`. */
function opened(position: number, changes: Partial<Channel> = {}): CeilingCase {
  const channel: Channel = {
    ...{ sender, openBlock: 1000, deposit: 100n, withdrawn: 0n, state: 'open' },
    ...{ claims: { highest: 0n, unclaimed: [] }, agreedToClose: false },
    ...changes,
  }
  const earlier: readonly EarlierDeposit[] = [{ block: 1000, deposit: 0n }]
  return { channel, earlier, position, limits: { steps } }
}

const most = (given: CeilingCase, room = maxTokenAmount) => mostBalance(given, room)

test('a deposit of 100 pays 1 after one block, 20 after twelve, and all of it when it is final', (t) => {
  // The position is the block that is one deep.
  t.is(most(opened(1000)), 1n)
  t.is(most(opened(1010)), 1n)
  t.is(most(opened(1011)), 20n)
  t.is(most(opened(1062)), 20n)
  t.true(most(opened(1063)) >= 100n)
})

test('what was taken out is not owed', (t) => {
  t.is(most(opened(1000, { withdrawn: 7n })), 8n)
})

/** 100 that are final, and 50 more in block 2000; 90 and 95 are proven. */
function toppedUp(position: number, highest: bigint) {
  const fallbacks = [{ balance: 90n, signature, form: 'eip712' as const }]
  const given = opened(position, {
    ...{ deposit: 150n, claims: { highest, unclaimed: [] } },
    ...{ proof: { signature, form }, ...(highest > 100n && { fallbacks }) },
  })
  const earlier = [...given.earlier, { block: 2000, deposit: 100n }]
  return { ...given, earlier }
}

test('a top-up is owed on like an opening: what the old deposit covers is paid as before', (t) => {
  // 100 are final; above them one more than what is proven under them, or nothing.
  t.is(most(toppedUp(2000, 90n)), 100n)
  t.is(most(toppedUp(2011, 90n)), 110n)
  t.true(most(toppedUp(2063, 90n)) >= 150n)
})

test('what is owed early is what a reorganisation takes: down to the best proof below', (t) => {
  t.is(owedEarly(toppedUp(2000, 90n)), 0n)
  t.is(owedEarly(toppedUp(2000, 110n)), 20n)
  t.is(owedEarly(toppedUp(2063, 110n)), 0n)
  t.is(owedEarly(opened(1000, { state: 'settled' })), 0n)
})

test('what others owe leaves less room, and none at all', (t) => {
  t.is(most(opened(1011), 5n), 5n)
  t.is(most(opened(1011), 0n), 0n)
  t.true(most(opened(1063), 0n) >= 100n)
  t.is(most(toppedUp(2011, 90n), 0n), 100n)
})

test('with finalised as the last step a deposit counts in full once its block is final, known and read', (t) => {
  const finalSteps: readonly ConfirmationStep[] = [
    { blocks: 2, mostOwed: 3n },
    { blocks: 'finalised' },
  ]
  const at = (position: number, finalised: number | undefined) =>
    most({ ...opened(position), finalised, limits: { steps: finalSteps } })
  t.is(at(1000, undefined), 3n)
  t.is(at(1200, undefined), 3n)
  t.is(at(1200, 999), 3n)
  t.true(at(1200, 1000) >= 100n)
  // What is final and was not read says nothing of the deposit.
  t.is(at(999, 1000), 3n)
})

for (const [problem, given] of [
  ['none', []],
  ['no block', [{ blocks: 0 }]],
  ['the same twice', [{ blocks: 1, mostOwed: 1n }, { blocks: 1 }]],
  ['falling', [{ blocks: 12, mostOwed: 1n }, { blocks: 1 }]],
  ['an end with a limit', [{ blocks: 1, mostOwed: 1n }]],
  ['finalised alone', [{ blocks: 'finalised' }]],
  ['finalised before the end', [{ blocks: 'finalised', mostOwed: 1n }, { blocks: 2 }]],
  ['finalised twice', [{ blocks: 1 }, { blocks: 'finalised' }, { blocks: 'finalised' }]],
  ['finalised with a limit', [{ blocks: 1 }, { blocks: 'finalised', mostOwed: 1n }]],
  ['too far apart', [{ blocks: 1, mostOwed: 1n }, { blocks: mostBlocksApart + 2 }]],
] as const) {
  test(`steps that make no sense are refused: ${problem}`, (t) => {
    t.throws(() => checkedSteps(given), { code: 'confirmations_invalid' })
  })
}

test('steps that make sense, as far apart as is remembered', (t) => {
  t.notThrows(() => checkedSteps([{ blocks: 1, mostOwed: 1n }, { blocks: mostBlocksApart + 1 }]))
})

test('the deeper the deposit, the more may be paid', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 1100 }),
      fc.integer({ min: 0, max: 100 }),
      (at, by) => {
        t.true(most(opened(at + by)) >= most(opened(at)))
      },
    ),
  )
})
