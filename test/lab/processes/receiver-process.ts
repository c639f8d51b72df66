// The receiver under load, in a process of its own, steered over IPC.
import { readFile } from 'node:fs/promises'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { type Address, fromHex } from '../../../protocol/index.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  startReceiver,
} from '../../../receiver/index.ts'

export interface ProcessOptions
  extends Pick<
    ReceiverOptions,
    'verifier' | 'verifierThreads' | 'database' | 'settlement' | 'pollInterval' | 'transactionPoll'
  > {
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
  /** Milliseconds until the state was loaded and the chain read. */
  readonly startMs: number
}

/** In bytes. */
export interface Memory {
  /** After a collection, where node was started with --expose-gc. */
  readonly heap: number
  readonly resident: number
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
  const begun = performance.now()
  const receiver = await startReceiver({
    confirmations: 1,
    ...rest,
    signer: createKeySigner(fromHex(key)),
  })
  await receiver.synced
  const startMs = performance.now() - begun
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
    if (message === 'look') {
      await receiver.refresh()
      process.send?.({})
      return
    }
    if (message === 'withdraw') {
      const { done } = await receiver.settlement.withdrawAll()
      process.send?.({ transactions: done.length })
      return
    }
    if (message === 'memory') {
      globalThis.gc?.()
      const { heapUsed: heap, rss: resident } = process.memoryUsage()
      process.send?.({ heap, resident } satisfies Memory)
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
  const started: Started = { base, verifier, threads, startMs }
  process.send?.(started)
}

process.once('message', (options: ProcessOptions) => void serve(options))
