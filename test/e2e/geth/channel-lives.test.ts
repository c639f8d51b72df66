// What a channel can go through, from its opening to the last token, on every kind of chain.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { FundedAccount } from '../../lab/chains/test-accounts.ts'
import { onEachChain } from '../../support/chains.ts'
import { price } from '../../support/system.ts'
import { until } from '../../support/until.ts'
import { startWholeSystem } from '../../support/whole-system.ts'

onEachChain(test, ({ name, start }) => {
  for (const funding of ['erc223', 'approve', 'permit', 'relay'] as const) {
    test.serial(`${name}: deposits by ${funding}, 12 payments, closed together`, async (t) => {
      const system = await startWholeSystem(t, await start(), { relay: {} })
      const { base, agent, receiverAccount, senderAccount, tokensOf, channelOf } = system
      const buyer = await agent({ funding })
      for (let reading = 0; reading < 12; reading++) {
        t.is((await buyer.get(`${base}/reading`)).status, 200)
      }
      t.like(buyer.channels()[0], { deposit: 75n, balance: 60n })
      await buyer.closeChannel(channelOf(buyer).name, base)
      t.is(await tokensOf(receiverAccount.address), 60n)
      t.is(await tokensOf(senderAccount.address), 10_000n - 60n)
    })
  }

  test.serial(`${name}: the receiver withdraws, and the channel pays on`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, receiverAccount, tokensOf, asReceiver, channelOf } = system
    const buyer = await agent()
    for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
    const { openBlock, highest, signature, name: channel } = channelOf(buyer)
    const { client, transactions } = await asReceiver()
    const proof = { openBlock, balance: highest, signature }
    await transactions.send(client.calls.withdrawBatch([proof]))
    t.is(await tokensOf(receiverAccount.address), 15n)
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    await buyer.closeChannel(channel, base)
    t.is(await tokensOf(receiverAccount.address), 20n)
  })

  test.serial(
    `${name}: the receiver closes a channel of the newest block, in a batch`,
    async (t) => {
      const system = await startWholeSystem(t, await start())
      const { base, agent, receiverAccount, tokensOf, asReceiver, channelOf } = system
      const buyer = await agent()
      await buyer.get(`${base}/reading`)
      const { openBlock, highest, signature } = channelOf(buyer)
      const { client, transactions } = await asReceiver()
      t.is((await client.head()).contractBlock, openBlock)
      const proof = { openBlock, balance: highest, signature }
      await transactions.send(client.calls.cooperativeCloseBatch([proof]))
      t.is(await tokensOf(receiverAccount.address), price)
    },
  )

  test.serial(`${name}: closed alone, settled after the challenge period`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, chain, receiverAccount, senderAccount, tokensOf, channelOf } = system
    const buyer = await agent()
    await buyer.get(`${base}/reading`)
    const { name: channel } = channelOf(buyer)
    await buyer.closeChannel(channel, { api: 'http://127.0.0.1:9', otherwise: 'requestClose' })
    t.deepEqual(await buyer.settle(), [])
    await chain.mine(501)
    t.deepEqual(await buyer.settle(), [channel])
    t.is(await tokensOf(receiverAccount.address), price)
    t.is(await tokensOf(senderAccount.address), 10_000n - price)
  })

  test.serial(`${name}: a close below the proof is answered, and nothing is lost`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, receiverAccount, senderAccount, tokensOf } = system
    const { asSender, channelOf } = system
    const buyer = await agent()
    for (let reading = 0; reading < 4; reading++) await buyer.get(`${base}/reading`)
    const { id } = channelOf(buyer)
    const { client, transactions } = await asSender()
    await transactions.send(client.calls.uncooperativeClose(id, 5n))
    await until(async () => (await client.channelInfo(id)) === undefined)
    t.is(await tokensOf(receiverAccount.address), 20n)
    t.is(await tokensOf(senderAccount.address), 10_000n - 20n)
  })

  test.serial(`${name}: anybody challenges a close while the receiver is off`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, chain, receiver, receiverAccount, tokensOf } = system
    const { as, asSender, channelOf } = system
    const buyer = await agent()
    for (let reading = 0; reading < 4; reading++) await buyer.get(`${base}/reading`)
    const { id, highest, signature } = channelOf(buyer)
    await receiver().stop()
    const cheat = await asSender()
    await cheat.transactions.send(cheat.client.calls.uncooperativeClose(id, 5n))
    const tower = await as(accountOf(chain.accounts, 3))
    await tower.transactions.send(tower.client.calls.challenge(id, highest, signature))
    t.like(await tower.client.channelInfo(id), { closingBalance: 20n })
    await chain.mine(501)
    await cheat.transactions.send(cheat.client.calls.settle(id))
    t.is(await tokensOf(receiverAccount.address), 20n)
    t.is(await tower.client.channelInfo(id), undefined)
  })

  test.serial(`${name}: the agent’s disk is lost, chain and receiver know the rest`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, folder, receiverAccount, tokensOf } = system
    const before = await agent()
    for (let reading = 0; reading < 3; reading++) await before.get(`${base}/reading`)
    await before.stop()
    await rm(join(folder, 'agent'), { recursive: true })
    const again = await agent()
    const [found] = await again.recoverChannels()
    if (found === undefined) return t.fail('no channel was found')
    t.like((await again.get(`${base}/reading`)).payment, { channel: found, balance: 20n })
    await again.closeChannel(found, base)
    t.is(await tokensOf(receiverAccount.address), 20n)
  })

  test.serial(`${name}: the receiver’s disk is lost, the next payment is worth all`, async (t) => {
    const system = await startWholeSystem(t, await start())
    const { base, agent, folder, receiverAccount, tokensOf, channelOf, restartReceiver } = system
    const buyer = await agent()
    for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
    await restartReceiver(() => rm(join(folder, 'receiver'), { recursive: true }))
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    t.is(channelOf(buyer).highest, 20n)
    await buyer.closeChannel(channelOf(buyer).name, base)
    t.is(await tokensOf(receiverAccount.address), 20n)
  })
})

function accountOf(accounts: readonly FundedAccount[], index: number): FundedAccount {
  const account = accounts[index]
  if (account === undefined) throw new Error(`the chain has no account ${index}`)
  return account
}
