// One ledger as the work on each of several contracts sees it.
import test from 'ava'
import { ledgerOn } from '../../../agent/channels/contract-ledger.ts'
import { createLedger } from '../../../agent/channels/ledger.ts'
import type { LedgerStorage } from '../../../agent/channels/ledger-storage.ts'
import { channelName } from '../../../agent/channels/records.ts'
import type { Address } from '../../../protocol/index.ts'
import { buy, newChannel, noon, receiver, testDisk } from '../../support/ledger.ts'

const [first, second] = ['11', '22'].map((byte) => `0x${byte.repeat(20)}` as Address) as [
  Address,
  Address,
]

/** A store that was begun with the first contract. */
async function open(disk: LedgerStorage) {
  const ledger = await createLedger({
    storage: { ...disk, contract: first },
    ...{ reservation: 1, budget: { total: 100n }, readClock: () => noon },
  })
  return { ledger, former: ledgerOn(ledger, first), newest: ledgerOn(ledger, second) }
}

const facts = { token: { address: first, symbol: 'TKN', decimals: 0 }, contractVersion: '0.4' }

test('each sees its own channels, notes and facts; all have one budget, also after a restart', async (t) => {
  const disk = testDisk()
  const before = await open(disk)
  await before.former.add(newChannel(80n))
  await before.newest.add({ ...newChannel(80n), openBlock: 8 })
  await before.former.notes.now('key', { of: 'former' })
  await before.newest.notes.now('key', { of: 'newest' })
  await before.former.rememberFacts(facts)
  await before.newest.rememberFacts({ ...facts, contractVersion: '0.5' })
  const taken = await before.former.take(channelName(receiver, 7), buy(60n))
  t.true('interval' in taken)
  await before.ledger.close()

  const { ledger, former, newest } = await open(disk)
  t.deepEqual(
    former.channels().map(({ openBlock }) => openBlock),
    [7],
  )
  t.deepEqual(
    newest.channels(receiver).map(({ openBlock, contract }) => [openBlock, contract]),
    [[8, second]],
  )
  t.is(ledger.channels().length, 2)
  t.deepEqual(
    [former, newest].map(({ notes }) => notes.get('key')),
    [{ of: 'former' }, { of: 'newest' }],
  )
  t.deepEqual(newest.notes.keysUnder('k'), ['key'])
  t.deepEqual(
    [former, newest].map((each) => each.facts()?.contractVersion),
    ['0.4', '0.5'],
  )
  t.deepEqual(
    former.payable(receiver).map(({ name }) => name),
    [channelName(receiver, 7)],
  )
  t.is(newest.withRoom(receiver, 50n), channelName(receiver, 8))
  t.is(former.withRoom(receiver, 50n), undefined)
  t.is(newest.reserved(), 60n)
  t.like(await newest.take(channelName(receiver, 8), buy(41n)), { short: 'budget' })
  t.true('interval' in (await newest.take(channelName(receiver, 8), buy(40n))))
})

test('what was intended goes with the write that books it, on each contract', async (t) => {
  const { former, newest } = await open(testDisk())
  for (const each of [former, newest]) await each.notes.now('intent', { a: 1 })
  await newest.add({ ...newChannel(5n), openBlock: 8 }, 'intent')
  t.is(newest.notes.get('intent'), undefined)
  t.deepEqual(former.notes.get('intent'), { a: 1 })
  await newest.update(channelName(receiver, 8), { deposit: 9n })
  await newest.end(channelName(receiver, 8), 0n)
  t.like(newest.channels()[0], { deposit: 9n, state: 'closed' })
})

test('a name that another contract has is not taken a second time', async (t) => {
  const { ledger, former, newest } = await open(testDisk())
  await former.add(newChannel(5n))
  await t.throwsAsync(newest.add(newChannel(7n)), { code: 'channel_name_taken' })
  t.is(ledger.channels()[0]?.deposit, 5n)
  await former.add(newChannel(6n))
})
