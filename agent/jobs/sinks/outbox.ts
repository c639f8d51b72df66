// All sinks of all jobs with their queues. A sink belongs to its target: jobs that name the same file
// share one sink and one queue, so that its lines have one order.
import type { Writable } from 'node:stream'
import type { Address } from '../../../protocol/index.ts'
import { createSink, sinkId } from './create.ts'
import { compilePicker, type Picker } from './pick.ts'
import { openQueue, type SinkQueue } from './queue.ts'
import type { BrokerConfig, SinkConfig } from './schema.ts'
import { type Addition, queuePrefix } from './shelf.ts'
import { openStation, type Station } from './station.ts'
import type { OutboxStorage, StorageOperation } from './storage.ts'
import type { Entry, SinkEvent, SinkStatus } from './types.ts'

export interface OutboxOptions {
  readonly storage: OutboxStorage
  /** By the name of the job. */
  readonly sinks: Readonly<Record<string, readonly SinkConfig[]>>
  readonly broker: BrokerConfig | undefined
  /** The agent's: names it to the broker where the configuration does not. */
  readonly address: Address
  readonly stdout: Writable
  /** Longest that lines of a file wait for their sync, in milliseconds. */
  readonly syncInterval: number
  readonly onEvent: (event: SinkEvent) => void
}

/** What a run is about to write for its sinks. */
export interface Package extends Addition {
  /** Sinks that pick something that the body does not have. */
  readonly unfit: readonly string[]
}

export interface Outbox {
  /** A sink of the job is full and says that nothing is to be bought then. */
  readonly isFull: (job: string) => boolean
  /** `entry.payload` is the whole body. */
  readonly add: (entry: Entry) => Package
  readonly status: (job: string) => readonly SinkStatus[]
  readonly stop: () => Promise<void>
}

interface Outlet {
  readonly queue: SinkQueue
  readonly pick: Picker
}

const retry = { first: 1000, most: 30_000 }

export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { sinks, broker } = options
  const usesMqtt = Object.values(sinks).some((each) => each.some(({ mqtt }) => mqtt !== undefined))
  const station =
    broker !== undefined && usesMqtt ? await openStation(broker, options.address) : undefined
  const queues = new Map<string, SinkQueue>()
  const outlets = new Map<string, readonly Outlet[]>()
  const stop = async () => {
    await Promise.all([...queues.values()].map((queue) => queue.stop()))
    await station?.connection.stop()
  }
  try {
    for (const [job, configs] of Object.entries(sinks)) {
      const own: Outlet[] = []
      for (const config of configs) {
        const id = sinkId(config)
        const queue = queues.get(id) ?? (await open(options, job, config, station))
        queues.set(id, queue)
        own.push({ queue, pick: compilePicker(picked(config)) })
      }
      outlets.set(job, own)
    }
    await reportOrphans(options, queues)
  } catch (error) {
    await stop()
    throw error
  }
  const of = (job: string) => outlets.get(job) ?? []
  return {
    isFull: (job) => of(job).some(({ queue }) => queue.isFull()),
    add: (entry) => pack(of(entry.job), entry),
    status: (job) => of(job).map(({ queue }) => queue.status()),
    stop,
  }
}

function picked({ select, template }: SinkConfig) {
  return { ...(select !== undefined && { select }), ...(template !== undefined && { template }) }
}

function pack(outlets: readonly Outlet[], entry: Entry): Package {
  const additions: Addition[] = []
  const unfit: string[] = []
  for (const { queue, pick } of outlets) {
    const payload = pick(entry)
    if (payload === undefined) unfit.push(queue.id)
    else additions.push(queue.add({ ...entry, payload }))
  }
  return {
    operations: additions.flatMap(({ operations }): readonly StorageOperation[] => operations),
    written: () => {
      for (const each of additions) each.written()
    },
    failed: () => {
      for (const each of additions) each.failed()
    },
    unfit,
  }
}

async function open(
  options: OutboxOptions,
  job: string,
  config: SinkConfig,
  station: Station | undefined,
): Promise<SinkQueue> {
  const { storage, syncInterval, stdout, onEvent } = options
  const { entries, size: bytes, whenFull } = config.queue
  return openQueue({
    id: sinkId(config),
    sink: createSink({ job, config, station, stdout }),
    storage,
    bounds: { entries, bytes, whenFull },
    backoff: retry,
    settleInterval: syncInterval,
    onEvent,
  })
}

async function reportOrphans(
  { storage, onEvent }: OutboxOptions,
  queues: ReadonlyMap<string, SinkQueue>,
): Promise<void> {
  const waiting = new Map<string, number>()
  for await (const [key] of storage.records(queuePrefix)) {
    const id = decodeURIComponent(key.slice(queuePrefix.length, key.lastIndexOf('/')))
    if (!queues.has(id)) waiting.set(id, (waiting.get(id) ?? 0) + 1)
  }
  for (const [sink, count] of waiting) onEvent({ kind: 'sinkOrphaned', sink, waiting: count })
}
