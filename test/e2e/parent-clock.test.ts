// Chains of the kind of Arbitrum: contracts count with the blocks of the chain below.
import test, { type ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import { isChannelOver } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex } from '../../protocol/index.ts'
import type { ReceiverOptions } from '../../receiver/index.ts'
import { startWatchtower } from '../../receiver/program/watchtower/tower.ts'
import { startParentClockChain } from '../lab/chains/parent-clock-chain.ts'
import { price } from '../support/system.ts'
import { until } from '../support/until.ts'
import { startWholeSystem } from '../support/whole-system.ts'

async function given(t: ExecutionContext, receiverOptions: Partial<ReceiverOptions> = {}) {
  const chain = await startParentClockChain()
  const system = await startWholeSystem(t, chain, receiverOptions)
  const buy = async (buyer: Agent, times = 1) => {
    for (let bought = 0; bought < times; bought++) {
      t.is((await buyer.get(`${system.base}/reading`)).status, 200)
    }
  }
  /** Below: the contract refuses a close in the very block of the opening. */
  const nextBlock = () => chain.mine(1)
  const below = () => chain.provider.getBlockNumber()
  return { ...system, buy, nextBlock, below }
}

test('opens, buys, tops up, and closes together with the receiver', async (t) => {
  const system = await given(t)
  const { agent, buy, base, nextBlock, below, tokensOf, receiverAccount, contract } = system
  const buyer = await agent()
  await buy(buyer, 12)
  const { openBlock, name, highest } = system.channelOf(buyer)
  t.is(highest, 12n * price)
  t.true(openBlock <= (await below()), 'named by the block below')
  await nextBlock()
  await buyer.closeChannel(name, base)
  t.is(await tokensOf(receiverAccount.address), 60n)
  t.is(await tokensOf(contract), 0n)
})

test('the receiver withdraws, and closes on its side', async (t) => {
  const system = await given(t)
  const { agent, buy, nextBlock, receiver, tokensOf, receiverAccount } = system
  const buyer = await agent()
  await buy(buyer)
  t.is((await receiver().settlement.withdrawAll()).sum, price)
  await until(() => receiver().settlement.status().uncollected === 0n)
  await buy(buyer)
  await nextBlock()
  const { openBlock } = system.channelOf(buyer)
  await receiver().settlement.closeChannel(buyer.address, openBlock)
  t.is(await tokensOf(receiverAccount.address), 2n * price)
  t.deepEqual(await buyer.settle(), [])
  t.true(await isChannelOver((await system.asSender()).client, system.channelOf(buyer).id))
})

test('the receiver is gone: closed alone, and settled when the period is over below', async (t) => {
  const system = await given(t)
  const { agent, buy, chain, nextBlock, below, receiver, tokensOf, receiverAccount } = system
  const buyer = await agent()
  await buy(buyer)
  const { name, id } = system.channelOf(buyer)
  await nextBlock()
  await buyer.closeChannel(name, {})
  const { client } = await system.asSender()
  const settleBlock = buyer.channels()[0]?.settleBlock ?? 0
  t.is((await client.channelInfo(id))?.settleBlock, settleBlock)
  t.is(settleBlock, (await below()) + 500)
  await receiver().refresh()
  // Blocks of its own there are many more of: they count for nothing.
  await chain.mine(settleBlock - (await below()))
  t.deepEqual(await buyer.settle(), [], 'the next block may belong to the same one below')
  await chain.mine(1)
  t.deepEqual(await buyer.settle(), [name])
  t.is(await tokensOf(receiverAccount.address), price)
  t.true(await isChannelOver(client, id))
})

test('a dishonest close is answered by the receiver', async (t) => {
  const system = await given(t)
  const { agent, buy, nextBlock, tokensOf, receiverAccount } = system
  const buyer = await agent()
  await buy(buyer, 3)
  const { id } = system.channelOf(buyer)
  await nextBlock()
  const { client, transactions } = await system.asSender()
  await transactions.send(client.calls.uncooperativeClose(id, price))
  await until(async () => (await tokensOf(receiverAccount.address)) === 3n * price)
  t.is(await client.channelInfo(id), undefined)
})

test('a watchtower challenges in time, and the rest is settled', async (t) => {
  const system = await given(t)
  const { agent, buy, chain, nextBlock, folder, contract, receiver, receiverAccount } = system
  const buyer = await agent()
  await buy(buyer, 2)
  const { id, name, highest, signature } = system.channelOf(buyer)
  const account = chain.accounts[5]
  if (account === undefined) return t.fail('an account')
  const tower = await startWatchtower({
    signer: createKeySigner(fromHex(account.privateKey)),
    ...{ rpcUrl: chain.rpcUrl, contract, receiver: receiverAccount.address },
    state: `${folder}/tower`,
    ...{ pollInterval: 20, confirmations: 1, transactionPoll: 10 },
  })
  t.teardown(tower.stop)
  t.is(await tower.keep({ ...id, balance: highest, signature }), 'stored')
  await receiver().stop()
  await nextBlock()
  await buyer.closeChannel(name, { balance: price })
  const { client } = await system.asSender()
  await chain.mine(100)
  await tower.refresh()
  t.is((await client.channelInfo(id))?.closingBalance, price, 'it leaves the receiver its time')
  t.like(tower.status().answers, [{ remaining: 400 }])
  await chain.mine(200)
  await until(async () => (await client.channelInfo(id))?.closingBalance === highest)
  await chain.mine(201)
  t.deepEqual(await buyer.settle(), [name])
  t.is(await system.tokensOf(receiverAccount.address), highest)
})

test('the SD card is lost: channels come back under their names', async (t) => {
  const system = await given(t)
  const { agent, buy, folder } = system
  const buyer = await agent()
  await buy(buyer)
  const { openBlock } = system.channelOf(buyer)
  await buyer.stop()
  const again = await agent({ store: `${folder}/another` })
  await again.recoverChannels()
  t.is(again.channels()[0]?.openBlock, openBlock)
  await buy(again)
})

test('a second channel, and a close, in the block below of the first: refused, with what to do', async (t) => {
  const system = await given(t)
  const { agent, chain, receiverAccount } = system
  const buyer = await agent()
  const name = await buyer.openChannel(receiverAccount.address, 20n)
  for (const refused of [
    () => buyer.closeChannel(name, {}),
    () => buyer.openChannel(receiverAccount.address, 21n),
  ]) {
    const error = await t.throwsAsync(refused(), { code: 'transaction_reverts' })
    t.regex(String((error as { hint?: string }).hint), /next of the chain below/)
  }
  await chain.mine(1)
  await buyer.closeChannel(name, {})
  t.is(buyer.channels()[0]?.state, 'closing')
})
