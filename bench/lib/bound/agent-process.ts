// The real agent: buys so often, and says what that took of its processor. `free` asks without paying; `ticks` is
// bound as well, on a contract that knows them.
import got from 'got'
import { openLedger } from '../../../agent/channels/ledger.ts'
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { channelOf, contractKey, keys, token } from './parties.ts'

const [mode = 'free', base = '', store = '', count = '0'] = process.argv.slice(2)
const contract = addressOfKey(fromHex(contractKey))
const chainId = 31337n
const signer = createKeySigner(fromHex(keys.sender))
const { ask, stop } = mode === 'free' ? free() : await paying(mode)

for (let warmUp = 0; warmUp < 200; warmUp++) await ask()
process.send?.('warm')
await new Promise((resolve) => process.once('message', resolve))
const before = process.cpuUsage()
for (let request = 0; request < Number(count); request++) await ask()
const { user, system } = process.cpuUsage(before)
process.send?.(user + system)
await new Promise((resolve) => process.once('message', resolve))
await stop()
process.disconnect()

function free() {
  return {
    ask: async (): Promise<unknown> => got(`${base}/free`).json(),
    stop: async (): Promise<void> => undefined,
  }
}

async function paying(kind: string) {
  const bound = kind === 'unbound' ? 'off' : 'require'
  const ledger = await openLedger({
    ...{ folder: store, reservation: 16, budget: {} },
    owner: { chainId, contract, account: signer.address },
    readClock: () => ({ wall: Date.now(), uptime: 0, boot: 'bench', synchronised: true }),
  })
  const { receiver, openBlock, deposit } = channelOf()
  await ledger.add({
    ...{ receiver, openBlock, deposit, bound: 0n, signed: 0n, exact: true },
    ...{ free: [], state: 'open' as const, openTransaction: '0x00' as const },
  })
  await ledger.rememberFacts({
    token: { address: token, symbol: 'TKN', decimals: 18 },
    contractVersion: kind === 'ticks' ? '0.4.0' : '0.3.0',
  })
  await ledger.close()
  const agent = await createAgent({
    ...{ signer, rpcUrl: 'http://127.0.0.1:9', chainId, contract, store, bound },
  })
  return {
    ask: async (): Promise<unknown> => {
      const answer = await agent.get(`${base}/paid`)
      if (answer.payment?.authentic !== (bound === 'require')) throw new Error('not as asked for')
      return answer.json()
    },
    stop: () => agent.stop(),
  }
}
