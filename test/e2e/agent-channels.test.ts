// Channels from end to end: parallel payments, closing alone, settling later, finding them again.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { claimedSum } from '../../receiver/channels/claims.ts'
import { readChain } from '../support/chain-read.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { price, startSystem } from '../support/system.ts'

test('many requests at once on one channel: each is paid once, with one round trip each', async (t) => {
  const { base, agent, receiver, senderAccount } = await startSystem(t)
  const buyer = await agent({ deposit: { open: () => 1000n } })
  await buyer.get(`${base}/reading`)
  const responses = await Promise.all(
    Array.from({ length: 40 }, () => buyer.get(`${base}/reading`)),
  )
  t.true(responses.every(({ status }) => status === 200))
  t.is(new Set(responses.map(({ payment }) => payment?.balance)).size, 40)
  t.true(responses.every(({ roundTrips }) => roundTrips === 1))
  t.is(buyer.channels().length, 1)
  const openBlock = buyer.channels()[0]?.openBlock ?? 0
  const claims = receiver.book.get(senderAccount.address, openBlock)?.claims
  t.deepEqual(claims, { highest: 41n * price, unclaimed: [] })
})

test('many at once that need a channel, a top-up and the last unit of a budget: no more than it allows', async (t) => {
  const { base, agent, receiver } = await startSystem(t)
  const buyer = await agent({
    budget: { total: 100n },
    deposit: { open: () => 30n, topUp: () => 40n },
  })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 30 }, () => buyer.get(`${base}/reading`)),
  )
  const served = outcomes.filter(({ status }) => status === 'fulfilled').length
  t.is(served, 20)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.is(outcome.reason.code, 'budget_total_spent')
  }
  const claimed = [...receiver.book.all()].reduce((sum, { claims }) => sum + claimedSum(claims), 0n)
  t.is(claimed, 100n)
  t.is(buyer.channels().length, 1)
})

test('the receiver is gone: closed alone, settled after the challenge period by a later process', async (t) => {
  const { base, agent, chain, receiver, senderAccount, receiverAccount, tokensOf } =
    await startSystem(t)
  const changes: string[] = []
  const onChannelChange = (_: unknown, { kind }: { kind: string }): unknown => changes.push(kind)
  const buyer = await agent({ onChannelChange })
  await buyer.get(`${base}/reading`)
  const name = `${receiverAccount.address}/${buyer.channels()[0]?.openBlock ?? 0}` as const
  await t.throwsAsync(buyer.closeChannel(name, 'http://127.0.0.1:9'), {
    code: 'receiver_unreachable',
  })
  await buyer.closeChannel(name, { api: 'http://127.0.0.1:9', otherwise: 'requestClose' })
  t.like(buyer.channels()[0], { state: 'closing' })
  t.deepEqual(await buyer.settle(), [])
  await buyer.stop()
  await readChain(receiver)
  await chain.mine(501)
  const later = await agent({ onChannelChange })
  t.deepEqual(await later.settle(), [name])
  t.deepEqual(changes, ['opened', 'closeRequested', 'settled'])
  t.is(await tokensOf(receiverAccount.address), price)
  t.is(await tokensOf(senderAccount.address), 10_000n - price)
  t.like(later.channels()[0], { state: 'closed', balance: price })
})

test('the SD card is lost: channels come back from the chain, balances from the receiver’s proof', async (t) => {
  const { base, agent, folder, receiverAccount, tokensOf } = await startSystem(t)
  const buyer = await agent()
  for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
  const [lost] = buyer.channels()
  await buyer.stop()
  await rm(join(folder, 'agent'), { recursive: true })
  const again = await agent()
  t.deepEqual(again.channels(), [])
  const name = `${receiverAccount.address}/${lost?.openBlock ?? 0}` as const
  t.deepEqual(await again.recoverChannels(), [name])
  t.like(again.channels()[0], { deposit: 50n, certain: false })
  const { payment } = await again.get(`${base}/reading`)
  t.like(payment, { channel: name, balance: 20n })
  await again.closeChannel(name, base)
  t.is(await tokensOf(receiverAccount.address), 20n)
})

test('the SD card is lost: the first purchase looks on the chain, and locks nothing more', async (t) => {
  const { base, agent, folder, receiverAccount, tokensOf, senderAccount } = await startSystem(t)
  const buyer = await agent()
  for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
  const [lost] = buyer.channels()
  await buyer.stop()
  await rm(join(folder, 'agent'), { recursive: true })
  const tokens = await tokensOf(senderAccount.address)
  const again = await agent()
  const { payment } = await again.get(`${base}/reading`)
  const name = `${receiverAccount.address}/${lost?.openBlock ?? 0}` as const
  t.like(payment, { channel: name, balance: 20n })
  t.is(again.channels().length, 1)
  t.is(await tokensOf(senderAccount.address), tokens)
})

test('the SD card is lost: one who opens by hand is told of the channel that there was', async (t) => {
  const { base, agent, folder, receiverAccount } = await startSystem(t)
  const buyer = await agent()
  await buyer.get(`${base}/reading`)
  const [lost] = buyer.channels()
  await buyer.stop()
  await rm(join(folder, 'agent'), { recursive: true })
  const again = await agent()
  await again.openChannel(receiverAccount.address, 10n)
  t.true(again.channels().some(({ openBlock }) => openBlock === lost?.openBlock))
  t.is(again.channels().length, 2)
})

test('own channels are looked for from startBlock on, and once', async (t) => {
  const { base, agent, folder, chain } = await startSystem(t)
  const buyer = await agent()
  await buyer.get(`${base}/reading`)
  const [lost] = buyer.channels()
  await buyer.stop()
  await rm(join(folder, 'agent'), { recursive: true })
  const startBlock = (lost?.openBlock ?? 0) + 1
  await chain.mine(1)
  const late = await agent({ startBlock })
  await late.get(`${base}/reading`)
  t.is(late.channels().length, 1)
  t.not(late.channels()[0]?.openBlock, lost?.openBlock)
})

test('a channel with credit at the receiver closes at the balance that the receiver knows', async (t) => {
  let broken = false
  const { base, agent, receiverAccount } = await startSystem(t, [
    {
      path: '/reading',
      price,
      handler: () => {
        if (broken) throw new Error('the sensor is unplugged')
        return 'ok'
      },
    },
  ])
  const buyer = await agent()
  await buyer.get(`${base}/reading`)
  broken = true
  await buyer.get(`${base}/reading`)
  const [channel] = buyer.channels()
  t.like(channel, { balance: price })
  await buyer.closeChannel(`${receiverAccount.address}/${channel?.openBlock ?? 0}`, base)
  t.like(buyer.channels()[0], { state: 'closed' })
})

for (const funding of ['erc223', 'permit', 'approve'] as const) {
  test(`deposits by ${funding}: opened, topped up, and every unit accounted for`, async (t) => {
    const { base, agent, receiverAccount, tokensOf } = await startSystem(t)
    const buyer = await agent({ funding })
    for (let reading = 0; reading < 11; reading++) {
      t.is((await buyer.get(`${base}/reading`)).status, 200)
    }
    const [channel] = buyer.channels()
    t.is(channel?.deposit, 75n)
    await buyer.closeChannel(`${receiverAccount.address}/${channel?.openBlock ?? 0}`, base)
    t.is(await tokensOf(receiverAccount.address), 55n)
  })
}

test('a deposit that the token refuses tells the reason, and no approval is sent for it', async (t) => {
  const { agent, receiverAccount, chain, senderAccount } = await startSystem(t)
  const buyer = await agent()
  const before = await chain.provider.getTransactionCount(senderAccount.address)
  await t.throwsAsync(buyer.openChannel(receiverAccount.address, 10n ** 12n), {
    code: 'transaction_reverts',
    message: /InsufficientBalance/,
  })
  t.is(await chain.provider.getTransactionCount(senderAccount.address), before)
})

test('a deposit over what the contract holds is refused at once, one unit less is not', async (t) => {
  const { agent, receiverAccount } = await startSystem(t)
  const buyer = await agent()
  const most = 2n ** 72n - 1n
  await t.throwsAsync(buyer.openChannel(receiverAccount.address, most + 1n), {
    code: 'deposit_too_large',
    message: /at most 4722\.366482869645213695 TKN in one channel/,
  })
  await t.throwsAsync(buyer.openChannel(receiverAccount.address, most), {
    code: 'transaction_reverts',
  })
})

test('deposits stay under their caps, one by one and in all', async (t) => {
  const { base, agent, receiverAccount } = await startSystem(t)
  const small = await agent({ deposit: { most: 12n } })
  await small.get(`${base}/reading`)
  await small.get(`${base}/reading`)
  t.like(small.channels()[0], { deposit: 12n })
  await small.stop()
  const none = await agent({ deposit: { mostInAll: 12n } })
  await t.throwsAsync(none.get(`${base}/reading`), { code: 'deposit_over_cap' })
  t.is(none.channels().length, 1)
  t.is(none.channels()[0]?.receiver, receiverAccount.address)
})

test('what is locked and what was spent stay under the total budget together', async (t) => {
  const { base, agent } = await startSystem(t)
  const buyer = await agent({ budget: { total: 12n } })
  await buyer.get(`${base}/reading`)
  await buyer.get(`${base}/reading`)
  t.is(buyer.channels().length, 1)
  t.like(buyer.channels()[0], { deposit: 12n, balance: 2n * price })
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'budget_total_spent' })
})

test('a node that makes up the price of gas gets nothing sent', async (t) => {
  const { base, agent, chain } = await startSystem(t)
  const tip = `0x${(64_000n * 10n ** 9n).toString(16)}`
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method }) =>
    method === 'eth_maxPriorityFeePerGas' ? { answer: tip } : undefined,
  )
  const buyer = await agent({ rpcUrl: node.url })
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'fee_over_cap' })
  t.deepEqual(buyer.channels(), [])
  t.false(node.calls.some(({ method }) => method === 'eth_sendRawTransaction'))
})
