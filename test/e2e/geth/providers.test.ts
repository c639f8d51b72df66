// Nodes as they are for rent: limits, outages, load balancers and lost history, on every kind of chain.
import test from 'ava'
import { onEachChain } from '../../support/chains.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'
import { startWholeSystem } from '../../support/whole-system.ts'

/** Words of real providers for a question that is too large. */
const tooLarge = [
  { code: -32005, message: 'query returned more than 10000 results' },
  { code: -32602, message: 'block range too large, maximum is 8 blocks' },
  { code: -32600, message: 'Log response size exceeded. this block range should work: [0x1, 0x8]' },
]

/** What passes by itself, and how often it happens: a node that does not answer takes nine seconds. */
const passing: readonly (readonly [string, Fault, number])[] = [
  ['a rate limit', { status: 429 }, 50],
  ['a gateway without a node', { status: 502 }, 50],
  ['a rate limit in JSON', { error: { code: -32005, message: 'request count exceeded' } }, 50],
  ['no answer', 'hang', 1],
  ['a broken connection', 'loseAnswer', 50],
  ['pruned history', { error: { code: 4444, message: 'pruned history unavailable' } }, 50],
  ['an index at work', { error: { code: -32000, message: 'indexing is in progress' } }, 50],
]

onEachChain(test, ({ name, start }) => {
  for (const error of tooLarge) {
    test.serial(`${name}: “${error.message}” is read in smaller pieces`, async (t) => {
      const chain = await start()
      const provider = await startFaultyRpc(t, chain.rpcUrl, (call) =>
        rangeOf(call) > 8 ? { error } : undefined,
      )
      await chain.mine(40)
      const { base, agent } = await startWholeSystem(t, chain, { rpcUrl: provider.url })
      const buyer = await agent({ rpcUrl: provider.url })
      t.is((await buyer.get(`${base}/reading`)).status, 200)
    })
  }

  for (const [title, fault, most] of passing) {
    test.serial(`${name}: ${title} again and again, and the receiver reads on`, async (t) => {
      const chain = await start()
      let asked = 0
      const provider = await startFaultyRpc(t, chain.rpcUrl, ({ method }) => {
        if (method !== 'eth_getLogs' && method !== 'eth_getBlockByNumber') return undefined
        const index = asked++
        return index >= 10 && index % 3 === 0 && index < 10 + 3 * most ? fault : undefined
      })
      // Not what programs wait by default, which tests make far longer (support/patient-network.ts).
      const node = { rpcUrl: provider.url, timeout: 9000 }
      const system = await startWholeSystem(t, chain, node)
      const { base, agent, receiver, asSender, channelOf } = system
      const buyer = await agent()
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      const { id } = channelOf(buyer)
      const { client, transactions } = await asSender()
      await transactions.send(client.calls.uncooperativeClose(id, 5n))
      await until(() => receiver().book.get(id.sender, id.openBlock)?.state === 'closing')
      t.pass()
    })
  }

  test.serial(
    `${name}: behind a load balancer the head goes back and forth, and no event is missed`,
    async (t) => {
      const chain = await start()
      let turn = 0
      const provider = await startFaultyRpc(t, chain.rpcUrl, async (call) => {
        // Every second request comes to a node that is three blocks behind.
        if (turn++ % 2 === 0) return undefined
        return lagging(call, (await chain.provider.getBlockNumber()) - 3)
      })
      const confirmations = 6
      const system = await startWholeSystem(t, chain, { rpcUrl: provider.url, confirmations })
      const { base, agent, receiver, asSender, channelOf } = system
      const buyer = await agent()
      const mining = keepMining(chain.mine)
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      const { id } = channelOf(buyer)
      const { client, transactions } = await asSender()
      await transactions.send(client.calls.topUpErc223((await client.tokenFacts()).address, id, 7n))
      await until(() => receiver().book.get(id.sender, id.openBlock)?.deposit === 57n)
      await mining.stop()
      t.pass()
    },
  )

  test.serial(
    `${name}: two of three nodes decide; one that hides a close is not believed`,
    async (t) => {
      const chain = await start()
      const blind = await startFaultyRpc(t, chain.rpcUrl, ({ method }) =>
        method === 'eth_getLogs' ? { answer: [] } : undefined,
      )
      const second = await startFaultyRpc(t, chain.rpcUrl, () => undefined)
      const rpcUrl = [blind.url, chain.rpcUrl, second.url]
      const system = await startWholeSystem(t, chain, { rpcUrl, quorum: 2 })
      const { base, agent, receiver, asSender, channelOf } = system
      const buyer = await agent({ rpcUrl, quorum: 2 })
      t.is((await buyer.get(`${base}/reading`)).status, 200)
      const { id } = channelOf(buyer)
      const { client, transactions } = await asSender()
      await transactions.send(client.calls.uncooperativeClose(id, 5n))
      await until(() => receiver().book.get(id.sender, id.openBlock)?.state === 'closing')
      t.pass()
    },
  )
})

function rangeOf({ method, params }: RpcCall): number {
  if (method !== 'eth_getLogs') return 0
  const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
  return Number(toBlock) - Number(fromBlock) + 1
}

/** As a node that has not seen the blocks after `height`: it leaves out what is in them. */
function lagging({ method, params }: RpcCall, height: number): Fault | undefined {
  if (method === 'eth_getLogs') {
    return {
      change: (logs) =>
        (logs as readonly { readonly blockNumber: string }[]).filter(
          ({ blockNumber }) => Number(blockNumber) <= height,
        ),
    }
  }
  if (method !== 'eth_getBlockByNumber') return undefined
  if (params[0] !== 'latest') return Number(params[0]) > height ? { answer: null } : undefined
  return { change: (block) => ({ ...(block as object), number: `0x${height.toString(16)}` }) }
}

function keepMining(mine: (blocks: number) => Promise<void>) {
  let stopped = false
  const done = (async () => {
    while (!stopped) await mine(1)
  })()
  return {
    stop: async () => {
      stopped = true
      await done
    },
  }
}
