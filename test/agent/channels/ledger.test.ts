import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { openLedger } from '../../../agent/channels/ledger.ts'
import type { Ledger, Shortfall, Taken } from '../../../agent/channels/ledger-types.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  noon,
  owner,
  receiver,
  testDisk,
} from '../../support/ledger.ts'

function open(folder: string, reservation = 4): Promise<Ledger> {
  return openLedger({ folder, owner, reservation, budget: {}, readClock: () => noon })
}

function balanceOf(taken: Taken | Shortfall): bigint | string {
  return 'short' in taken ? taken.short : taken.interval.to
}

async function take(ledger: Ledger, price: bigint): Promise<Taken> {
  const taken = await ledger.take(channel, buy(price))
  if ('short' in taken) throw new Error('nothing to take')
  return taken
}

test('balances are taken one after the other, up to the deposit and not further', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(12n))
  const results: (bigint | string)[] = []
  for (const price of [5n, 5n, 5n, 2n, 1n]) {
    results.push(balanceOf(await ledger.take(channel, buy(price))))
  }
  t.deepEqual(results, [5n, 10n, 'deposit', 12n, 'deposit'])
})

test('at once, no balance is given twice', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(1000n))
  const taken = await Promise.all(Array.from({ length: 50 }, () => ledger.take(channel, buy(3n))))
  t.is(new Set(taken.map(balanceOf)).size, 50)
  t.is(ledger.get(channel).balance, 150n)
})

for (const reservation of [1, 4, 16]) {
  test(`a power cut after any payment, ${reservation} reserved at a time: the disk is at or above what was signed`, async (t) => {
    const folder = await temporaryFolder(t)
    const ledger = await open(join(folder, 'store'), reservation)
    await ledger.add(newChannel(1000n))
    for (let payment = 0; payment < 20; payment++) {
      const signed = balanceOf(await ledger.take(channel, buy(3n))) as bigint
      const copy = await crashCopy(join(folder, 'store'), join(folder, `copy-${payment}`))
      const after = await open(copy, reservation)
      const { bound, certain, signed: known } = after.get(channel)
      t.true(bound >= signed && known <= signed)
      t.true(bound <= signed + 3n * BigInt(2 * reservation))
      t.false(certain)
      await after.close()
    }
    await ledger.close()
  })
}

test('one write covers as many payments as are reserved', async (t) => {
  for (const [reservation, most] of [
    [1, 100],
    [16, 16],
    [64, 5],
  ] as const) {
    const disk = testDisk()
    const ledger = await ledgerOn({ disk, reservation })
    await ledger.add(newChannel(10_000n))
    const before = disk.writes()
    for (let payment = 0; payment < 100; payment++) await ledger.take(channel, buy(3n))
    t.true(
      disk.writes() - before <= most + 2,
      `${disk.writes() - before} writes for ${reservation}`,
    )
  }
})

test('a clean stop reserves nothing and remembers the exact balance', async (t) => {
  const folder = await temporaryFolder(t)
  const ledger = await open(folder)
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  t.is(ledger.reserved(), 20n)
  await ledger.close()
  const again = await open(folder)
  t.like(again.get(channel), { balance: 5n, bound: 5n, certain: true })
  await again.close()
})

test('after a crash nothing new is signed until the receiver has said where it stands', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  const after = await ledgerOn({ disk })
  // What was signed after the last write is hidden: here nothing was signed before it.
  t.like(after.get(channel), { signed: 0n, balance: 20n, bound: 20n, certain: false })
  t.like(await after.take(channel, buy(5n)), { source: 'probe', interval: { from: 0n, to: 0n } })
  await after.correct(channel, 5n)
  t.like(await after.take(channel, buy(5n)), { source: 'fresh', interval: { from: 5n, to: 10n } })
})

test('a receiver that shows nothing costs what was reserved, and no more', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  const after = await ledgerOn({ disk })
  after.assumeWorst(channel)
  t.like(await after.take(channel, buy(5n)), { source: 'fresh', interval: { from: 20n, to: 25n } })
})

test('what the receiver proves is where the channel stands', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  await ledger.take(channel, buy(5n))
  await ledger.correct(channel, 5n)
  t.is(balanceOf(await ledger.take(channel, buy(5n))), 10n)
  // Our own signature above the bound: this store is an old copy.
  await ledger.correct(channel, 400n)
  t.like(ledger.get(channel), { balance: 400n, bound: 400n })
})

test('what a receiver gives back pays for the next request, in the middle and at the end', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(1000n))
  const [first, , third] = [
    await ledger.take(channel, buy(5n)),
    await ledger.take(channel, buy(5n)),
    await ledger.take(channel, buy(5n)),
  ]
  ledger.settle(first as Taken, 0n)
  ledger.settle(third as Taken, 2n)
  t.like(ledger.get(channel), { balance: 12n, free: [{ from: 0n, to: 5n }] })
  t.like(await ledger.take(channel, buy(4n)), { source: 'credit', interval: { from: 0n, to: 4n } })
  t.like(await ledger.take(channel, buy(4n)), { source: 'fresh', interval: { from: 12n, to: 16n } })
})

test('credit in the middle is not offered to a receiver that knows balances only', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(1000n))
  const first = await ledger.take(channel, buy(5n))
  await ledger.take(channel, buy(5n))
  ledger.settle(first as Taken, 0n)
  const next = await ledger.take(channel, { price: 5n, receiverKnows: 'balances' })
  t.like(next, { source: 'fresh', interval: { from: 10n, to: 15n } })
})

test('what a body’s end shows to be charged less, or by nobody’s word, is free or in doubt', async (t) => {
  const ledger = await ledgerOn()
  await ledger.add(newChannel(100n))
  const [a, b, c] = [await take(ledger, 5n), await take(ledger, 5n), await take(ledger, 5n)]
  ledger.settleAnew(b, 2n)
  t.like(ledger.get(channel), { balance: 15n, free: [{ from: 7n, to: 10n }], doubtful: [] })
  ledger.settleAnew(a, undefined)
  t.deepEqual(ledger.get(channel).doubtful, [{ from: 0n, to: 5n }])
  ledger.settleAnew(c, 0n)
  t.like(ledger.get(channel), { balance: 7n, free: [] })
})

test('what was put right since is not touched by an end that comes later', async (t) => {
  const later = async (change: (ledger: Ledger, taken: Taken) => unknown) => {
    const ledger = await ledgerOn()
    await ledger.add(newChannel(100n))
    await take(ledger, 5n)
    const taken = await take(ledger, 5n)
    await change(ledger, taken)
    const before = ledger.get(channel)
    ledger.settleAnew(taken, 0n)
    ledger.settleAnew(taken, undefined)
    t.deepEqual(ledger.get(channel), before)
  }
  // The receiver has shown that it has none of it, or a part.
  await later((ledger) => ledger.correct(channel, 5n))
  await later((ledger) => ledger.correct(channel, 7n))
  // It is free or in doubt already.
  await later((ledger, taken) => ledger.settle(taken, 3n))
  await later((ledger, taken) => ledger.leaveInDoubt(taken))
  await later((ledger) => ledger.end(channel, 10n))
  await later((ledger) => ledger.update(channel, { state: 'closing' }))
})

test('what was lost on its way stays counted and is offered again', async (t) => {
  const ledger = await ledgerOn({ budget: { total: 10n } })
  await ledger.add(newChannel(1000n))
  ledger.leaveInDoubt((await ledger.take(channel, buy(5n))) as Taken)
  t.like(await ledger.take(channel, buy(5n)), {
    source: 'doubtful',
    interval: { from: 0n, to: 5n },
  })
  t.like(await ledger.take(channel, buy(5n)), { source: 'fresh', interval: { from: 5n, to: 10n } })
  t.like(await ledger.take(channel, buy(5n)), { short: 'budget', available: 0n })
})

test('credit survives a clean stop', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  await ledger.add(newChannel(1000n))
  const first = await ledger.take(channel, buy(5n))
  await ledger.take(channel, buy(5n))
  ledger.settle(first as Taken, 0n)
  await ledger.close()
  const again = await ledgerOn({ disk })
  t.like(await again.take(channel, buy(5n)), { source: 'credit', interval: { from: 0n, to: 5n } })
})

test('a crash after a clean stop is noticed, also when the next payment needs no new reservation', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk, reservation: 1 })
  await ledger.add(newChannel(1000n))
  ledger.settle((await ledger.take(channel, buy(5n))) as Taken, 0n)
  await ledger.close()
  const again = await ledgerOn({ disk, reservation: 1 })
  t.is(balanceOf(await again.take(channel, buy(5n))), 5n)
  t.false((await ledgerOn({ disk, reservation: 1 })).get(channel).certain)
})

test('a disk that fails: the payment fails, and nothing above the last good write is signed', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk, reservation: 1 })
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  for (const when of ['before', 'after'] as const) {
    disk.failNext(when)
    await t.throwsAsync(ledger.take(channel, buy(5n)))
    t.is(ledger.get(channel).balance, 5n)
  }
  t.is(balanceOf(await ledger.take(channel, buy(5n))), 10n)
})

test('two processes never share a ledger, and nobody else can read it', async (t) => {
  const folder = join(await temporaryFolder(t), 'store')
  const ledger = await open(folder)
  t.is((await stat(folder)).mode & 0o777, 0o700)
  await t.throwsAsync(open(folder), { code: 'state_in_use', message: /Another process uses/ })
  await ledger.close()
  await chmod(folder, 0o750)
  await t.throwsAsync(open(folder), { code: 'state_readable_by_others', message: /mode 750/ })
})

test('a ledger of another chain, contract or account is refused', async (t) => {
  const folder = await temporaryFolder(t)
  await (await open(folder)).close()
  for (const other of [{ chainId: 1n }, { contract: receiver }, { account: receiver }]) {
    const options = { folder, reservation: 1, budget: {}, readClock: () => noon }
    await t.throwsAsync(openLedger({ ...options, owner: { ...owner, ...other } }), {
      code: 'state_of_another',
    })
  }
})
