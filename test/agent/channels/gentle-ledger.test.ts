// The ledger on a card that is written seldom: with a real spool, and on a disk that counts.
import { copyFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { openLedger } from '../../../agent/channels/ledger.ts'
import type { Ledger, Taken } from '../../../agent/channels/ledger-types.ts'
import { batchesOf, failNextBatch } from '../../support/failing-level.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  noon,
  otherChannel,
  otherReceiver,
  owner,
  testDisk,
} from '../../support/ledger.ts'

function open(folder: string, spool: string): Promise<Ledger> {
  const options = { owner, reservation: 10, budget: {}, readClock: () => noon }
  return openLedger({ ...options, folder, spool })
}

/** Of a state that nobody has open. */
async function cutCopy(card: string): Promise<string> {
  await cp(card, `${card}-cut`, { recursive: true })
  return `${card}-cut`
}

async function take(ledger: Ledger, price: bigint, from = channel): Promise<Taken> {
  const taken = await ledger.take(from, buy(price))
  if ('short' in taken) throw new Error('nothing to take')
  return taken
}

test('after a kill it knows where the channel stands, with what was under way in doubt; after a power cut it is covered', async (t) => {
  const folder = await temporaryFolder(t)
  const [card, spool] = [join(folder, 'card'), join(folder, 'spool')]
  const ledger = await open(card, spool)
  await ledger.add(newChannel(1000n))
  for (let payment = 0; payment < 12; payment++) {
    const taken = await take(ledger, 3n)
    const signed = taken.interval.to
    const killed = `${card}-killed-${payment}`
    await copyFile(spool, `${killed}-spool`)
    const after = await open(await crashCopy(card, killed), `${killed}-spool`)
    t.like(after.get(channel), {
      ...{ certain: true, signed, top: signed, inDoubt: true },
      doubtful: [taken.interval],
    })
    await after.close()
    const cut = await open(await crashCopy(card, `${card}-cut-${payment}`), `${killed}-none`)
    const { certain, bound } = cut.get(channel)
    t.false(certain)
    t.true(bound >= signed)
    await cut.close()
    ledger.settle(taken, 3n)
  }
  await ledger.flush()
  const killed = `${card}-killed`
  await copyFile(spool, `${killed}-spool`)
  const after = await open(await crashCopy(card, killed), `${killed}-spool`)
  t.like(after.get(channel), { certain: true, signed: 36n, inDoubt: false })
  await after.close()
  await ledger.close()
})

test('a flush is one write and reserves anew; between two the card is left alone', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await ledgerOn({ disk, reservation: 20 })
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  for (let round = 0; round < 3; round++) {
    await ledger.flush()
    const before = disk.writes()
    for (let payment = 0; payment < 20; payment++) ledger.settle(await take(ledger, 3n), 3n)
    t.is(disk.writes(), before)
    await ledger.flush()
    t.is(disk.writes(), before + 1)
  }
  t.is(ledger.get(channel).bound, ledger.get(channel).signed + 60n)
})

test('the first payment after a clean stop is one write, and so is the stop', async (t) => {
  const folder = await temporaryFolder(t)
  const [card, spool] = [join(folder, 'card'), join(folder, 'spool')]
  const first = await open(card, spool)
  await first.add(newChannel(1000n))
  await first.close()
  const ledger = await open(card, spool)
  const begun = batchesOf(card)
  ledger.settle(await take(ledger, 3n), 3n)
  t.is(batchesOf(card), begun + 1)
  ledger.settle(await take(ledger, 3n), 3n)
  await ledger.close()
  t.is(batchesOf(card), begun + 2)
  const again = await open(card, `${spool}-other`)
  t.like(again.get(channel), { certain: true, exact: true, signed: 6n, bound: 6n })
  await again.close()
})

test('a stop that the card does not take leaves all of it in the spool', async (t) => {
  const folder = await temporaryFolder(t)
  const [card, spool] = [join(folder, 'card'), join(folder, 'spool')]
  const ledger = await open(card, spool)
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  failNextBatch(card)
  await t.throwsAsync(ledger.close(), { code: 'state_unwritable' })
  const cut = await open(await cutCopy(card), `${spool}-other`)
  t.like(cut.get(channel), { certain: false, bound: 30n })
  await cut.close()
  const again = await open(card, spool)
  t.like(again.get(channel), { certain: true, signed: 3n })
  await again.close()
})

test('what is kept beside is in the write of the flush, and there after a power cut', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  const before = disk.writes()
  await ledger.flush({ last: ['run'] })
  t.is(disk.writes(), before + 1)
  disk.failNext('before')
  await t.throwsAsync(ledger.flush({ last: ['another'] }))
  const cut = disk.killed()
  cut.cutPower()
  t.deepEqual((await ledgerOn({ disk: cut })).beside(), { last: ['run'] })
})

test('a flush of nothing new writes nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const card = join(folder, 'card')
  const ledger = await open(card, join(folder, 'spool'))
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  await ledger.flush({ last: ['run'] })
  const before = batchesOf(card)
  await ledger.flush({ last: ['run'] })
  t.is(batchesOf(card), before)
  await ledger.flush({ last: ['another'] })
  t.is(batchesOf(card), before + 1)
  await ledger.close()
})

test('what a flush reserves for several channels fits into the budget together', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await ledgerOn({ disk, reservation: 20, budget: { total: 100n } })
  await ledger.add(newChannel(1000n))
  await ledger.add(newChannel(1000n, otherReceiver))
  for (let payment = 0; payment < 15; payment++) {
    for (const from of [channel, otherChannel]) ledger.settle(await take(ledger, 2n, from), 2n)
  }
  await ledger.flush()
  t.is(ledger.reserved(), 100n)
})

test('a note that is soon kept waits in the spool, one that is kept now does not', async (t) => {
  const disk = testDisk('gentle')
  const { notes } = await ledgerOn({ disk })
  await notes.soon('soon', { is: 1 })
  t.false(disk.card().notes.has('soon'))
  t.true((await disk.load()).notes.has('soon'))
  await notes.now('now', { is: 1 })
  t.true(disk.card().notes.has('now'))
  t.true(disk.card().notes.has('soon'))
})

test('a payment whose place cannot be kept does not leave, and its money is there again', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await ledgerOn({ disk, budget: { total: 100n } })
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  // What ends a payment is kept in the background.
  await ledger.flush()
  disk.failNext('before')
  await t.throwsAsync(take(ledger, 3n), { message: 'the disk is full' })
  t.is(ledger.get(channel).signed, 3n)
  t.is((await take(ledger, 3n)).interval.to, 6n)
})

test('what the receiver proves to be higher is known after a kill, too', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(1000n))
  ledger.settle(await take(ledger, 3n), 3n)
  await ledger.correct(channel, 9n)
  const after = await ledgerOn({ disk })
  t.like(after.get(channel), { certain: true, signed: 9n, top: 9n })
})
