// A receiver and an agent that have lost everything read a chain of more than 100 000 blocks, in pieces; on geth
// one of 5000, in five pieces.
//
// The embedded chain adds so many blocks at once. Of a geth they would take minutes in development mode, so we make
// the blocks ourselves, and geth checks and imports each of them.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { onEachChain } from '../../support/chains.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { startWholeSystem } from '../../support/whole-system.ts'

onEachChain(test, ({ name, start }) => {
  const blocks = name.startsWith('geth') ? 5000 : 100_000
  // As a provider with a modest limit.
  const mostRange = name.startsWith('geth') ? 1000 : 5000
  test.serial(`${name}: a channel is found across ${blocks} blocks, in pieces`, async (t) => {
    t.timeout(1_200_000)
    const chain = await start()
    const ranges: number[] = []
    const provider = await startFaultyRpc(t, chain.rpcUrl, ({ method, params }) => {
      if (method !== 'eth_getLogs') return undefined
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
      const range = Number(toBlock) - Number(fromBlock) + 1
      if (range > mostRange) {
        return { error: { code: -32005, message: 'block range is too wide' } }
      }
      ranges.push(range)
      return undefined
    })
    // While blocks are imported the node is away, on a slow machine for minutes.
    const outage = { longest: 3_600_000 }
    const system = await startWholeSystem(t, chain, { rpcUrl: provider.url, outage })
    const { base, agent, folder, receiver, receiverAccount, restartReceiver, tokensOf } = system
    const rpcUrl = provider.url
    // The receiver has all those blocks to read before it sees the top-up.
    const buyer = await agent({ rpcUrl, confirmTimeout: 1_200_000 })
    await buyer.get(`${base}/reading`)
    await chain.addBlocks(blocks)
    for (let reading = 0; reading < 11; reading++) {
      t.is((await buyer.get(`${base}/reading`)).status, 200)
    }
    t.like(buyer.channels()[0], { balance: 60n, deposit: 75n })
    await buyer.stop()

    ranges.length = 0
    await rm(join(folder, 'agent'), { recursive: true })
    await restartReceiver(() => rm(join(folder, 'receiver'), { recursive: true }))
    const openBlock = buyerBlock(buyer.channels())
    t.like(receiver().book.get(buyer.address, openBlock), { deposit: 75n, state: 'open' })
    const again = await agent({ rpcUrl })
    const [found] = await again.recoverChannels()
    t.like(again.channels()[0], { openBlock, deposit: 75n })
    t.true(Math.max(...ranges) <= mostRange)
    t.true(ranges.reduce((all, range) => all + range, 0) >= 2 * blocks)

    // Nobody knows any more what was paid: the receiver shows nothing, and the agent asks for nothing back.
    if (found === undefined) return t.fail('no channel was found')
    t.is((await again.get(`${base}/reading`)).status, 200)
    await again.closeChannel(found, base)
    t.true((await tokensOf(receiverAccount.address)) > 0n)
  })
})

function buyerBlock(channels: readonly { readonly openBlock: number }[]): number {
  return channels[0]?.openBlock ?? 0
}
