// The programs on chains of many kinds: each lives a whole life of channels there.
import test, { type ExecutionContext } from 'ava'
import { challengeTimeText, connectChain } from '../../platform/chain/index.ts'
import { lookAtContract } from '../../platform/cli/doctor.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { startParentClockChain } from '../lab/chains/parent-clock-chain.ts'
import { wholeLife } from '../support/channel-life.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { hears, kindsOf } from '../support/kinds-table.ts'
import { price, reading, startSystemOn } from '../support/system.ts'

type Start = (t: ExecutionContext) => Promise<EmbeddedChain>

const hex = (value: number) => `0x${value.toString(16)}`

/** So many blocks show how long they take, whatever the test adds. */
const past = 1000

function withBlocksOf(seconds: number): Start {
  return async () => {
    const chain = await startEmbeddedChain()
    await chain.provider.send('hardhat_mine', [hex(past), hex(seconds)])
    return chain
  }
}

const fourBlocksASecond: Start = async () => {
  const chain = await startEmbeddedChain()
  for (let passed = 0; passed < past; passed += 4) {
    await chain.provider.send('evm_increaseTime', [1])
    await chain.provider.send('hardhat_mine', [hex(4), '0x0'])
  }
  return chain
}

/** As before EIP-1559: no base fee, no tip, no transactions of the new kind. */
const withoutBaseFee: Start = async (t) => {
  const chain = await startEmbeddedChain()
  const { url } = await startFaultyRpc(t, chain.rpcUrl, ({ method, params }) => {
    if (method === 'eth_getBlockByNumber' || method === 'eth_getBlockByHash') {
      return { change: (block) => block && { ...(block as object), baseFeePerGas: undefined } }
    }
    if (method === 'eth_maxPriorityFeePerGas' || method === 'eth_feeHistory') {
      return { error: { code: -32601, message: `the method ${method} does not exist` } }
    }
    if (method === 'eth_sendRawTransaction' && `${params[0]}`.startsWith('0x02')) {
      return { refuse: 'transaction type not supported' }
    }
    return undefined
  })
  return { ...chain, rpcUrl: url }
}

const chains: Readonly<Record<string, Start>> = {
  'as Ethereum has it': withBlocksOf(12),
  'contracts see the block numbers of the chain below (Arbitrum, Orbit)': () =>
    startParentClockChain(),
  'no base fee (before EIP-1559)': withoutBaseFee,
  'a block every 0.25 s': fourBlocksASecond,
  'a block every 15 s': withBlocksOf(15),
}

const rows = kindsOf('chain')

test('the table has the chains of these tests, and no other', (t) => {
  t.deepEqual(rows.map(({ name }) => name).sort(), Object.keys(chains).sort())
})

for (const { name, opens, topsUp, together, alone, said } of rows) {
  test(`a chain: ${name}`, async (t) => {
    const chain = (await chains[name]?.(t)) ?? (await startEmbeddedChain())
    const heard: string[] = []
    const quiet = () => undefined
    const log = { info: quiet, warn: (_: object, message: string) => void heard.push(message) }
    const system = await startSystemOn(t, chain, [reading()], { log })
    const client = await connectChain({ rpcUrl: chain.rpcUrl, contract: system.contract })
    t.teardown(client.close)
    heard.push((await lookAtContract(client)).says)
    const early = await system.agent()
    heard.push(challengeTimeText(await early.challengeTime()))
    await early.stop()
    const life = await wholeLife(t, { system, price })
    t.is(life.opens, opens)
    t.is(life.topsUp, topsUp)
    t.deepEqual([together, alone], ['yes', 'yes'])
    for (const words of said) hears(t, heard, words)
  })
}
