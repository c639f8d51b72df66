// Settled channels are forgotten, the oldest first; their sums stay, whatever breaks off, comes back or is read again.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { addressOfKey, fromHex, parseSignature, toHex } from '../../../protocol/index.ts'
import { type BookOptions, type ChannelBook, openBook } from '../../../receiver/channels/book.ts'
import { forget, forgetDepth, nothingForgotten } from '../../../receiver/channels/forgetting.ts'
import { historyDepth } from '../../../receiver/channels/history.ts'
import { type Channel, emptyLedger } from '../../../receiver/channels/records.ts'
import { type ChannelStore, openStore } from '../../../receiver/channels/store.ts'
import { earned } from '../../../receiver/income/recorder.ts'
import { exposureOf } from '../../../receiver/settlement/exposure.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account: receiver }
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const hashOf = (block: number) => toHex(Uint8Array.of(block >> 16, block >> 8, block))

function settledAt(block: number, highest = 0n, paid = highest): Channel {
  return {
    ...emptyLedger,
    ...{ sender, openBlock: block - 1, deposit: 100n, withdrawn: 0n, state: 'settled' },
    end: { balance: paid, block, contractBlock: block },
    claims: { highest, unclaimed: [] },
  }
}

test('as many stay as are to be kept, and what may come back stays', (t) => {
  const settled = [50, 10, 30, 20, 40].map((block) => settledAt(block))
  const gone = (keep: number, final: number) =>
    forget(settled, { keep, final, before: nothingForgotten })?.names.map((name) =>
      Number(name.split('/')[1]),
    )
  t.is(gone(5, 1000), undefined)
  t.deepEqual(gone(4, 1000), [9])
  t.deepEqual(gone(2, 1000), [9, 19, 29])
  t.deepEqual(gone(0, 1000), [9, 19, 29, 39, 49])
  t.deepEqual(gone(0, 30), [9, 19, 29])
  t.deepEqual(gone(0, 29), [9, 19])
  t.is(gone(0, 9), undefined)
})

test('channels of one block go together, and what was counted before is not counted again', (t) => {
  const settled = [settledAt(10, 7n), settledAt(10, 9n, 4n), settledAt(11, 1n), settledAt(12, 2n)]
  const first = forget(settled, { keep: 3, final: 1000, before: nothingForgotten })
  t.deepEqual(first?.after, { upTo: 10, channels: 2, lost: 5n, earned: 16n })
  const again = forget(settled, {
    ...{ keep: 1, final: 1000 },
    before: first?.after ?? nothingForgotten,
  })
  t.deepEqual(again?.after, { upTo: 11, channels: 3, lost: 5n, earned: 17n })
})

const event = (
  openBlock: number,
  block: number,
  what: { readonly kind: 'created' } | { readonly kind: 'settled'; readonly balance: bigint },
): ChannelEvent => ({
  channel: { sender, receiver, openBlock },
  ...{ block, contractBlock: block, blockHash: hashOf(block), transaction: '0x00', logIndex: 0 },
  ...(what.kind === 'created'
    ? { kind: 'created', deposit: 100n }
    : { kind: 'settled', balance: what.balance, receiverTokens: what.balance }),
})

/** Opened in `block`, paid to 10, and settled two blocks later for 8. */
async function live(book: ChannelBook, block: number): Promise<void> {
  await book.confirm([event(block, block, { kind: 'created' })], { block, hash: hashOf(block) })
  const answer = { number: 1, mac: '00'.repeat(16), paid: { from: 0n, to: 10n } }
  const ledger = {
    ...emptyLedger,
    claims: { highest: 10n, unclaimed: [{ from: 0n, to: 1n }] },
    proof: { signature, form: 'eip712' as const },
    answers: { last: 1, open: [answer] },
  }
  await book.putLedger({ sender, openBlock: block }, ledger)
  const end = block + 2
  const settled = event(block, end, { kind: 'settled', balance: 8n })
  await book.confirm([settled], { block: end, hash: hashOf(end) })
}

const goOn = (book: ChannelBook, block: number) => book.confirm([], { block, hash: hashOf(block) })

/** So far that all that is settled by `block` may be forgotten. */
async function goDeep(book: ChannelBook, block: number): Promise<void> {
  await goOn(book, block + forgetDepth)
  await goOn(book, block + forgetDepth + 1)
}

const sums = (book: ChannelBook) => ({
  lost: exposureOf(book).lost,
  earned: book.forgotten().earned + earned(book.all()),
  unsettled: book.unsettled(),
})

async function given(t: ExecutionContext, options: BookOptions = { keepSettled: 2 }) {
  const folder = join(await temporaryFolder(t), 'state')
  const store = await openStore(folder, owner)
  return { folder, store, book: await openBook(store, options) }
}

async function keysOf(store: ChannelStore): Promise<number> {
  const { facts, ledgers, history } = await store.load()
  return facts.size + ledgers.size + history.length
}

test('the sums are what they were, in memory and on disk; a payment finds no channel', async (t) => {
  const { store, book } = await given(t)
  for (let life = 1; life <= 5; life++) await live(book, 10 * life)
  const before = sums(book)
  t.deepEqual(before, { lost: 10n, earned: 45n, unsettled: 0n })
  t.is([...book.all()].length, 5)
  await goDeep(book, 52)
  t.deepEqual(sums(book), before)
  t.deepEqual(book.forgotten(), { upTo: 32, channels: 3, lost: 6n, earned: 27n })
  t.deepEqual(
    [...book.all()].map(({ openBlock }) => openBlock),
    [40, 50],
  )
  t.is(book.get(sender, 10), undefined)
  t.is(book.ledger(sender, 10), emptyLedger)
  const read = await openBook(store, { keepSettled: 2 })
  t.deepEqual(sums(read), before)
  t.deepEqual([...read.all()].length, 2)
  await store.close()
})

test('without a number nothing is forgotten', async (t) => {
  const { store, book } = await given(t, {})
  for (let life = 1; life <= 5; life++) await live(book, 10 * life)
  await goOn(book, 10_000)
  t.is([...book.all()].length, 5)
  await store.close()
})

test('what a reorganisation may reach stays, to the block', async (t) => {
  const { store, book } = await given(t, { keepSettled: 0 })
  await live(book, 10)
  await goOn(book, 11 + historyDepth)
  await goOn(book, 11 + historyDepth)
  t.is([...book.all()].length, 1)
  // It is gone back to before the settlement: the channel is open again, and owes.
  await book.rollBack({ block: 10, hash: hashOf(10) })
  t.is(book.get(sender, 10)?.state, 'open')
  t.is(book.unsettled(), 10n)
  const settled = event(10, 20, { kind: 'settled', balance: 10n })
  await book.confirm([settled], { block: 20, hash: hashOf(20) })
  await goDeep(book, 19)
  t.is([...book.all()].length, 1)
  await goDeep(book, 20)
  t.is([...book.all()].length, 0)
  t.deepEqual(book.forgotten(), { upTo: 20, channels: 1, lost: 0n, earned: 9n })
  await store.close()
})

test('where deposits wait for finality, forgetting does too', async (t) => {
  const limits = { steps: [{ blocks: 1, mostOwed: 0n }, { blocks: 'finalised' as const }] }
  const { store, book } = await given(t, { keepSettled: 0, limits })
  await live(book, 10)
  await goDeep(book, 12)
  t.is([...book.all()].length, 1)
  book.setFinalised(11)
  await goDeep(book, 20)
  t.is([...book.all()].length, 1)
  book.setFinalised(12)
  await goDeep(book, 30)
  t.is([...book.all()].length, 0)
  await store.close()
})

test('a kill at the write, or a disk that takes it not: all of it is there, or all is gone', async (t) => {
  const { folder, store } = await given(t)
  let full = false
  const failing: ChannelStore = {
    ...store,
    saveStep: (step) =>
      full ? Promise.reject(new Error('no space left on device')) : store.saveStep(step),
  }
  const book = await openBook(failing, { keepSettled: 2 })
  for (let life = 1; life <= 5; life++) await live(book, 10 * life)
  const before = sums(book)
  await goOn(book, 52 + forgetDepth)
  full = true
  await t.throwsAsync(goOn(book, 2000), { message: /no space/ })
  t.is([...book.all()].length, 5)
  t.deepEqual(sums(book), before)
  full = false
  for (const step of [0, 1]) {
    const copy = await openStore(await crashCopy(folder, `${folder}-${step}`), owner)
    const read = await openBook(copy, { keepSettled: 2 })
    t.is([...read.all()].length, step === 0 ? 5 : 2)
    t.deepEqual(sums(read), before)
    await copy.close()
    await goOn(book, 2000 + step)
  }
  await store.close()
})

test('the chain read again, and a backup of before: nothing is counted twice', async (t) => {
  const { store, book } = await given(t)
  for (let life = 1; life <= 5; life++) await live(book, 10 * life)
  const backup = new Map(await store.readLedgers())
  const before = sums(book)
  await goDeep(book, 52)
  await store.saveLedgers(backup)
  const restored = await openBook(store, { keepSettled: 2 })
  t.deepEqual(sums(restored), before)
  await restored.forgetChain({ block: 1, hash: hashOf(1) })
  for (let life = 1; life <= 5; life++) {
    const block = 10 * life
    await restored.confirm([event(block, block, { kind: 'created' })], {
      ...{ block, hash: hashOf(block) },
    })
    // It looks open, and nobody knows yet what became of it.
    if (block <= restored.forgotten().upTo) t.is(restored.get(sender, block), undefined)
    await restored.confirm([event(block, block + 2, { kind: 'settled', balance: 8n })], {
      ...{ block: block + 2, hash: hashOf(block + 2) },
    })
  }
  t.deepEqual(sums(restored), before)
  await goDeep(restored, 52)
  t.deepEqual(sums(restored), before)
  t.is([...restored.all()].length, 2)
  await store.close()
})

test('a thousand lives leave a store as large as ten do', async (t) => {
  const { store, book } = await given(t)
  const distance = 2 * forgetDepth
  const sizes: number[] = []
  for (let life = 1; life <= 1000; life++) {
    await live(book, distance * life)
    if (life === 10) sizes.push(await keysOf(store))
  }
  sizes.push(await keysOf(store))
  t.true((sizes[1] ?? 0) <= (sizes[0] ?? 0), sizes.join())
  t.deepEqual(sums(book), { lost: 2000n, earned: 9000n, unsettled: 0n })
  await store.close()
})
