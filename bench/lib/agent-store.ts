// The agent of the benchmark, and a store with an open channel for it.
import { openLedger } from '../../agent/channels/ledger.ts'
import { type Agent, createAgent, createKeySigner } from '../../agent/index.ts'
import { fromHex } from '../../protocol/index.ts'
import { benchChannel, benchTerms, benchChain as chainId, senderKey } from './agent-terms.ts'

export interface BenchSettings {
  readonly reservation: number
  readonly ticks?: number
}

const signer = createKeySigner(fromHex(senderKey))
const { contract, receiver, token } = benchTerms

export async function prepareStore(folder: string): Promise<void> {
  const ledger = await openLedger({
    folder,
    owner: { chainId, contract, account: signer.address },
    ...{ reservation: 1, budget: {} },
    readClock: () => ({ wall: Date.now(), uptime: 0, boot: 'bench', synchronised: true }),
  })
  await ledger.add({
    ...{ receiver, openBlock: benchChannel.openBlock, deposit: 10n ** 18n },
    ...{ bound: 0n, signed: 0n, exact: true, free: [] },
    ...{ state: 'open', openTransaction: '0x00' },
  })
  await ledger.rememberFacts({
    token: { address: token, symbol: 'TKN', decimals: 18 },
    contractVersion: '0.4.0',
  })
  await ledger.close()
}

export function openAgent(store: string, settings: BenchSettings): Promise<Agent> {
  return createAgent({
    ...{ signer, rpcUrl: 'http://127.0.0.1:9', chainId, contract, store, ...settings },
    budget: { hour: 10n ** 17n, day: 10n ** 17n, total: 10n ** 17n },
  })
}
