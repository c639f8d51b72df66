// The real agent, in the dialect that it is told: buys so often, says what that took of its processor, and closes its
// channel in the end, so that all gas of it is there to be counted.
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import { fromHex, parseAddress } from '../../../protocol/index.ts'

const [mode = '', base = '', rpcUrl = '', contract = '', asset = '', key = '', store = ''] =
  process.argv.slice(2)
const count = Number(process.argv[9] ?? 0)
const isX402 = mode === 'x402'
const unit = { symbol: 'USD', decimals: 6 }
const agent = await createAgent({
  signer: createKeySigner(fromHex(key)),
  ...{ rpcUrl, chainId: 31337n, contract: parseAddress(contract), store },
  ...{ bound: mode === 'unbound' ? 'off' : 'require', clock: 'trusted', retryInterval: 50 },
  ticks: mode === 'ticks' ? 256 : 0,
  budget: { total: 10n ** 9n, assets: { USD: { unit, total: 10n ** 9n } } },
  ...(isX402 && {
    x402: {
      assets: [
        {
          ...{ name: 'USD', address: parseAddress(asset), chainId: 31337n, decimals: 6 },
          ...{ rpcUrl: [rpcUrl], confirmations: 1 },
        },
      ],
      planFor: () => ({ dialects: ['x402'] as const }),
    },
  }),
})

async function ask(): Promise<void> {
  const answer = await agent.get(`${base}/paid`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text()}`)
  answer.json()
}

for (let warmUp = 0; warmUp < 10; warmUp++) await ask()
process.send?.('warm')
await new Promise((resolve) => process.once('message', resolve))
const before = process.cpuUsage()
for (let request = 0; request < count; request++) await ask()
const { user, system } = process.cpuUsage(before)
process.send?.(user + system)
await new Promise((resolve) => process.once('message', resolve))
for (const { receiver, openBlock, state } of agent.channels()) {
  if (state === 'open') await agent.closeChannel(`${receiver}/${openBlock}`, {})
}
await agent.stop()
process.exit(0)
