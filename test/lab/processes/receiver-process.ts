// The receiver under load, in a process of its own, steered over IPC.
import { readFile } from 'node:fs/promises'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { type Address, fromHex } from '../../../protocol/index.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  startReceiver,
} from '../../../receiver/index.ts'

export interface ProcessOptions extends Pick<ReceiverOptions, 'verifier' | 'verifierThreads'> {
  readonly key: string
  readonly rpcUrl: string
  readonly contract: Address
  readonly state: string
  readonly price: bigint
}

export interface Started {
  readonly base: string
  readonly verifier: string
  readonly threads: number
}

export interface Usage {
  /** Of all threads, in microseconds. */
  readonly cpu: number
  /** Of the main thread alone, in microseconds. */
  readonly mainThreadCpu: number
  /** Sent to the disk since the start; undefined where /proc does not say. */
  readonly bytesWritten: number | undefined
  readonly balanceSum: bigint
}

async function bytesWritten(): Promise<number | undefined> {
  try {
    const text = await readFile('/proc/self/io', 'utf8')
    return Number(/^write_bytes: (\d+)$/m.exec(text)?.[1])
  } catch {
    return undefined
  }
}

async function serve(options: ProcessOptions): Promise<void> {
  const { key, price, ...rest } = options
  const receiver = await startReceiver({
    confirmations: 1,
    ...rest,
    signer: createKeySigner(fromHex(key)),
  })
  await receiver.synced
  const handler = () => ({ celsius: 21.4 })
  const server = await createReceiverServer(receiver, [
    { path: '/paid', price, handler },
    { path: '/free', price: 0n, handler },
  ])
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  const { verifier, threads } = receiver.verifier
  process.on('message', async (message) => {
    if (message === 'stop') {
      await server.close()
      await receiver.stop()
      process.disconnect()
      return
    }
    const total = process.cpuUsage()
    const main = process.threadCpuUsage()
    const usage: Usage = {
      cpu: total.user + total.system,
      mainThreadCpu: main.user + main.system,
      bytesWritten: await bytesWritten(),
      balanceSum: receiver.book.unsettled(),
    }
    process.send?.(usage)
  })
  const started: Started = { base, verifier, threads }
  process.send?.(started)
}

process.once('message', (options: ProcessOptions) => void serve(options))
