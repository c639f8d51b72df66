// Who listens to the book hears of every ledger, whoever puts it.
import test from 'ava'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { bookLedgers } from '../../../receiver/channels/book-ledgers.ts'
import { createChannelManager } from '../../../receiver/channels/manager.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const domain = { contract, chainId: 31337n }

const opened = (block: number): ChannelEvent => ({
  ...{ kind: 'created', channel: { sender, receiver, openBlock: block }, deposit: 100n },
  ...{ block, contractBlock: block, blockHash: `0x0${block}`, transaction: '0x00', logIndex: 0 },
})

test('a listener is told of payments, of what is given back and of closes, and finds them in the book', async (t) => {
  const store = await openStore(await temporaryFolder(t), { ...domain, account: receiver })
  t.teardown(() => store.close())
  const book = await openBook(store)
  await book.confirm([opened(7)], { block: 7, hash: '0x07' })
  const heard: string[] = []
  book.listen((address, openBlock) => {
    const { claims, agreedToClose } = book.ledger(address, openBlock)
    const credit = claims.unclaimed.map(({ from, to }) => `${from}-${to}`)
    heard.push([claims.highest, ...credit, agreedToClose].join(' '))
  })
  const second: number[] = []
  book.listen((_, openBlock) => void second.push(openBlock))
  const manager = createChannelManager({
    ...{ ledgers: bookLedgers(book), domain },
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
  })
  const paid = await manager.registerPayment({ sender, openBlock: 7, balance: 5n, signature }, 5n)
  if (paid.kind === 'paid') await paid.chargeOnly(3n)
  await manager.agreeToClose(sender, 7, 5n)
  t.deepEqual(heard, ['5 false', '5 3-5 false', '5 3-5 true'])
  t.deepEqual(second, [7, 7, 7])
})

test('closing channels are those that all channels have, wherever a close is seen, confirmed or taken back', async (t) => {
  const store = await openStore(await temporaryFolder(t), { ...domain, account: receiver })
  t.teardown(() => store.close())
  const book = await openBook(store)
  const at = (block: number) => ({ block, hash: `0x${block}` as const })
  const event = (kind: string, openBlock: number, block: number) =>
    ({
      ...{ kind, channel: { sender, receiver, openBlock }, balance: 1n, receiverTokens: 1n },
      ...{ deposit: 100n, block, contractBlock: block, blockHash: `0x${block}` },
      ...{ transaction: '0x00', logIndex: 0 },
    }) as ChannelEvent
  const three = [1, 2, 3].map((block) => event('created', block, block))
  const steps: readonly (readonly [string, () => unknown, readonly number[]])[] = [
    ['all are open', () => book.confirm(three, at(3)), []],
    [
      'closes are seen, also of a channel that is not confirmed',
      () =>
        book.setUnconfirmed(
          [
            event('closeRequested', 1, 4),
            event('created', 4, 4),
            event('closeRequested', 4, 5),
            event('created', 5, 5),
          ],
          5,
        ),
      [1, 4],
    ],
    ['they are gone', () => book.setUnconfirmed([], 6), []],
    ['one is confirmed', () => book.confirm([event('closeRequested', 2, 7)], at(7)), [2]],
    ['its end is seen', () => book.setUnconfirmed([event('settled', 2, 8)], 8), []],
    ['its end is gone', () => book.setUnconfirmed([event('challenged', 2, 8)], 8), [2]],
    ['its request is taken back', () => book.rollBack(at(3)), [2]],
    ['and the challenge with it', () => book.setUnconfirmed([], 9), []],
    ['another one', () => book.confirm([event('closeRequested', 3, 9)], at(9)), [3]],
    ['its end', () => book.confirm([event('settled', 3, 10)], at(10)), []],
    ['one more', () => book.confirm([event('closeRequested', 1, 11)], at(11)), [1]],
    ['as it is on disk', () => book.reload(), [1]],
    ['all is read again', () => book.forgetChain(at(0)), []],
  ]
  for (const [title, step, closing] of steps) {
    await step()
    const blocks = (channels: Iterable<{ readonly openBlock: number }>) =>
      [...channels].map(({ openBlock }) => openBlock)
    t.deepEqual(blocks(book.asSeen('closing')), closing, title)
    const among = [...book.asSeen()].filter(({ state }) => state === 'closing')
    t.deepEqual(blocks(among), closing, title)
    const confirmed = [...book.all()].filter(({ state }) => state === 'closing')
    t.deepEqual(blocks(book.inState('closing')), blocks(confirmed), title)
  }
})

test('a chain that could not be forgotten on disk is not forgotten in memory, and no step goes on from it', async (t) => {
  const store = await openStore(await temporaryFolder(t), { ...domain, account: receiver })
  t.teardown(() => store.close())
  let isFull = true
  const dropFacts: typeof store.dropFacts = async (position) => {
    if (isFull) throw new Error('the disk is full')
    await store.dropFacts(position)
  }
  const book = await openBook({ ...store, dropFacts })
  const position = { block: 7, hash: '0x07' } as const
  await book.confirm([opened(7)], position)
  const start = { block: 1, hash: '0x01' } as const
  await t.throwsAsync(book.forgetChain(start), { message: 'the disk is full' })
  t.deepEqual(book.position(), position)
  t.truthy(book.get(sender, 7))
  isFull = false
  await book.forgetChain(start)
  await book.confirm([opened(8)], { block: 8, hash: '0x08' })
  await book.reload()
  t.deepEqual(
    [...book.all()].map(({ openBlock }) => openBlock),
    [8],
  )
})
