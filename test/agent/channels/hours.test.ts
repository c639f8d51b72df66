// Sums by the hour: they are the ledger's own, whatever happens to the process, and take bounded space.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import {
  createHourSums,
  daysKept,
  type HourSum,
  mostParties,
  partyOf,
} from '../../../agent/channels/hours.ts'
import { openLedger } from '../../../agent/channels/ledger.ts'
import type { Ledger } from '../../../agent/channels/ledger-types.ts'
import { createNoteBook } from '../../../agent/channels/notes.ts'
import { day, hour } from '../../../platform/time/clock.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  noon,
  owner,
  receiver,
  testClock,
  testDisk,
} from '../../support/ledger.ts'

const sumOf = (rows: readonly HourSum[]) => rows.reduce((sum, { spent }) => sum + spent, 0n)

async function pay(ledger: Ledger, price: bigint, cost: bigint, job?: string): Promise<void> {
  const taken = await ledger.take(channel, buy(price, job))
  if ('short' in taken) throw new Error('nothing to take')
  ledger.settle(taken, cost)
}

/** On notes that are in memory, as the last write left them. */
function givenSums(start = noon.wall) {
  let time = start
  const disk = new Map<string, string>()
  const open = () => {
    const book = createNoteBook(disk)
    const write = () => {
      for (const [key, text] of book.takeChanges()) {
        if (text === undefined) disk.delete(key)
        else disk.set(key, text)
      }
    }
    return { sums: createHourSums(book, () => time), write }
  }
  return {
    ...{ open, disk },
    pass: (milliseconds: number) => {
      time += milliseconds
    },
  }
}

test('what is spent stands in its hour, by job, program and command, and by receiver', async (t) => {
  const clock = testClock()
  const ledger = await ledgerOn({ clock: clock.read })
  await ledger.add(newChannel(1000n))
  await pay(ledger, 3n, 3n, 'temperature')
  await pay(ledger, 5n, 2n, 'proxy/weather')
  clock.pass(hour)
  await pay(ledger, 7n, 7n, 'temperature')
  await pay(ledger, 11n, 11n)
  ledger.hours.count(partyOf(receiver, 'temperature'), 'purchases')
  ledger.hours.count(partyOf('', 'temperature'), 'failures')
  const first = { start: noon.wall, receiver, purchases: 0, failures: 0 }
  const second = { ...first, start: noon.wall + hour }
  t.deepEqual(ledger.hours.since(0), [
    { ...first, buyer: 'temperature', spent: 3n },
    { ...first, buyer: 'proxy/weather', spent: 2n },
    { ...second, buyer: 'temperature', spent: 7n, purchases: 1 },
    { ...second, buyer: '', spent: 11n },
    { ...second, buyer: 'temperature', receiver: '', spent: 0n, failures: 1 },
  ])
  t.is(ledger.hours.since(noon.wall + 1 + hour).length, 3)
  t.deepEqual(ledger.hours.since(noon.wall + 2 * hour), [])
})

test('the sums of a day and of all time are those that budgets go by', async (t) => {
  const clock = testClock()
  const disk = testDisk()
  const cap = 1_000_000n
  const budget = { day: cap, total: cap, jobs: { a: { day: cap } } }
  const ledger = await ledgerOn({ disk, budget, clock: clock.read, reservation: 1 })
  await ledger.add(newChannel(1_000_000n))
  for (let round = 0; round < 100; round++) {
    clock.pass((round % 7) * 700_000)
    await pay(
      ledger,
      BigInt(round + 10),
      BigInt(round % 10 === 0 ? 0 : round),
      round % 3 ? 'a' : 'b',
    )
    const used = (scope: 'all' | 'job/a', window: 'day' | 'total') =>
      ledger.limits([scope]).find((each) => each.window === window)?.used ?? 0n
    const today = Math.floor(clock.read().wall / day) * day
    const reserved = ledger.get(channel).bound - ledger.get(channel).signed
    const free = ledger.get(channel).free.reduce((sum, { from, to }) => sum + to - from, 0n)
    const rows = ledger.hours.since(today)
    t.is(sumOf(rows) + reserved + free, used('all', 'day'))
    t.is(sumOf(rows.filter(({ buyer }) => buyer === 'a')), used('job/a', 'day'))
    t.is(sumOf(ledger.hours.since(0)) + reserved + free, used('all', 'total'))
  }
})

for (const kind of ['careful', 'gentle'] as const) {
  test(`a kill loses nothing and counts nothing twice, with a card that is ${kind === 'careful' ? 'written' : 'spared'}`, async (t) => {
    const step = fc.record({
      price: fc.bigInt(1n, 20n),
      refunded: fc.boolean(),
      ends: fc.constantFrom('settled', 'doubt', 'killed'),
      job: fc.constantFrom('a', 'b', undefined),
      pass: fc.constantFrom(0, hour, day),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let disk = testDisk(kind)
        const clock = testClock()
        const open = () => ledgerOn({ disk, clock: clock.read, reservation: 3 })
        let ledger = await open()
        await ledger.add(newChannel(100_000n))
        for (const { price, refunded, ends, job, pass } of steps) {
          clock.pass(pass)
          const taken = await ledger.take(channel, buy(price, job))
          if ('short' in taken) throw new Error('nothing to take')
          if (ends === 'settled') ledger.settle(taken, refunded ? 0n : price)
          if (ends === 'doubt') ledger.leaveInDoubt(taken)
          if (ends === 'killed') {
            disk = disk.killed()
            ledger = await open()
            // The receiver has taken the payment, or has not.
            await ledger.correct(channel, refunded ? taken.interval.from : taken.interval.to)
          }
        }
        await ledger.close()
        const { spent } = disk.card()
        t.is(sumOf(ledger.hours.since(0)), spent.get('all')?.total ?? 0n)
        t.is(sumOf((await open()).hours.since(0)), spent.get('all')?.total ?? 0n)
      }),
      { numRuns: 60 },
    )
  })
}

test('on a real card with a spool, what was bought before a kill is there after it', async (t) => {
  const folder = await temporaryFolder(t)
  const [card, spool] = [join(folder, 'card'), join(folder, 'spool')]
  const open = (at: string, file: string) =>
    openLedger({
      ...{ owner, reservation: 10, budget: {}, readClock: () => noon },
      ...{ folder: at, spool: file },
    })
  const ledger = await open(card, spool)
  await ledger.add(newChannel(1000n))
  for (let payment = 1; payment <= 3; payment++) {
    await pay(ledger, 3n, 3n, 'temperature')
    ledger.hours.count(partyOf(receiver, 'temperature'), 'purchases')
  }
  await ledger.take(channel, buy(3n, 'temperature'))
  const killed = join(folder, 'killed')
  await copyFile(spool, `${killed}-spool`)
  const after = await open(await crashCopy(card, killed), `${killed}-spool`)
  t.like(after.hours.since(0), [{ buyer: 'temperature', spent: 12n, purchases: 3 }])
  await after.close()
  await ledger.close()
})

test('of 500 days the last 400 are kept, after a restart as before, and a year of a job is small', (t) => {
  const { open, disk, pass } = givenSums()
  let { sums, write } = open()
  for (let hours = 0; hours < 500 * 24; hours++) {
    sums.spend(partyOf(receiver, 'temperature'), 300_000_000_000_000_000n)
    for (let run = 0; run < 60; run++) sums.count(partyOf(receiver, 'temperature'), 'purchases')
    pass(hour)
    write()
    if (hours % 1000 === 0) ({ sums, write } = open())
  }
  const rows = sums.since(0)
  const days = (rows.at(-1)?.start ?? 0) / day - Math.floor((rows[0]?.start ?? 0) / day)
  t.is(Math.ceil(days), daysKept)
  t.true(rows.every(({ spent, purchases }) => spent === 3n * 10n ** 17n && purchases === 60))
  t.is(new Set(rows.map(({ start }) => start)).size, rows.length)
  const bytes = [...disk].reduce((sum, [key, text]) => sum + key.length + text.length, 0)
  t.log(`${disk.size} records, ${bytes} bytes`)
  t.true(disk.size < daysKept + 48 && bytes < 300_000, `${disk.size} ${bytes}`)
})

test('many buyers are one row beyond the most, and 400 such days are bounded', (t) => {
  const { open, disk, pass } = givenSums()
  const { sums, write } = open()
  const name = 'n'.repeat(100)
  for (let hours = 0; hours < 410 * 24; hours++) {
    for (let job = 0; job < 40; job++)
      sums.spend(partyOf(receiver, `${job}${name}`), 123_456_789_012n)
    pass(hour)
    write()
  }
  const last = sums.since(0).filter(({ start }, _, rows) => start === rows.at(-1)?.start)
  t.is(last.length, mostParties + 1)
  t.like(last.at(-1), { buyer: '*', receiver: '', spent: 24n * 123_456_789_012n })
  const bytes = [...disk].reduce((sum, [key, text]) => sum + key.length + text.length, 0)
  t.log(`${disk.size} records, ${bytes} bytes`)
  t.true(bytes < 6_000_000, `${bytes}`)
})

test('a refund goes to the hour that was paid in, also over midnight, and never below nothing', (t) => {
  const { open, pass } = givenSums(Date.UTC(2026, 10, 21, 23, 59, 59))
  const { sums } = open()
  const party = partyOf(receiver, 'a')
  sums.spend(party, 5n)
  pass(2000)
  sums.spend(partyOf(receiver, 'b'), 1n)
  sums.refund(party, 4n)
  const amounts = () => sums.since(0).map(({ spent }) => spent)
  t.deepEqual(amounts(), [1n, 1n])
  sums.refund(party, 9n)
  t.deepEqual(amounts(), [0n, 0n])
})
