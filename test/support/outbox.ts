// Queues and sinks without a chain.
import type { ExecutionContext } from 'ava'
import { openQueue, type QueueOptions } from '../../agent/jobs/sinks/queue.ts'
import { type OutboxStorage, openOutboxStorage } from '../../agent/jobs/sinks/storage.ts'
import type { Entry, Sink, SinkEvent } from '../../agent/jobs/sinks/types.ts'
import { parseAddress } from '../../protocol/index.ts'

export const owner = {
  chainId: 1n,
  contract: parseAddress('0x74434527b8E6C8296506D61d0faF3D18c9e4649A'),
  account: parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8'),
}

export function entry(
  number: number,
  payload: string | Uint8Array = `{"number":${number}}`,
): Entry {
  return {
    id: `run-${number}`,
    job: 'temperature',
    time: Date.UTC(2026, 10, 21) + number * 1000,
    cost: '5',
    contentType: 'application/json',
    payload: Buffer.from(payload as Uint8Array),
  }
}

export async function openStorage(
  t: ExecutionContext,
  folder: string,
  syncInterval = 10,
): Promise<OutboxStorage> {
  const storage = await openOutboxStorage({ folder, owner, syncInterval })
  t.teardown(() => storage.close())
  return storage
}

/** Takes what it is given, unless it is told to fail. */
export interface RecordingSink extends Sink {
  readonly taken: readonly Entry[]
  readonly calls: () => number
  fail: Error | undefined
}

export function recordingSink(most = Number.POSITIVE_INFINITY): RecordingSink {
  const taken: Entry[] = []
  let calls = 0
  const sink: RecordingSink = {
    taken,
    calls: () => calls,
    fail: undefined,
    deliver: async (entries) => {
      calls++
      if (sink.fail !== undefined) throw sink.fail
      const part = entries.slice(0, most)
      taken.push(...part)
      return part.length
    },
    stop: async () => undefined,
  }
  return sink
}

export async function openTestQueue(
  t: ExecutionContext,
  options: Pick<QueueOptions, 'sink' | 'storage'> & Partial<QueueOptions>,
) {
  const events: SinkEvent[] = []
  const queue = await openQueue({
    id: 'test',
    name: 'test',
    bounds: { entries: 1000, bytes: 1_000_000, whenFull: 'dropOldest' },
    backoff: { first: 1, most: 5 },
    settleInterval: 1,
    onEvent: (event) => events.push(event),
    ...options,
  })
  t.teardown(() => queue.stop())
  const add = async (...entries: readonly Entry[]): Promise<void> => {
    for (const each of entries) {
      const { operations, written } = queue.add(each)
      await options.storage.write(operations, 'soon')
      written()
    }
  }
  return { queue, events, add }
}
