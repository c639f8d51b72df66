import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { openState } from '../../../platform/state/state.ts'
import { parseRequestPublicKey } from '../../../protocol/bound/index.ts'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { bookLedgers } from '../../../receiver/channels/book-ledgers.ts'
import { whileClosing } from '../../../receiver/channels/closing.ts'
import { createChannelManager } from '../../../receiver/channels/manager.ts'
import { channelName, type PaymentLedger } from '../../../receiver/channels/records.ts'
import { type ChannelStore, openStore } from '../../../receiver/channels/store.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account: receiver }
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const name = channelName(sender, 7)
const opened = [
  {
    kind: 'created' as const,
    channel: { sender, receiver, openBlock: 7 },
    deposit: 100n,
    block: 7,
    contractBlock: 7,
    blockHash: '0x07' as const,
    transaction: '0x00' as const,
    logIndex: 0,
  },
]

/** As formats up to 4 had `ledgerAt(5n)`. */
const ledgerOf4 = `{"highest":"5","eip712":"${Buffer.from(signature.slice(2), 'hex').toString('base64')}"}`

const ledgerAt = (highest: bigint): PaymentLedger => ({
  claims: { highest, unclaimed: [] },
  proof: { signature, form: 'eip712' },
  agreedToClose: false,
})

test('every ledger is read back to the unit, however large', async (t) => {
  const amounts = fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })
  const store = await openStore(await temporaryFolder(t), owner)
  await fc.assert(
    fc.asyncProperty(amounts, amounts, amounts, async (highest, from, to) => {
      const ledger = { ...ledgerAt(highest), claims: { highest, unclaimed: [{ from, to }] } }
      await store.saveLedger(name, ledger)
      t.deepEqual((await store.load()).ledgers.get(name), ledger)
    }),
    { numRuns: 30 },
  )
  await store.close()
})

test('a state of thousands of channels is read whole, each with its own ledger', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  // Around what is read at once.
  for (const count of [999, 1000, 1001, 2500]) {
    const ledgers = Array.from({ length: count }, (_, block) => {
      return [channelName(sender, block), ledgerAt(BigInt(block))] as const
    })
    await store.saveLedgers(new Map(ledgers))
    t.deepEqual(
      (await store.load()).ledgers,
      new Map(ledgers.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    )
    t.is((await store.readLedgers()).size, count)
  }
  await store.close()
})

test('a key, an agreement and the wish to collect are read back; a ledger of before has none', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  const key = parseRequestPublicKey(`0x02${'ab'.repeat(32)}`)
  const ledger: PaymentLedger = {
    ...ledgerAt(5n),
    ...{ agreedToClose: true, agreedBalance: 5n, collecting: true },
    requestKey: { key, number: 2n ** 64n - 1n },
  }
  await store.saveLedger(name, ledger)
  t.deepEqual((await store.load()).ledgers.get(name), ledger)
  await store.close()
})

test('a close of ours that fails takes no agreement back that was signed meanwhile', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  const book = await openBook(store)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
    domain: { contract, chainId: 31337n },
  })
  const pay = (balance: bigint) =>
    manager.registerPayment({ sender, openBlock: 7, balance, signature }, 5n)
  t.is((await pay(5n)).kind, 'paid')
  const failing = async (meanwhile: () => Promise<unknown>) => {
    const channel = book.get(sender, 7)
    await whileClosing(book, channel ? [channel] : [], async () => {
      t.is((await pay(10n)).kind, 'refused')
      await meanwhile()
      throw new Error('no gas')
    }).catch(() => undefined)
  }
  await failing(async () => undefined)
  t.is((await pay(10n)).kind, 'paid', 'what was only wanted is taken back')
  await failing(() => manager.agreeToClose(sender, 7, 10n))
  t.is((await pay(15n)).kind, 'refused')
  t.like(book.ledger(sender, 7), { agreedToClose: true, agreedBalance: 10n, collecting: undefined })
  await store.close()
})

test('a payment is on disk before it is served: a power cut right after loses nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await openStore(join(folder, 'store'), owner)
  const book = await openBook(store)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
    domain: { contract, chainId: 31337n },
  })
  for (let payment = 1n; payment <= 8n; payment++) {
    const balance = 5n * payment
    const served = await manager.registerPayment({ sender, openBlock: 7, balance, signature }, 5n)
    t.is(served.kind, 'paid')
    const copy = await crashCopy(join(folder, 'store'), join(folder, `copy-${payment}`))
    const after = await openStore(copy, owner)
    const state = await after.load()
    t.is(state.ledgers.get(name)?.claims.highest, balance)
    t.is(state.facts.get(name)?.deposit, 100n)
    await after.close()
  }
  await store.close()
})

test('an agreement to close is on disk before it is signed', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  const book = await openBook(store)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  await book.putLedger({ sender, openBlock: 7 }, ledgerAt(5n))
  let onDiskWhenSigned: boolean | undefined
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: {
      address: receiver,
      sign: async () => {
        onDiskWhenSigned = (await store.load()).ledgers.get(name)?.agreedToClose
        return signature
      },
    },
    domain: { contract, chainId: 31337n },
  })
  await manager.agreeToClose(sender, 7, 5n)
  t.true(onDiskWhenSigned)
  await store.close()
})

test('a disk that does not take the agreement: nothing is signed, and the channel goes on paying', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  let full = false
  const failing: ChannelStore = {
    ...store,
    saveLedger: (...args) =>
      full ? Promise.reject(new Error('no space left on device')) : store.saveLedger(...args),
  }
  const book = await openBook(failing)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  await book.putLedger({ sender, openBlock: 7 }, ledgerAt(5n))
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => t.fail('nothing is to be signed') as never },
    domain: { contract, chainId: 31337n },
  })
  full = true
  await t.throwsAsync(manager.agreeToClose(sender, 7, 5n), { message: /no space/ })
  full = false
  const payment = { sender, openBlock: 7, balance: 10n, signature }
  t.is((await manager.registerPayment(payment, 5n)).kind, 'paid')
  await store.close()
})

test('a disk that takes the second of two agreements: the channel takes no payment', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  let failures = 0
  const failing: ChannelStore = {
    ...store,
    saveLedger: (...args) =>
      failures-- > 0
        ? Promise.reject(new Error('no space left on device'))
        : store.saveLedger(...args),
  }
  const book = await openBook(failing)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  await book.putLedger({ sender, openBlock: 7 }, ledgerAt(5n))
  failures = 1
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
    domain: { contract, chainId: 31337n },
  })
  const [first, second] = await Promise.allSettled([
    manager.agreeToClose(sender, 7, 5n),
    manager.agreeToClose(sender, 7, 5n),
  ])
  t.is(first.status, 'rejected')
  t.is(second.status, 'fulfilled')
  const payment = { sender, openBlock: 7, balance: 10n, signature }
  t.is((await manager.registerPayment(payment, 5n)).kind, 'refused')
  await store.close()
})

test('a disk that does not take the proof: nothing is served, and the same proof pays later', async (t) => {
  const store = await openStore(await temporaryFolder(t), owner)
  let full = true
  const failing: ChannelStore = {
    ...store,
    saveLedger: (...args) =>
      full ? Promise.reject(new Error('no space left on device')) : store.saveLedger(...args),
  }
  const book = await openBook(failing)
  await book.confirm(opened, { block: 7, hash: '0x07' })
  const manager = createChannelManager({
    ledgers: bookLedgers(book),
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
    domain: { contract, chainId: 31337n },
  })
  const payment = { sender, openBlock: 7, balance: 5n, signature }
  await t.throwsAsync(manager.registerPayment(payment, 5n), { message: /no space/ })
  full = false
  t.is((await manager.registerPayment(payment, 5n)).kind, 'paid')
  t.is((await manager.registerPayment(payment, 5n)).kind, 'refused')
  await store.close()
})

test('state of another chain, contract or receiver, in use, or readable by others is refused', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await openStore(folder, owner)
  await t.throwsAsync(openStore(folder, owner), { code: 'state_in_use' })
  await store.close()
  for (const other of [{ chainId: 1n }, { contract: sender }, { account: sender }]) {
    await t.throwsAsync(openStore(folder, { ...owner, ...other }), { code: 'state_of_another' })
  }
  await chmod(folder, 0o705)
  await t.throwsAsync(openStore(folder, owner), { code: 'state_readable_by_others' })
})

test('state of format 2 keeps its proofs and reads the chain again', async (t) => {
  const folder = await temporaryFolder(t)
  const old = await openState({ folder, owner, program: 'receiver', format: 2 })
  await old.batch([
    { type: 'put', key: 'position', value: '{"block":7,"hash":"0x07"}' },
    {
      type: 'put',
      key: `facts/${name}`,
      value: `{"sender":"${sender}","openBlock":7,"deposit":"100","state":"closing"}`,
    },
    { type: 'put', key: `ledger/${name}`, value: ledgerOf4 },
  ])
  await old.close()
  const store = await openStore(folder, owner)
  const { facts, ledgers, position } = await store.load()
  await store.close()
  t.deepEqual([...ledgers], [[name, ledgerAt(5n)]])
  t.is(facts.size, 0)
  t.is(position, undefined)
  await t.throwsAsync(openState({ folder, owner, program: 'receiver', format: 2 }), {
    code: 'state_format_unknown',
  })
})
