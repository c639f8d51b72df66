import test from 'ava'
import fc from 'fast-check'
import { type Address, parseAddress, parseSignature } from '../../../protocol/index.ts'
import type { Channel } from '../../../receiver/channels/records.ts'
import {
  createReserve,
  gasForAnswers,
  isDefended,
  isWorthAnswer,
  type ReserveStatus,
} from '../../../receiver/settlement/reserve.ts'
import { shareAccount } from '../../../receiver/settlement/shared-account.ts'
import { commit } from '../../support/tick-books.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)

function channel(due: bigint, more: Partial<Channel> = {}): Channel {
  return {
    ...{ sender, openBlock: 7, deposit: 100n, withdrawn: 0n, state: 'open' },
    claims: { highest: due, unclaimed: [] },
    agreedToClose: false,
    proof: { signature: parseSignature(`0x${'11'.repeat(64)}1b`), form: 'eip712' },
    ...more,
  }
}

test('gas: singly up to three channels, from then on in batches of forty', (t) => {
  const gas = [0, 1, 3, 4, 40, 41].map((count) => gasForAnswers(count, true))
  t.deepEqual(gas, [0n, 60_000n, 180_000n, 112_000n, 760_000n, 818_000n])
  t.is(gasForAnswers(51, false), 51n * 76_000n)
})

test('a channel is defended when its stake is worth more than its own answer', (t) => {
  // 60 000 gas at 10^10 wei are 6 · 10^14 wei: at 10^6 units for one ether 600 units.
  const terms = { fee: 10n ** 10n, hasBatches: true, etherPrice: 10n ** 6n }
  t.false(isWorthAnswer({ stake: 600n, channel: {} }, terms))
  t.true(isWorthAnswer({ stake: 601n, channel: {} }, terms))
})

test('a tick is dearer to show, by each place of its chain', (t) => {
  const terms = { fee: 10n ** 10n, hasBatches: true, etherPrice: 10n ** 6n }
  const ticks = commit({ ticks: 256 })
  const at = (index: number) => {
    const { commitment } = ticks
    return { proof: { commitment, index, word: ticks.word(index), form: 'eip712' as const } }
  }
  // 60 000 + 1 500 + 52 · 256 gas are 748.12 units.
  t.true(isWorthAnswer({ stake: 616n, channel: at(0) }, terms))
  t.false(isWorthAnswer({ stake: 748n, channel: at(256) }, terms))
  t.true(isWorthAnswer({ stake: 749n, channel: at(256) }, terms))
  const one = given(() => 0n, [channel(1000n, at(256))], 10n)
  t.is(one.reserve.needed(), 74_812n * 10n)
})

test('without a price of ether the least decides, which is 0 when nobody says', (t) => {
  const terms = { fee: 1n, hasBatches: true }
  t.false(isWorthAnswer({ stake: 0n, channel: {} }, terms))
  t.true(isWorthAnswer({ stake: 1n, channel: {} }, terms))
  t.false(isWorthAnswer({ stake: 5n, channel: {} }, { ...terms, least: 5n }))
  t.true(isWorthAnswer({ stake: 6n, channel: {} }, { ...terms, least: 5n }))
})

test('what was taken out, is fairly closed, settled or never paid needs no ether', (t) => {
  const terms = { fee: 1n, hasBatches: true }
  const at = { block: 9, contractBlock: 9 }
  t.true(isDefended(channel(5n), terms))
  t.false(isDefended(channel(5n, { withdrawn: 5n }), terms))
  t.false(isDefended(channel(5n, { state: 'settled', end: { balance: 0n, ...at } }), terms))
  const closing = (balance: bigint) => channel(5n, { state: 'closing', end: { balance, ...at } })
  t.false(isDefended(closing(5n), terms))
  t.true(isDefended(closing(4n), terms))
  const { proof: _, ...unpaid } = channel(0n)
  t.false(isDefended(unpaid, terms))
})

function given(
  has: () => bigint | undefined,
  channels: readonly Channel[],
  most?: bigint,
  data = 0n,
  others?: () => bigint,
) {
  const alarms: ReserveStatus[] = []
  const reserve = createReserve({
    data: () => data,
    book: { asSeen: () => channels },
    ...{ ether: has, most, hasBatches: true },
    highest: () => 100n,
    onShort: (status) => void alarms.push(status),
    ...(others && { others }),
  })
  reserve.round()
  return { reserve, alarms }
}

test('the fee is the most that an answer may cost, else four times the highest of late', (t) => {
  t.is(given(() => 0n, [channel(1n)], 7n).reserve.status().needed, 60_000n * 7n)
  t.is(given(() => 0n, [channel(1n)]).reserve.status().needed, 60_000n * 400n)
  // The limit is for gas; what its data costs comes to it.
  t.is(given(() => 0n, [channel(1n)], 7n, 3n).reserve.status().needed, 60_000n * 10n)
})

test('an alarm when it becomes short, once, and again after it was well', (t) => {
  let ether = 60_000n * 400n
  const { reserve, alarms } = given(() => ether, [channel(1n)])
  t.is(alarms.length, 0)
  ether--
  reserve.round()
  reserve.round()
  t.is(alarms.length, 1)
  t.like(alarms[0], { channels: 1, isShort: true })
  ether++
  reserve.round()
  ether--
  reserve.round()
  t.is(alarms.length, 2)
})

test('a new channel needs ether for one answer more', (t) => {
  const needed = 2n * 60_000n * 400n
  t.false(given(() => needed, [channel(1n)]).reserve.isShortForNew())
  t.true(given(() => needed - 1n, [channel(1n)]).reserve.isShortForNew())
  t.false(given(() => undefined, [channel(1n)]).reserve.isShortForNew())
})

test('relays stop below twice the reserve, at least that of one channel', (t) => {
  for (const channels of [[], [channel(1n)]]) {
    const { reserve } = given(() => 0n, channels)
    const twice = 2n * 60_000n * 400n
    t.notThrows(() => reserve.checkRelay(twice))
    t.throws(() => reserve.checkRelay(twice - 1n), { code: 'relay_reserve' })
  }
})

test('more channels never need less but where they begin to go together', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 500 }), (count) => {
      t.true(gasForAnswers(count + 1, true) > gasForAnswers(count, true))
    }),
  )
})

test('what the account needs for channels of other contracts is not there for these', (t) => {
  const own = 60_000n * 400n
  const others = () => 5n
  const channels = [channel(1n)]
  t.false(given(() => own + 5n, channels, undefined, 0n, others).reserve.status().isShort)
  t.true(given(() => own + 4n, channels, undefined, 0n, others).reserve.status().isShort)
  const { reserve } = given(() => own, channels, undefined, 0n, others)
  t.is(reserve.needed(), own)
  t.notThrows(() => reserve.checkRelay(2n * (own + 5n)))
  t.throws(() => reserve.checkRelay(2n * (own + 5n) - 1n), { code: 'relay_reserve' })

  const shared = shareAccount([sender, sender.replace('aa', 'bb') as Address])
  const [first, second] = shared.contracts as [Address, Address]
  shared.add(first, { needed: () => 7n })
  t.is(shared.neededBeside(first), 0n)
  shared.add(second, { needed: () => undefined })
  t.is(shared.neededBeside(second), 7n)
  t.is(shared.neededBeside(first), 0n)
})
