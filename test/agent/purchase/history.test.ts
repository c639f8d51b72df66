// What the ledger keeps beside the channels: the last purchases, the last prices.
import test from 'ava'
import { createNoteBook, type Notes } from '../../../agent/channels/notes.ts'
import { createPurchaseHistory, type PurchaseRecord } from '../../../agent/purchase/history.ts'
import { createTermsMemory } from '../../../agent/purchase/terms.ts'
import { channel, ledgerOn, newChannel, testDisk } from '../../support/ledger.ts'

function purchase(balance: bigint): PurchaseRecord {
  const url = 'http://127.0.0.1:1/reading'
  return { time: 1, method: 'GET', url, status: 200, cost: 5n, channel, balance, job: 'weather' }
}

function memoryNotes() {
  const book = createNoteBook(new Map())
  const { get, keysUnder, set: later, beforeWrite, takeChanges: write } = book
  const now: Notes['now'] = async (key, value) => later(key, value)
  return {
    notes: { get, keysUnder, later, beforeWrite, now },
    write,
    count: () => keysUnder('').length,
  }
}

for (const [most, bought] of [
  [0, 5],
  [1, 40],
  [15, 200],
  [16, 16],
  [17, 17],
  [100, 99],
  [100, 1000],
] as const) {
  test(`of ${bought} purchases the ${most} newest are remembered, in little room`, (t) => {
    const { notes, write, count } = memoryNotes()
    const history = createPurchaseHistory(notes, most)
    for (let balance = 1; balance <= bought; balance++) history.add(purchase(BigInt(balance)))
    const kept = Math.min(most, bought)
    const expected = Array.from({ length: kept }, (_, i) => purchase(BigInt(bought - kept + 1 + i)))
    t.deepEqual(history.all(), expected)
    write()
    t.deepEqual(history.all(), expected)
    t.deepEqual(createPurchaseHistory(notes, most).all(), expected)
    t.true(count() <= Math.ceil(most / 16) + 1, `${count()} records`)
  })
}

test('purchases cost no write of their own, and survive a clean stop', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(100n))
  const before = disk.writes()
  createPurchaseHistory(ledger.notes, 10).add(purchase(5n))
  t.is(disk.writes(), before)
  await ledger.close()
  const again = await ledgerOn({ disk })
  t.deepEqual(createPurchaseHistory(again.notes, 10).all(), [purchase(5n)])
})

test('the last price is known after a restart, whatever the query was', (t) => {
  const { notes, write } = memoryNotes()
  const url = new URL('http://127.0.0.1:1/reading?a=1')
  createTermsMemory(notes).paid('GET', url, 7n)
  write()
  const later = createTermsMemory(notes)
  t.is(later.lastPrice('GET', new URL('http://127.0.0.1:1/reading?b=2')), 7n)
  t.is(later.lastPrice('POST', url), undefined)
  t.is(later.lastPrice('GET', new URL('http://127.0.0.1:1/other')), undefined)
  t.is(later.recall('GET', url), undefined)
})

test('a thousand prices are kept, and not one more', (t) => {
  const { notes, write, count } = memoryNotes()
  const memory = createTermsMemory(notes)
  const url = (number: number) => new URL(`http://127.0.0.1:1/${number}`)
  for (let number = 0; number < 1000; number++) memory.paid('GET', url(number), 1n)
  write()
  t.is(count(), 1000)
  memory.paid('GET', url(1000), 2n)
  write()
  t.is(count(), 1000)
  t.is(createTermsMemory(notes).lastPrice('GET', url(1000)), 2n)
})

for (const when of ['before', 'after'] as const) {
  test(`a write that fails ${when} it reached the disk loses neither sum nor note`, async (t) => {
    const disk = testDisk()
    const budget = { total: 1000n }
    const ledger = await ledgerOn({ disk, budget, reservation: 1 })
    await ledger.add(newChannel(100n))
    await ledger.take(channel, { price: 5n, receiverKnows: 'intervals' })
    ledger.notes.later('some/note', { a: 1n })
    disk.failNext(when)
    await t.throwsAsync(ledger.update(channel, { deposit: 200n }))
    await ledger.update(channel, { deposit: 200n })
    const crashed = await ledgerOn({ disk, budget, reservation: 1 })
    t.like(crashed.limits(['all'])[0], { used: 5n })
    t.deepEqual(crashed.notes.get('some/note'), { a: '1' })
  })

  test(`a booking that fails ${when} it reached the disk keeps the note of what was intended`, async (t) => {
    const disk = testDisk()
    const ledger = await ledgerOn({ disk })
    await ledger.notes.now('transaction/open', { nonce: 1 })
    disk.failNext(when)
    await t.throwsAsync(ledger.add(newChannel(100n), 'transaction/open'))
    t.deepEqual(ledger.notes.get('transaction/open'), { nonce: 1 })
    await ledger.add(newChannel(100n), 'transaction/open')
    const crashed = await ledgerOn({ disk })
    t.is(crashed.notes.get('transaction/open'), undefined)
    t.is(crashed.channels().length, 1)
  })
}
