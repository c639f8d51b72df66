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

test('purchases of changing prices, on several channels, are read as they were', (t) => {
  const { notes, write } = memoryNotes()
  const history = createPurchaseHistory(notes, 100)
  const expected = [0n, 5n, 5n, 12n, 3n, 8n, 8n, 13n].map((balance, at): PurchaseRecord => {
    const unit = { symbol: 'USDC', decimals: 6 }
    const kinds = [{}, { status: 404 }, { authentic: false }, { unit }, { url: 'http://b/' }]
    return { ...purchase(balance), cost: BigInt(at % 3) * 5n, time: 50 - at, ...kinds[at % 5] }
  })
  for (const each of expected) history.add(each)
  write()
  t.deepEqual(createPurchaseHistory(notes, 100).all(), expected)
})

test('what is the same of purchases is written once in sixteen', (t) => {
  const { notes, write } = memoryNotes()
  const history = createPurchaseHistory(notes, 500)
  for (let number = 0; number < 16; number++) {
    const time = 1_790_000_000_000 + number * 60_000
    const cost = 10n ** 18n
    history.add({ ...purchase(cost * BigInt(number + 1)), cost, time, authentic: true })
  }
  write()
  const [key = ''] = notes.keysUnder('purchases/')
  t.true(JSON.stringify(notes.get(key)).length < 400)
})

for (const bought of [3, 16, 40]) {
  test(`${bought} purchases that an earlier version has noted are read, and forgotten with the others`, (t) => {
    const { notes, write, count } = memoryNotes()
    const rows = Array.from({ length: bought }, (_, at) => {
      const { time, method, url, status, channel: name, job } = purchase(1n)
      return [time, method, url, status, '5', name, `${at + 1}`, job, ...(at % 2 ? [true] : [])]
    })
    for (let from = 0; from < bought; from += 16) {
      const number = `${from / 16}`.padStart(12, '0')
      notes.later(`bought/${number}`, rows.slice(from, from + 16))
    }
    const known = Array.from({ length: bought }, (_, at) => ({
      ...purchase(BigInt(at + 1)),
      ...(at % 2 === 1 && { authentic: true }),
    }))
    t.deepEqual(createPurchaseHistory(notes, 100).all(), known)
    const history = createPurchaseHistory(notes, 100)
    const expected: PurchaseRecord[] = [...known]
    for (let number = bought + 1; number < 300; number++) {
      const next = purchase(BigInt(number))
      history.add(next)
      expected.push(next)
      t.deepEqual(history.all(), expected.slice(-100))
      write()
      t.deepEqual(createPurchaseHistory(notes, 100).all(), expected.slice(-100))
    }
    t.is(notes.keysUnder('bought/').length, 0)
    t.true(count() <= 8)
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

test('each purchase counts in its hour: what was answered well, and what was not; also where none is remembered', async (t) => {
  const { hours, notes } = await ledgerOn()
  const history = createPurchaseHistory(notes, 0, hours)
  for (const status of [200, 304, 404, 503]) history.add({ ...purchase(1n), status })
  t.like(hours.since(0), [{ buyer: 'weather', purchases: 2, failures: 2, spent: 0n }])
})
