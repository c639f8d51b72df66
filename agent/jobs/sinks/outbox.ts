// All sinks of all jobs with their queues. A sink belongs to its target: jobs that name the same file
// share one sink and one queue, so that its lines have one order.
import type { Writable } from 'node:stream'
import { commonStart } from '../../../platform/async/common-start.ts'
import { defined } from '../../../protocol/index.ts'
import type { Addition } from './backlog.ts'
import { createSink, type SinkPlace, sinkId, sinkName } from './create.ts'
import type { Broker, BrokerSettings } from './mqtt.ts'
import { connectBroker } from './mqtt-connection.ts'
import type { Picker } from './pick.ts'
import { openQueue, type SinkQueue } from './queue.ts'
import type { SinkConfig } from './schema.ts'
import { type OutboxStorage, queuePrefix, type StorageOperation } from './storage.ts'
import type { Entry, SinkEvent, SinkMarks, SinkStatus } from './types.ts'

export interface OutboxOptions {
  readonly storage: OutboxStorage
  /** By the name of the job. */
  readonly sinks: Readonly<Record<string, readonly SinkConfig[]>>
  readonly broker: BrokerSettings | undefined
  readonly stdout: Writable
  /** Longest that lines of a file wait for their sync, in milliseconds. */
  readonly syncInterval: number
  /** Sinks whose entries wait for a flush. */
  readonly isHeld?: (sink: SinkConfig) => Promise<boolean>
  readonly onEvent: (event: SinkEvent) => void
}

/** What a run is about to write for its sinks. */
export interface OutboxAddition extends Addition {
  /** Sinks that pick something that the body does not have. */
  readonly unfit: readonly string[]
  /** No sink gets anything of it. */
  readonly isLost: boolean
  /** What the first sink with `select` picks; all of it where there is none. */
  readonly picked: Uint8Array
}

export interface Outbox {
  /** A sink of the job is full and says that nothing is to be bought then. */
  readonly isFull: (job: string) => boolean
  /** `entry.payload` is the whole body. */
  readonly add: (entry: Entry) => OutboxAddition
  readonly status: (job: string) => readonly SinkStatus[]
  /**
   * Resolves when what waits for a flush is delivered, as far as its sinks take it. `meanwhile` is done between their
   * writes and their syncs: a sync of it is theirs, too, where the file system commits for all files at once.
   */
  readonly flush: (meanwhile?: () => Promise<void>) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Of one job. */
interface JobSink {
  readonly queue: SinkQueue
  readonly pick: Picker
  /** It gets one part of the body, as it is. */
  readonly selects: boolean
}

const retry = { first: 1000, most: 30_000 }

export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { sinks } = options
  const broker = connectedBroker(options)
  const queues = new Map<string, SinkQueue>()
  const jobSinks = new Map<string, readonly JobSink[]>()
  const stop = async () => {
    await Promise.all([...queues.values()].map((queue) => queue.stop()))
    await broker?.connection.stop()
  }
  try {
    for (const [job, configs] of Object.entries(sinks)) {
      const own: JobSink[] = []
      for (const config of configs) {
        const id = sinkId(config)
        const queue = queues.get(id) ?? (await openSink(options, { job, config, broker }))
        queues.set(id, queue)
        const { select, csv, influx } = config
        const selects = select !== undefined && csv === undefined && influx === undefined
        own.push({ queue, pick: await pickerOf(config, job), selects })
      }
      jobSinks.set(job, own)
    }
    await reportOrphans(options, queues)
  } catch (error) {
    await stop()
    throw error
  }
  const of = (job: string) => jobSinks.get(job) ?? []
  return {
    isFull: (job) => of(job).some(({ queue }) => queue.isFull()),
    add: (entry) => addToAll(of(entry.job), entry),
    status: (job) => of(job).map(({ queue }) => queue.status()),
    flush: (meanwhile) => flushAll([...queues.values()], meanwhile),
    stop,
  }
}

async function flushAll(
  queues: readonly SinkQueue[],
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<void> {
  const member = commonStart(queues.length + 1)
  const other = member()().then(meanwhile)
  const flushed = queues.map((queue) => {
    const ready = member()
    const afterOther = async () => {
      await ready()
      await other.catch(() => undefined)
    }
    // Who has nothing to make durable keeps nobody waiting.
    return queue.flush(afterOther).finally(ready)
  })
  await Promise.all([...flushed, other])
}

/** JSONPath is loaded where a sink wants only a part. */
async function pickerOf(
  { select, template, csv, influx }: SinkConfig,
  job: string,
): Promise<Picker> {
  if (csv !== undefined) return (await import('./csv.ts')).compileCsv({ ...csv, select })
  if (influx !== undefined) {
    const { measurement = job, tags, fields } = influx
    return (await import('./influx.ts')).compilePoint({ measurement, tags, fields, select })
  }
  if (select === undefined && template === undefined) return ({ payload }) => payload
  const { compilePicker } = await import('./pick.ts')
  return compilePicker(defined({ select, template }))
}

function addToAll(jobSinks: readonly JobSink[], entry: Entry): OutboxAddition {
  const additions: Addition[] = []
  const unfit: string[] = []
  let picked: Uint8Array | undefined
  for (const { queue, pick, selects } of jobSinks) {
    const payload = pick(entry)
    if (selects) picked ??= payload
    if (payload === undefined) unfit.push(queue.name)
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
    picked: picked ?? entry.payload,
    isLost: additions.length === 0 && unfit.length > 0,
  }
}

/** Undefined where no sink needs one. */
function connectedBroker({ sinks, broker }: OutboxOptions): Broker | undefined {
  const isUsed = Object.values(sinks).some((each) => each.some(({ mqtt }) => mqtt !== undefined))
  if (broker === undefined || !isUsed) return undefined
  return { connection: connectBroker(broker.connection), device: broker.device }
}

async function openSink(
  { storage, syncInterval, stdout, isHeld, onEvent }: OutboxOptions,
  place: Omit<SinkPlace, 'stdout' | 'marks'>,
): Promise<SinkQueue> {
  const { config } = place
  const { entries, size: bytes, whenFull } = config.queue
  const id = sinkId(config)
  return openQueue({
    id,
    name: sinkName(id),
    sink: createSink({ ...place, stdout, marks: marksOf(id, storage) }),
    storage,
    bounds: { entries, bytes, whenFull },
    backoff: retry,
    settleInterval: syncInterval,
    isHeld: (await isHeld?.(config)) ?? false,
    onEvent,
  })
}

function marksOf(id: string, storage: OutboxStorage): SinkMarks {
  const key = `mark/${encodeURIComponent(id)}`
  return {
    get: async () => (await storage.getMany([key]))[0],
    put: (value) => storage.write([{ type: 'put', key, value }], 'lazily'),
  }
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
  for (const [id, count] of waiting) {
    onEvent({ kind: 'sinkOrphaned', sink: sinkName(id), waiting: count })
  }
}
