import test from 'ava'
import { createPurchaseHistory, type PurchaseRecord } from '../../../agent/purchase/history.ts'
import { channel, ledgerOn, newChannel, testDisk } from '../../support/ledger.ts'
import { memoryNotes } from '../../support/notes.ts'

function purchase(balance: bigint): PurchaseRecord {
  const url = 'http://127.0.0.1:1/reading'
  return { time: 1, method: 'GET', url, status: 200, cost: 5n, channel, balance, job: 'weather' }
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

test('a cost that is known later is noted, in the newest record and in one before, and not of one forgotten', (t) => {
  const { notes, write } = memoryNotes()
  const history = createPurchaseHistory(notes, 20)
  const noteCosts = Array.from({ length: 45 }, (_, at) => history.add(purchase(BigInt(at + 1))))
  write()
  for (const noteCost of noteCosts) noteCost(2n)
  write()
  const expected = Array.from({ length: 20 }, (_, at) => ({
    ...purchase(BigInt(at + 26)),
    cost: 2n,
  }))
  t.deepEqual(history.all(), expected)
  t.deepEqual(createPurchaseHistory(notes, 20).all(), expected)
})

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

test('each purchase counts in its hour: what was answered well, and what was not; also where none is remembered', async (t) => {
  const { hours, notes } = await ledgerOn()
  const history = createPurchaseHistory(notes, 0, hours)
  for (const status of [200, 304, 404, 503]) history.add({ ...purchase(1n), status })
  t.like(hours.since(0), [{ buyer: 'weather', purchases: 2, failures: 2, spent: 0n }])
})
