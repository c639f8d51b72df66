// The receiver that strangers ask without paying, in a process of its own, steered over IPC.
import { readFile } from 'node:fs/promises'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { type Address, fromHex } from '../../../protocol/index.ts'
import { createReceiverServer, plainPage, startReceiver } from '../../../receiver/index.ts'
import { resourceFrom, resourcesSchema } from '../../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../../receiver/resources/routes.ts'

export interface UnpaidOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly contract: Address
  /** For its state and what it sells. */
  readonly folder: string
  /** As in receiver.yaml. */
  readonly resources: object
}

export interface UnpaidUsage {
  /** Of all threads, in milliseconds. */
  readonly cpu: number
  /** The most it ever took, in megabytes. */
  readonly peak: number
  /** Sent to the disk since the start. */
  readonly written: number
}

async function usage(): Promise<UnpaidUsage> {
  const { user, system } = process.cpuUsage()
  const status = await readFile('/proc/self/status', 'utf8')
  const io = await readFile('/proc/self/io', 'utf8')
  return {
    cpu: (user + system) / 1000,
    peak: Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024,
    written: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]),
  }
}

async function serve({ key, rpcUrl, contract, folder, resources }: UnpaidOrders): Promise<void> {
  const receiver = await startReceiver({
    ...{ signer: createKeySigner(fromHex(key)), rpcUrl, contract, page: plainPage },
    state: `${folder}/state`,
  })
  await receiver.synced
  const parsed = Object.entries(resourcesSchema.parse(resources))
  const server = await createReceiverServer(receiver, [])
  await registerResources(
    server,
    Object.fromEntries(parsed.map(([path, each]) => [path, resourceFrom(folder, each)])),
  )
  process.send?.(await server.listen({ host: '127.0.0.1', port: 0 }))
  process.on('message', async () => process.send?.(await usage()))
}

process.once('disconnect', () => process.exit(0))
process.once('message', (orders: UnpaidOrders) => void serve(orders))
