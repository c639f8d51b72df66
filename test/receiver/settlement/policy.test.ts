// When a withdrawal is worth while, and from which channels: on plain data.
import test from 'ava'
import fc from 'fast-check'
import { parseConfig } from '../../../platform/config/index.ts'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import type { Channel } from '../../../receiver/channels/records.ts'
import { settlementOptions, settlementSchema } from '../../../receiver/settlement/config.ts'
import {
  type CollectPolicy,
  closeGas,
  planCollection,
  singleGas,
  withdrawGas,
} from '../../../receiver/settlement/policy.ts'
import { createTimetable } from '../../../receiver/settlement/settlement.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const gwei = 10n ** 9n
const ether = 10n ** 18n

function channel(openBlock: number, highest: bigint, changes: Partial<Channel> = {}): Channel {
  return {
    sender,
    openBlock,
    deposit: 10n ** 24n,
    withdrawn: 0n,
    state: 'open',
    claims: { highest, unclaimed: [] },
    agreedToClose: false,
    ...(highest > 0n && { proof: { signature, form: 'eip712' } }),
    ...changes,
  }
}

const market = { gas: withdrawGas, gasPrice: 10n * gwei }
const plan = (channels: readonly Channel[], policy: CollectPolicy, gasPrice = market.gasPrice) => {
  const { batches, reason, sum, left } = planCollection(channels, policy, { ...market, gasPrice })
  const blocks = batches.flat().map(({ channel: { openBlock } }) => openBlock)
  return { blocks, reason, sum, left: left.sum }
}

for (const [given, channels, policy, gasPrice, expected] of [
  ['nothing is owed', [channel(1, 0n)], { least: 1n }, gwei, ['nothing_due', []]],
  [
    'all was withdrawn',
    [channel(1, 5n, { withdrawn: 5n })],
    { least: 1n },
    gwei,
    ['nothing_due', []],
  ],
  ['one unit too little', [channel(1, 9n)], { least: 10n }, gwei, ['too_little', []]],
  ['just enough', [channel(1, 10n)], { least: 10n }, gwei, [undefined, [1]]],
  [
    'enough together, largest first',
    [channel(1, 4n), channel(2, 6n)],
    { least: 10n },
    gwei,
    [undefined, [2, 1]],
  ],
  [
    'what was withdrawn does not count',
    [channel(1, 14n, { withdrawn: 5n })],
    { least: 10n },
    gwei,
    ['too_little', []],
  ],
  [
    'gas at its highest price',
    [channel(1, 10n)],
    { least: 1n, mostGasPrice: gwei },
    gwei,
    [undefined, [1]],
  ],
  [
    'gas one wei dearer',
    [channel(1, 10n)],
    { least: 1n, mostGasPrice: gwei },
    gwei + 1n,
    ['gas_price', []],
  ],
] as const) {
  test(`${given}: ${expected[0] ?? 'withdrawn'}`, (t) => {
    const { reason, blocks } = plan(channels, policy, gasPrice)
    t.deepEqual([reason, blocks], [...expected])
  })
}

// One channel: 53 500 gas at 10 gwei are 0.000535 ether, at 2000 tokens for an ether 1.07 tokens.
const cost = (ether * 107n) / 100n
const tenth: CollectPolicy = { least: 1n, mostFeeShare: 1000n, etherPrice: 2000n * ether }

test('the fee may be exactly its largest share of the sum, and not one unit more', (t) => {
  t.deepEqual(plan([channel(1, 10n * cost)], tenth).blocks, [1])
  t.deepEqual(plan([channel(1, 10n * cost - 1n)], tenth), {
    blocks: [],
    reason: 'fee_share',
    sum: 0n,
    left: 10n * cost - 1n,
  })
})

test('channels that do not pay for their own part are left', (t) => {
  const large = channel(1, 100n * ether)
  const small = channel(2, ether)
  t.deepEqual(plan([small, large], tenth), {
    blocks: [1],
    reason: 'fee_share',
    sum: 100n * ether,
    left: ether,
  })
})

test('what is left after that has to be worth the least sum too', (t) => {
  const channels = [channel(1, 20n * ether), channel(2, ether)]
  t.is(plan(channels, { ...tenth, least: 21n * ether }).reason, 'fee_share')
  t.deepEqual(plan(channels, { ...tenth, least: 20n * ether }).blocks, [1])
})

test('whatever is owed: no plan breaks its policy, loses a channel, or leaves one that pays for itself', (t) => {
  const amounts = fc.array(fc.bigInt({ min: 0n, max: 100n * ether }), { maxLength: 130 })
  fc.assert(
    fc.property(
      amounts,
      fc.bigInt({ min: 1n, max: 200n * gwei }),
      fc.bigInt({ min: 1n, max: 10_000n }),
      fc.bigInt({ min: 1n, max: 50n * ether }),
      fc.constantFrom(withdrawGas, closeGas, singleGas),
      (owed, gasPrice, mostFeeShare, least, gas) => {
        const policy = { least, mostFeeShare, etherPrice: 2000n * ether }
        const channels = owed.map((highest, index) => channel(index, highest))
        const { batches, sum, fee, left } = planCollection(channels, policy, { gas, gasPrice })
        const items = batches.flat()
        t.is(
          sum + left.sum,
          owed.reduce((total, each) => total + each, 0n),
        )
        t.is(
          items.reduce((total, { due }) => total + due, 0n),
          sum,
        )
        t.true(batches.every(({ length }) => length > 0 && length <= gas.mostChannels))
        if (items.length === 0) return
        t.true(sum >= least)
        t.true(fee * policy.etherPrice * 10_000n <= sum * mostFeeShare * ether)
        // Nothing larger than the smallest that is taken stays behind.
        const smallest = items.at(-1)?.due ?? 0n
        const taken = new Set(items.map(({ channel: { openBlock } }) => openBlock))
        for (const [index, due] of owed.entries()) if (!taken.has(index)) t.true(due <= smallest)
      },
    ),
    { numRuns: 200 },
  )
})

test('a schedule is due once for each of its moments', (t) => {
  let now = Date.now()
  const daily = createTimetable('0 4 * * *', () => now)
  t.false(daily.takeDue())
  now += 24 * 3_600_000
  t.true(daily.takeDue())
  daily.close()
  const always = createTimetable(undefined)
  t.true(always.takeDue())
  t.true(always.takeDue())
})

const token = { symbol: 'TKN', decimals: 18 }
const read = (text: string) =>
  parseConfig(text, { file: 'receiver.yaml', schema: settlementSchema })

test('what a person writes becomes the policy', (t) => {
  const text =
    "withdraw: { when: 5 TKN, schedule: '0 4 * * *', mostFeeShare: 2.5%, etherPrice: 2500 TKN }\ndispute: { mostGasPrice: 300 gwei }"
  t.deepEqual(settlementOptions(read(text), token, 20n * gwei), {
    fees: { usual: 20n * gwei, most: 300n * gwei },
    withdraw: {
      least: 5n * ether,
      schedule: '0 4 * * *',
      mostGasPrice: 20n * gwei,
      mostFeeShare: 250n,
      etherPrice: 2500n * ether,
    },
  })
  t.deepEqual(settlementOptions(read('{}'), token, undefined), { fees: {} })
})

for (const [text, message] of [
  ['withdraw: { when: 5 TKN, mostFeeShare: 5% }', /needs "etherPrice"/],
  ['withdraw: { when: 5 TKN, mostFeeShare: 0%, etherPrice: 1 TKN }', /is not a share/],
  ['withdraw: { when: 5 TKN, mostFeeShare: 100.01%, etherPrice: 1 TKN }', /is not a share/],
  ['withdraw: { when: 5 TKN, schedule: daily }', /is not a schedule/],
  ['withdraw: {}', /withdraw.when/],
] as const) {
  test(`refused: ${text}`, (t) => {
    t.throws(() => read(text), { code: 'config_invalid', message })
  })
}
