// geth goes away in the middle of everything that is sent to it, and comes back.
import test from 'ava'
import type { GethChain } from '../../lab/geth/chain.ts'
import { readChain } from '../../support/chain-read.ts'
import { withGeth } from '../../support/chains.ts'
import { type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'
import { startWholeSystem } from '../../support/whole-system.ts'

/** Where in the sending of a transaction geth is stopped. */
const moments = ['before the transaction reaches it', 'before its receipt is read'] as const

/** Lets geth restart once, when a request comes that `when` is true for. */
async function restartOnce(t: Parameters<typeof startFaultyRpc>[0], chain: GethChain) {
  let when: (call: RpcCall) => boolean = () => false
  const node = await startFaultyRpc(t, chain.rpcUrl, async (call) => {
    if (!when(call)) return undefined
    when = () => false
    await chain.restart()
    // The program hears nothing of what it has asked.
    return 'loseRequest'
  })
  return {
    url: node.url,
    at: (moment: (typeof moments)[number]) => {
      const method = moment === moments[0] ? 'eth_sendRawTransaction' : 'eth_getTransactionReceipt'
      when = (call) => call.method === method
    },
  }
}

withGeth(test, (name, start) => {
  for (const moment of moments) {
    test.serial(`${name} restarts ${moment}: open, top up, close together`, async (t) => {
      const chain = await start()
      const node = await restartOnce(t, chain)
      const system = await startWholeSystem(t, chain)
      const { base, agent, receiverAccount, senderAccount, tokensOf, channelOf } = system
      const buyer = await agent({ rpcUrl: node.url })
      node.at(moment)
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      node.at(moment)
      for (let reading = 0; reading < 11; reading++) {
        t.is((await buyer.get(`${base}/reading`)).status, 200)
      }
      t.like(buyer.channels()[0], { deposit: 75n, balance: 60n })
      node.at(moment)
      await buyer.closeChannel(channelOf(buyer).name, base)
      t.is(await tokensOf(receiverAccount.address), 60n)
      t.is(await tokensOf(senderAccount.address), 10_000n - 60n)
    })

    test.serial(`${name} restarts ${moment}: withdraw, answer a dishonest close`, async (t) => {
      const chain = await start()
      const node = await restartOnce(t, chain)
      const system = await startWholeSystem(t, chain, { rpcUrl: node.url })
      const { base, agent, receiverAccount, tokensOf, channelOf } = system
      const { asReceiver, asSender } = system
      const buyer = await agent()
      for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
      const { id, openBlock, highest, signature } = channelOf(buyer)
      const own = await asReceiver(node.url)
      node.at(moment)
      const proof = { openBlock, balance: highest, signature }
      await own.transactions.send(own.client.calls.withdrawBatch([proof]))
      t.is(await tokensOf(receiverAccount.address), 15n)
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      const cheat = await asSender()
      node.at(moment)
      await cheat.transactions.send(cheat.client.calls.uncooperativeClose(id, 15n))
      await until(async () => (await tokensOf(receiverAccount.address)) === 20n)
      await until(() =>
        cheat.client.channelInfo(id).then(
          (info) => info === undefined,
          () => false,
        ),
      )
    })

    test.serial(`${name} restarts ${moment}: close alone, settle`, async (t) => {
      const chain = await start()
      const node = await restartOnce(t, chain)
      const system = await startWholeSystem(t, chain)
      const { base, agent, receiver, receiverAccount, tokensOf, channelOf } = system
      const buyer = await agent({ rpcUrl: node.url })
      await buyer.get(`${base}/reading`)
      const { name: channel } = channelOf(buyer)
      // Otherwise it may settle before the agent does.
      await receiver().stop()
      node.at(moment)
      await buyer.closeChannel(channel, {})
      await chain.mine(501)
      node.at(moment)
      t.deepEqual(await buyer.settle(), [channel])
      t.is(await tokensOf(receiverAccount.address), 5n)
    })
  }

  test.serial(`${name} is away: the receiver serves on, and follows when it is back`, async (t) => {
    const chain = await start()
    const system = await startWholeSystem(t, chain)
    const { base, agent, receiver, asSender, channelOf } = system
    const buyer = await agent()
    await buyer.get(`${base}/reading`)
    await chain.halt()
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    await chain.restart()
    const { id } = channelOf(buyer)
    const { client, transactions } = await asSender()
    await transactions.send(client.calls.uncooperativeClose(id, 5n))
    await until(() => receiver().book.get(id.sender, id.openBlock)?.state === 'closing')
    t.pass()
  })

  test.serial(`${name} is killed and forgets its newest blocks: no proof is lost`, async (t) => {
    const chain = await start()
    const system = await startWholeSystem(t, chain)
    const { base, agent, receiver, channelOf } = system
    const buyer = await agent()
    for (let reading = 0; reading < 3; reading++) await buyer.get(`${base}/reading`)
    const channel = channelOf(buyer)
    await chain.restart('SIGKILL')
    await readChain(receiver())
    t.deepEqual(channelOf(buyer), channel)
    t.like(receiver().book.ledger(channel.id.sender, channel.id.openBlock), {
      claims: { highest: 15n, unclaimed: [] },
      proof: { form: 'eip712' },
    })
  })

  test.serial(
    `${name} takes blocks back: the channel is gone, and what opened it opens another one later`,
    async (t) => {
      const chain = await start()
      const system = await startWholeSystem(t, chain)
      const { base, agent, receiver, channelOf } = system
      const buyer = await agent()
      await buyer.get(`${base}/reading`)
      const { id } = channelOf(buyer)
      const raw = await openingOf(chain, id.openBlock)
      await chain.rewind(id.openBlock - 1)
      await chain.mine(2)
      await until(() => receiver().book.get(id.sender, id.openBlock) === undefined)
      // The same transaction in a later block opens another channel.
      await chain.provider.send('eth_sendRawTransaction', [raw]).catch(() => undefined)
      await until(async () =>
        [...receiver().book.all()].some(
          ({ state, deposit }) => state === 'open' && deposit === 50n,
        ),
      )
      t.is(receiver().book.ledger(id.sender, id.openBlock).claims.highest, 5n)
    },
  )

  for (const [what, more] of [
    ['transactions', ['--history.transactions', '16']],
    ['logs', ['--history.logs', '16']],
    ['states', ['--gcmode', 'full', '--history.state', '16']],
  ] as const) {
    test.serial(`${name} keeps ${what} of 16 blocks only: a channel lives on`, async (t) => {
      const chain = await start({ more })
      const system = await startWholeSystem(t, chain)
      const { base, agent, receiver, receiverAccount, channelOf, restartReceiver } = system
      const { tokensOf } = system
      const buyer = await agent()
      await buyer.get(`${base}/reading`)
      await chain.mine(200)
      await restartReceiver()
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      t.is(receiver().book.position()?.block, await chain.provider.getBlockNumber())
      await buyer.closeChannel(channelOf(buyer).name, base)
      t.is(await tokensOf(receiverAccount.address), 10n)
    })
  }
})

/** The signed transaction that is in this block. */
async function openingOf(chain: GethChain, block: number): Promise<string> {
  const { transactions } = await chain.provider.send('eth_getBlockByNumber', [
    `0x${block.toString(16)}`,
    false,
  ])
  return chain.provider.send('eth_getRawTransactionByHash', [transactions[0]])
}
