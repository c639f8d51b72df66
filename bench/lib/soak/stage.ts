// Everything around the agent of the soak: a chain, a receiver in a process of its own, a broker. Receiver
// and broker can be restarted.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deployTestContracts, startEmbeddedChain } from '../../../test/lab/chains/embedded-chain.ts'
import { freePort } from '../../../test/lab/processes/free-port.ts'
import { startBroker } from '../mqtt-broker.ts'
import type { AgentOrders, ReceiverOrders, ReceiverReport } from './protocol.ts'

export const price = 5n

const receiverProcess = fileURLToPath(new URL('./receiver-process.ts', import.meta.url))

export interface Stage {
  readonly agent: Omit<AgentOrders, 'jobs' | 'seconds'>
  /** How often each body was published. */
  readonly published: ReadonlyMap<string, number>
  readonly restartReceiver: () => Promise<void>
  readonly restartBroker: (away: number) => Promise<void>
  /** Stops the receiver; what it has served and what has paid. */
  readonly finish: () => Promise<{ readonly served: readonly string[]; readonly claimed: bigint }>
  readonly close: () => Promise<void>
}

export async function openStage(): Promise<Stage> {
  const chain = await startEmbeddedChain()
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiverAccount, sender] = chain.accounts
  if (!receiverAccount || !sender) throw new Error('the chain has no accounts')
  await (await token.getFunction('transfer(address,uint256)')(sender.address, 10n ** 12n)).wait()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-soak-'))
  await mkdir(join(folder, 'agent'), { mode: 0o700 })
  const published = new Map<string, number>()
  const broker = await startBroker({}, ({ topic, payload }) => {
    if (topic.startsWith('soak/')) published.set(payload, (published.get(payload) ?? 0) + 1)
  })
  const orders = {
    key: receiverAccount.privateKey,
    rpcUrl: chain.rpcUrl,
    contract,
    state: join(folder, 'receiver'),
    price: `${price}`,
    log: join(folder, 'served.log'),
  }
  const port = await freePort()
  let receiver = await startReceiverProcess({ ...orders, port })
  return {
    agent: {
      key: sender.privateKey,
      rpcUrl: chain.rpcUrl,
      chainId: `${chain.chainId}`,
      contract,
      folder: join(folder, 'agent'),
      url: `${receiver.base}/reading`,
      broker: broker.url,
    },
    published,
    restartReceiver: async () => {
      await receiver.stop()
      receiver = await startReceiverProcess({ ...orders, port })
    },
    restartBroker: async (away) => {
      await broker.stop()
      await new Promise((resolve) => setTimeout(resolve, away))
      await broker.start()
    },
    finish: async () => {
      const claimed = await receiver.stop()
      const served = (await readFile(orders.log, 'utf8')).split('\n').slice(0, -1)
      return { served, claimed }
    },
    close: async () => {
      await receiver.stop()
      await broker.stop()
      await chain.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startReceiverProcess(orders: ReceiverOrders) {
  const child: ChildProcess = fork(receiverProcess)
  const ended = once(child, 'exit')
  // One that dies says nothing, and nobody waits for it.
  const report = async (): Promise<ReceiverReport> => {
    const early = ended.then(([code, signal]) => {
      throw new Error(`the receiver ended with ${code ?? signal}`)
    })
    const [said] = (await Promise.race([once(child, 'message'), early])) as [ReceiverReport]
    return said
  }
  child.send(orders)
  const { base } = await report()
  let stopping: Promise<bigint> | undefined
  const stop = async (): Promise<bigint> => {
    const last = report()
    child.send('stop')
    const { claimed } = await last
    await ended
    return BigInt(claimed)
  }
  return {
    base,
    /** Resolves with what has paid in all. */
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}
