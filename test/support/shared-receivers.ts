// Several whole receivers that share a PostgreSQL, in the test's own process, on one chain.
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex } from '../../protocol/index.ts'
import {
  createReceiverServer,
  type Receiver,
  type ReceiverOptions,
  startReceiver,
} from '../../receiver/index.ts'
import type { PostgresSettings } from '../../receiver/postgres/settings.ts'
import { reading, startSystem } from './system.ts'
import { patience } from './until.ts'

export interface OneReceiver {
  readonly receiver: Receiver
  readonly base: string
  /** As by SIGTERM. */
  readonly stop: () => Promise<void>
}

/** The first one is that of the system, and leads. */
export async function startSharedReceivers(
  t: ExecutionContext,
  database: PostgresSettings,
  more: Partial<ReceiverOptions> = {},
) {
  const system = await startSystem(t, [reading()], { database, ...more })
  const { server, receiver } = system
  const first: OneReceiver = {
    ...{ receiver, base: system.base },
    stop: async () => {
      await server.close()
      await receiver.stop()
    },
  }
  return { ...system, first, start: startBeside(t, system, { database, ...more }) }
}

type System = Pick<
  Awaited<ReturnType<typeof startSystem>>,
  'chain' | 'contract' | 'folder' | 'receiverAccount'
>

/** Starts others beside the receiver of a system, on the same database. */
export function startBeside(
  t: ExecutionContext,
  { chain, contract, folder, receiverAccount }: System,
  more: Partial<ReceiverOptions>,
): (name: string) => Promise<OneReceiver> {
  return async (name) => {
    const state = join(folder, name)
    await mkdir(state, { mode: 0o700 })
    // All answer bound requests.
    await copyFile(join(folder, 'receiver', 'request-key'), join(state, 'request-key'))
    const other = await startReceiver({
      signer: createKeySigner(fromHex(receiverAccount.privateKey)),
      ...{ rpcUrl: chain.rpcUrl, contract, timeout: patience, state },
      ...{ pollInterval: 50, confirmations: 1, verifierThreads: 1, ...more },
    })
    const shop = await createReceiverServer(other, [reading()])
    let isStopped = false
    const stop = async () => {
      if (isStopped) return
      isStopped = true
      await shop.close()
      await other.stop()
    }
    t.teardown(stop)
    await other.synced
    return { receiver: other, base: await shop.listen({ host: '127.0.0.1', port: 0 }), stop }
  }
}
