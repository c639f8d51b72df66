// An agent with a channel of 10 000 units on a contract that knows ticks, and a receiver that takes them.
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openLedger } from '../../agent/channels/ledger.ts'
import { type AgentOptions, createKeySigner } from '../../agent/index.ts'
import { fromHex, type Signer } from '../../protocol/index.ts'
import { type BoundReceiverOptions, boundReceiver } from './bound-receiver.ts'
import { temporaryFolder } from './folder.ts'
import { newChannel, noon } from './ledger.ts'
import { agentOn, chainId, contract, sender, senderKey, token } from './lying-receiver.ts'

export interface TickCase {
  readonly version?: string
  readonly receiver?: BoundReceiverOptions
  readonly agent?: Partial<AgentOptions>
}

export async function tickCase(t: ExecutionContext, given: TickCase = {}) {
  const offer = { taken: true, offered: true }
  const receiver = await boundReceiver(t, { ticks: () => offer, ...given.receiver })
  const store = join(await temporaryFolder(t), 'agent')
  await within(store, async (ledger) => {
    await ledger.add(newChannel(10_000n))
    await ledger.rememberFacts({
      token: { address: token, symbol: 'TKN', decimals: 0 },
      contractVersion: given.version ?? '0.4.0',
    })
  })
  const signer = countingSigner()
  const start = (more: Partial<AgentOptions> = {}, folder = store) =>
    agentOn(t, folder, {
      ...{ bound: 'require', reservation: 16, signer },
      ...given.agent,
      ...more,
    })
  return { ...receiver, store, signer, start, agent: await start() }
}

/** Opens the agent's store beside every agent, and closes it again. */
export async function within<Result>(
  folder: string,
  work: (ledger: Awaited<ReturnType<typeof openLedger>>) => Promise<Result>,
): Promise<Result> {
  const owner = { chainId, contract, account: sender }
  const ledger = await openLedger({
    ...{ folder, owner, reservation: 1, budget: {} },
    readClock: () => noon,
  })
  try {
    return await work(ledger)
  } finally {
    await ledger.close()
  }
}

export function countingSigner(): Signer & { readonly signed: () => number } {
  const signer = createKeySigner(fromHex(senderKey))
  let signed = 0
  return {
    address: signer.address,
    sign: (digest) => {
      signed += 1
      return signer.sign(digest)
    },
    signed: () => signed,
  }
}
