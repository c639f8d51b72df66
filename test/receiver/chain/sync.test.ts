// The chain grows, is rewritten, goes back in time; the book follows (wire-protocol.md section 6).
import test, { type ExecutionContext } from 'ava'
import {
  type ChainClient,
  connectChain,
  createTransactionSender,
} from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { type SyncOptions, syncOnce } from '../../../receiver/chain/sync.ts'
import { type ChannelBook, openBook } from '../../../receiver/channels/book.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { temporaryFolder } from '../../support/folder.ts'

async function given(t: ExecutionContext) {
  const embedded = await startEmbeddedChain()
  const { channelsAddress: contract, tokenAddress: token } = await deployTestContracts(
    embedded.wallet(0),
  )
  const [sender, receiver] = embedded.accounts
  if (!sender || !receiver) throw new Error('no accounts')
  const chain = await connectChain({ rpcUrl: embedded.rpcUrl, contract })
  const signer = createKeySigner(fromHex(sender.privateKey))
  const transactions = createTransactionSender({ chain, signer, pollInterval: 10 })
  const folder = await temporaryFolder(t)
  const owner = { chainId: chain.chainId, contract, account: receiver.address }
  const openNew = async () => {
    const store = await openStore(folder, owner)
    return { store, book: await openBook(store) }
  }
  let opened = await openNew()
  t.teardown(async () => {
    await opened.store.close()
    chain.close()
    await embedded.close()
  })
  const parties = { sender: sender.address, receiver: receiver.address }
  const open = async (deposit: bigint): Promise<number> =>
    (await transactions.send(chain.calls.openErc223(token, { ...parties, deposit }))).block
  const topUp = (openBlock: number, added: bigint) =>
    transactions.send(chain.calls.topUpErc223(token, { ...parties, openBlock }, added))
  const sync = (options: Partial<SyncOptions> = {}) =>
    syncOnce({
      chain,
      book: opened.book,
      receiver: receiver.address,
      startBlock: 0,
      confirmations: 3,
      ...options,
    })
  const restart = async () => {
    await opened.store.close()
    opened = await openNew()
  }
  const close = (openBlock: number, balance: bigint) =>
    transactions.send(chain.calls.uncooperativeClose({ ...parties, openBlock }, balance))
  const states = () => [...opened.book.all()].map(({ state }) => state)
  const deposits = () => [...opened.book.all()].map(({ deposit }) => deposit)
  const book = (): ChannelBook => opened.book
  return { embedded, chain, sender, open, topUp, close, sync, restart, deposits, states, book }
}

test('a channel counts when its block is as deep as asked, and not one block before', async (t) => {
  const { embedded, open, sync, deposits, book, sender } = await given(t)
  const block = await open(10n)
  await embedded.mine(1)
  await sync()
  t.deepEqual(deposits(), [])
  t.true(book().isUnconfirmed(sender.address, block))
  await embedded.mine(1)
  await sync()
  t.deepEqual(deposits(), [10n])
  t.false(book().isUnconfirmed(sender.address, block))
})

test('a restart goes on where the last one stopped and counts nothing twice', async (t) => {
  const { embedded, chain, open, topUp, sync, restart, deposits } = await given(t)
  const block = await open(10n)
  await topUp(block, 5n)
  await embedded.mine(5)
  await sync()
  await restart()
  t.deepEqual(deposits(), [15n])
  const asked: number[] = []
  const counting: SyncOptions['chain'] = {
    ...chain,
    events: (query) => {
      asked.push(query.from)
      return chain.events(query)
    },
  }
  await topUp(block, 1n)
  await embedded.mine(5)
  await sync({ chain: counting })
  t.deepEqual(deposits(), [16n])
  t.true(asked.every((from) => from > block))
})

test('stopped in the middle of a long read, it goes on from the last chunk', async (t) => {
  const { embedded, chain, open, sync, restart, deposits } = await given(t)
  await open(10n)
  await embedded.mine(50)
  await open(20n)
  await embedded.mine(50)
  let reads = 0
  const breaking: SyncOptions['chain'] = {
    ...chain,
    events: (query) => (++reads > 3 ? Promise.reject(new Error('gone')) : chain.events(query)),
  }
  await t.throwsAsync(sync({ chain: breaking, chunk: 10 }), { message: 'gone' })
  t.deepEqual(deposits(), [10n])
  await restart()
  await sync({ chunk: 10 })
  t.deepEqual(deposits(), [10n, 20n])
})

for (const depth of [1, 2, 5, 20]) {
  test(`a reorganisation of ${depth} blocks around an opening: the book says what the chain says`, async (t) => {
    const { embedded, open, topUp, sync, deposits } = await given(t)
    const kept = await open(10n)
    await embedded.mine(5)
    await sync()
    const goBack = await embedded.snapshot()
    await open(20n)
    if (depth > 1) await topUp(kept, 7n)
    if (depth > 2) await embedded.mine(depth - 2)
    await sync()
    await goBack()
    await open(30n)
    await embedded.mine(depth + 5)
    // The first round may find that confirmed blocks were replaced; the second one reads them again.
    await sync()
    await sync()
    t.deepEqual(deposits(), [10n, 30n])
  })
}

for (const depth of [1, 2, 3, 4, 20]) {
  test(`a reorganisation of ${depth} blocks takes a top-up and a close back, and brings another`, async (t) => {
    const { embedded, open, topUp, close, sync, deposits, states } = await given(t)
    const kept = await open(10n)
    const closed = await open(20n)
    await embedded.mine(5)
    await sync()
    const goBack = await embedded.snapshot()
    await topUp(kept, 7n)
    if (depth > 1) await close(closed, 0n)
    if (depth > 2) await embedded.mine(depth - 2)
    await sync()
    await goBack()
    await topUp(kept, 1n)
    await close(kept, 0n)
    await embedded.mine(depth + 5)
    await sync()
    await sync()
    t.deepEqual(deposits(), [11n, 20n])
    t.deepEqual(states(), ['closing', 'open'])
  })
}

test('blocks that are replaced while they are read do not count', async (t) => {
  const { embedded, chain, open, sync, deposits, book } = await given(t)
  const goBack = await embedded.snapshot()
  await open(10n)
  await embedded.mine(5)
  const treacherous: SyncOptions['chain'] = {
    ...chain,
    events: async (query) => {
      const events = await chain.events(query)
      await goBack()
      await embedded.mine(6)
      return events
    },
  }
  await sync({ chain: treacherous })
  t.deepEqual(deposits(), [])
  await sync()
  t.deepEqual(deposits(), [])
  t.true((book().position()?.block ?? 0) > 0)
})

test('a node that tells of channels it was not asked for is not believed', async (t) => {
  const { embedded, chain, open, sync, deposits, sender } = await given(t)
  const block = await open(10n)
  await embedded.mine(5)
  const [event] = await chain.events({ from: block, to: block })
  if (event === undefined) return t.fail()
  for (const wrong of [
    { ...event, channel: { ...event.channel, receiver: sender.address } },
    { ...event, block: 1_000_000 },
    { ...event, block: -1 },
  ]) {
    const lying = { ...chain, events: async () => [wrong] }
    await t.throwsAsync(sync({ chain: lying }), { code: 'node_wrong' })
  }
  t.deepEqual(deposits(), [])
})

test('a reorganisation deeper than the confirmations stops payments, and never forgets a proof', async (t) => {
  const { embedded, open, sync, book, sender } = await given(t)
  const goBack = await embedded.snapshot()
  const block = await open(10n)
  await embedded.mine(5)
  await sync()
  const ledger = { claims: { highest: 4n, unclaimed: [] }, agreedToClose: false }
  await book().putLedger({ sender: sender.address, openBlock: block }, ledger)
  await goBack()
  await embedded.mine(20)
  t.like(await sync(), { kind: 'reorganised' })
  t.is(book().get(sender.address, block), undefined)
  t.like(await sync(), { kind: 'synced' })
  t.is(book().get(sender.address, block), undefined)
})

test('a node that is behind, or goes back in time, changes nothing', async (t) => {
  const { embedded, chain, open, sync, deposits } = await given(t)
  await open(10n)
  await embedded.mine(5)
  await sync()
  const behind: Partial<ChainClient> = { ...chain, block: async () => undefined }
  t.like(await sync({ chain: behind as ChainClient }), { kind: 'node_behind' })
  t.deepEqual(deposits(), [10n])
})
