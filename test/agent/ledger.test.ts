import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { type Ledger, openLedger } from '../../agent/ledger/ledger.ts'
import { channelName } from '../../agent/ledger/records.ts'
import { nextBound } from '../../agent/ledger/reservation.ts'
import { addressOfKey, fromHex } from '../../protocol/index.ts'
import { crashCopy, temporaryFolder } from '../support/folder.ts'

const account = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account }
const name = channelName(receiver, 7)
const unlimited = () => undefined

function open(folder: string, reservation = 4): Promise<Ledger> {
  return openLedger({ folder, owner, reservation })
}

async function withChannel(folder: string, deposit: bigint, reservation = 4): Promise<Ledger> {
  const ledger = await open(folder, reservation)
  await ledger.add({
    receiver,
    openBlock: 7,
    deposit,
    bound: 0n,
    exact: true,
    state: 'open',
    openTransaction: '0x00',
  })
  return ledger
}

test('balances are taken one after the other, up to the deposit and not further', async (t) => {
  const ledger = await withChannel(await temporaryFolder(t), 12n)
  t.is(await ledger.take(name, 5n, unlimited), 5n)
  t.is(await ledger.take(name, 5n, unlimited), 10n)
  t.is(await ledger.take(name, 5n, unlimited), undefined)
  t.is(await ledger.take(name, 2n, unlimited), 12n)
  t.is(await ledger.take(name, 1n, unlimited), undefined)
  await ledger.close()
})

test('at once, no balance is given twice', async (t) => {
  const ledger = await withChannel(await temporaryFolder(t), 1000n)
  const taken = await Promise.all(
    Array.from({ length: 50 }, () => ledger.take(name, 3n, unlimited)),
  )
  t.is(new Set(taken).size, 50)
  await ledger.close()
})

for (const reservation of [1, 4, 16]) {
  test(`a power cut after any payment, ${reservation} reserved at a time: the disk is at or above what was signed`, async (t) => {
    const folder = await temporaryFolder(t)
    const ledger = await withChannel(join(folder, 'store'), 1000n, reservation)
    for (let payment = 0; payment < 20; payment++) {
      const signed = await ledger.take(name, 3n, unlimited)
      const copy = await crashCopy(join(folder, 'store'), join(folder, `copy-${payment}`))
      const after = await open(copy, reservation)
      t.true(after.get(name).balance >= (signed ?? 0n))
      t.true(after.get(name).balance <= (signed ?? 0n) + 3n * BigInt(2 * reservation))
      t.false(after.get(name).certain)
      await after.close()
    }
    await ledger.close()
  })
}

test('a clean stop reserves nothing and remembers the exact balance', async (t) => {
  const folder = await temporaryFolder(t)
  const ledger = await withChannel(folder, 1000n)
  await ledger.take(name, 5n, unlimited)
  t.is(ledger.reserved(), 20n)
  await ledger.close()
  const again = await open(folder)
  t.like(again.get(name), { balance: 5n, bound: 5n, certain: true })
  await again.close()
})

test('what the receiver proves is where the channel stands, and a later crash knows it', async (t) => {
  const folder = await temporaryFolder(t)
  const ledger = await withChannel(folder, 1000n)
  await ledger.take(name, 5n, unlimited)
  await ledger.take(name, 5n, unlimited)
  await ledger.correct(name, 5n)
  t.is(await ledger.take(name, 5n, unlimited), 10n)
  // Our own signature above the bound: this store is an old copy.
  await ledger.correct(name, 400n)
  t.like(ledger.get(name), { balance: 400n, bound: 400n })
  await ledger.close()
})

test('only the last payment can be given back: below a later one nothing can be signed', async (t) => {
  const ledger = await withChannel(await temporaryFolder(t), 1000n)
  await ledger.take(name, 5n, unlimited)
  ledger.giveBack(name, 5n, 5n)
  t.is(await ledger.take(name, 5n, unlimited), 5n)
  await ledger.take(name, 5n, unlimited)
  ledger.giveBack(name, 5n, 5n)
  t.is(ledger.get(name).balance, 10n)
  await ledger.close()
})

test('two processes never share a ledger', async (t) => {
  const folder = await temporaryFolder(t)
  const ledger = await open(folder)
  await t.throwsAsync(open(folder), { code: 'state_in_use', message: /Another process uses/ })
  await ledger.close()
})

test('a ledger of another chain, contract or account is refused, and one that others can read', async (t) => {
  const folder = await temporaryFolder(t)
  await (await open(folder)).close()
  for (const other of [{ chainId: 1n }, { contract: receiver }, { account: receiver }]) {
    await t.throwsAsync(openLedger({ folder, owner: { ...owner, ...other }, reservation: 1 }), {
      code: 'state_of_another',
    })
  }
  await chmod(folder, 0o750)
  await t.throwsAsync(open(folder), { code: 'state_readable_by_others', message: /mode 750/ })
})

test('however prices and budgets are: reserved stays within budget, deposit and what was signed', async (t) => {
  const step = fc.record({
    price: fc.bigInt({ min: 1n, max: 40n }),
    proven: fc.option(fc.bigInt({ min: 0n, max: 300n }), { nil: undefined }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.bigInt({ min: 0n, max: 300n }),
      fc.bigInt({ min: 0n, max: 300n }),
      fc.integer({ min: 1, max: 8 }),
      async (steps, budget, deposit, reservation) => {
        const folder = await temporaryFolder(t)
        const ledger = await withChannel(folder, deposit, reservation)
        const room = (reserved: bigint) => (budget > reserved ? budget - reserved : 0n)
        for (const { price, proven } of steps) {
          const { balance: before } = ledger.get(name)
          const taken = await ledger.take(name, price, room)
          const { balance, bound } = ledger.get(name)
          t.is(balance, taken ?? before)
          t.true(balance <= bound && bound <= deposit && ledger.reserved() <= budget)
          // A receiver can only prove what was signed.
          if (proven !== undefined && proven <= balance) await ledger.correct(name, proven)
        }
        await ledger.close()
      },
    ),
    { numRuns: 40 },
  )
})

test('the bound is raised for whole payments, within deposit and budget, and never lowered', (t) => {
  const amount = fc.bigInt({ min: 0n, max: 1000n })
  fc.assert(
    fc.property(
      amount,
      amount,
      amount,
      fc.bigInt({ min: 1n, max: 50n }),
      fc.integer({ min: 1, max: 20 }),
      fc.option(amount, { nil: undefined }),
      (balance, ahead, deposit, price, reservation, room) => {
        const bound = balance + ahead
        const next = nextBound({ balance, bound, deposit, price, reservation, room })
        t.true(next >= bound)
        if (next > bound) {
          t.true(next <= deposit)
          t.true(room === undefined || next - bound <= room)
          t.is((next - balance) % price, 0n)
          t.true(next <= balance + price * BigInt(reservation))
        }
      },
    ),
  )
})
