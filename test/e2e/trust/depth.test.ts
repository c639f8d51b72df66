// Deposits that are not deep yet: what is owed on them is limited, by channel, by sender and in all, because
// one reorganisation hits them all (issue 14, attack 7).
import anyTest, { type ExecutionContext } from 'ava'
import type { BlockRef } from '../../../platform/chain/index.ts'
import type { ReceiverOptions } from '../../../receiver/index.ts'
import { givenCheater } from '../../support/cheating.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'

const test = anyTest.serial

async function given(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const system = await givenCheater(t, {
    pollInterval: 3_600_000,
    confirmations: [{ blocks: 1, mostOwed: 10n }, { blocks: 12 }],
    ...options,
  })
  const { base, sign, headers, chain, receiver } = system
  const payOn = (openBlock: number, balance: bigint) =>
    fetch(`${base}/reading`, {
      headers: headers(balance, {
        'RDN-Open-Block': `${openBlock}`,
        'RDN-Balance-Signature': sign(balance, undefined, undefined, openBlock),
      }),
    })
  const passBlocks = async (blocks: number) => {
    await chain.mine(blocks)
    await receiver.refresh()
  }
  return { ...system, payOn, passBlocks }
}

test('a new deposit pays up to its limit, above it after more blocks, as the answer says', async (t) => {
  const { pay, passBlocks } = await given(t)
  t.is((await pay(5n)).status, 200)
  t.is((await pay(10n)).status, 200)
  const early = await pay(15n)
  t.is(early.status, 402)
  t.is(early.headers.get('rdn-insufficient-confirmations'), '1')
  t.truthy(early.headers.get('retry-after'))
  await passBlocks(10)
  t.is((await pay(15n)).status, 402)
  await passBlocks(1)
  t.is((await pay(15n)).status, 200)
})

test('top-ups in every block do not add up to more', async (t) => {
  const { pay, passBlocks, transactions, client, token, channel, receiver } = await given(t)
  await passBlocks(11)
  t.is((await pay(95n, { 'RDN-Payment': '5' })).status, 200)
  for (let count = 0; count < 3; count++) {
    await transactions.send(client.calls.topUpErc223(token, channel, 5n))
    await receiver.refresh()
  }
  t.is((await pay(100n)).status, 200)
  t.is((await pay(105n)).status, 200)
  t.is((await pay(110n)).status, 200)
  t.is((await pay(115n)).headers.get('rdn-insufficient-confirmations'), '1')
  await passBlocks(12)
  t.is((await pay(115n)).status, 200)
})

test('channels of one sender together, and all channels together, owe no more than their limits', async (t) => {
  for (const notFinal of [{ mostPerSender: 15n }, { mostInAll: 15n }]) {
    const { pay, payOn, openAnother, passBlocks, receiver } = await given(t, { notFinal })
    const second = await openAnother()
    await receiver.refresh()
    t.is((await pay(5n)).status, 200)
    t.is((await pay(10n)).status, 200)
    t.is((await payOn(second, 5n)).status, 200)
    const early = await payOn(second, 10n)
    t.is(early.headers.get('rdn-insufficient-confirmations'), '1')
    // The first one becomes final and counts no more.
    await passBlocks(10)
    t.is((await payOn(second, 10n)).status, 200)
  }
})

test('one block with many openings is taken back: no more is lost than may be owed in all', async (t) => {
  const { payOn, passBlocks, openAnother, chain, receiver } = await given(t, {
    notFinal: { mostInAll: 10n },
  })
  await passBlocks(12)
  const before = await chain.snapshot()
  const blocks: number[] = []
  for (let count = 0; count < 3; count++) blocks.push(await openAnother())
  await receiver.refresh()
  let served = 0n
  for (const block of blocks) {
    for (const balance of [5n, 10n]) if ((await payOn(block, balance)).status === 200) served += 5n
  }
  t.is(served, 10n)
  await before()
  // The new blocks are as many as the old ones.
  await chain.mine(3)
  await receiver.refresh()
  t.is(receiver.book.unsettled(), 0n)
})

test('by default a channel does not count in the very block that opens it', async (t) => {
  const { pay, passBlocks } = await given(t, { confirmations: undefined })
  t.is((await pay(5n)).headers.get('rdn-insufficient-confirmations'), '1')
  await passBlocks(1)
  t.is((await pay(5n)).status, 200)
})

test('with `confirmations: finalised` nothing is paid before the node says so, and a close is answered in the block that shows it', async (t) => {
  const given = await givenCheater(t)
  const { chain, client, channel, sign, isOver, tokensOf, receiverAccount } = given
  await given.stopped()
  let final: BlockRef | undefined
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method, params }) => {
    if (method !== 'eth_getBlockByNumber' || params[0] !== 'finalized') return undefined
    if (final === undefined) return { refuse: 'invalid argument 0: hex string without 0x prefix' }
    const hex = (value: number) => `0x${value.toString(16)}`
    const { number, timestamp } = final
    return { answer: { ...final, number: hex(number), timestamp: hex(timestamp) } }
  })
  const receiver = await given.startAgain({
    ...{ rpcUrl: node.url, confirmations: 'finalised', pollInterval: 3_600_000 },
  })
  await receiver.synced
  await chain.mine(100)
  const register = async (balance: bigint) => {
    await receiver.refresh()
    const payment = { ...channel, balance, signature: sign(balance) }
    return (await receiver.manager.registerPayment(payment, 5n)) as object
  }
  // A node that does not know the word, and one to which the block before is final.
  const early = { kind: 'refused', code: 'insufficient_confirmations' }
  t.like(await register(5n), early)
  final = await client.block(channel.openBlock - 1)
  t.like(await register(5n), early)
  final = await client.block(Number(channel.openBlock))
  t.like(await register(5n), { kind: 'paid' })
  await given.requestClose(0n)
  await receiver.refresh()
  await until(isOver)
  t.is(await tokensOf(receiverAccount.address), 5n)
})
