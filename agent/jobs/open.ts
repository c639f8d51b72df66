// All jobs of a configuration, with their sinks and what they keep on the disk.

import { createHash, randomUUID } from 'node:crypto'
import { resolve as resolvePath } from 'node:path'
import { stdout as standardOutput } from 'node:process'
import type { Writable } from 'node:stream'
import { endsWithin } from '../../platform/async/ends-within.ts'
import { timetableOf } from '../../platform/config/every.ts'
import type { Timetable } from '../../platform/config/schedule.ts'
import { readState, type StateOwner } from '../../platform/state/state.ts'
import type { Milliseconds } from '../../platform/time/clock.ts'
import { jobUnknown } from '../errors/index.ts'
import { type Clock, wallClock } from './clock.ts'
import type { ConfiguredJob } from './configured.ts'
import type { Slowness } from './history.ts'
import { JobRunner } from './job-runner.ts'
import type { Buyer } from './purchase.ts'
import { loadJobs } from './records.ts'
import type { RunParts } from './run.ts'
import { isInMemory } from './sinks/line-file.ts'
import type { BrokerSettings } from './sinks/mqtt.ts'
import { type Outbox, openOutbox } from './sinks/outbox.ts'
import type { SinkConfig } from './sinks/schema.ts'
import { type OutboxStorage, openOutboxStorage } from './sinks/storage.ts'
import type { Job, JobEvent, JobStatus, Scheduler } from './types.ts'

export interface JobsOptions {
  readonly jobs: readonly ConfiguredJob[]
  /** The broker of all sinks with `mqtt`. */
  readonly broker?: BrokerSettings | undefined
  /** What the owner is told goes there. */
  readonly alertSinks?: readonly SinkConfig[] | undefined
  readonly buyer: Buyer
  /** Where a job's target is: a URL, or a receiver's name and a path. Asked before every run. */
  readonly resolve: (target: string) => URL | Promise<URL>
  /** For queues and last runs; made if missing, for its owner only. Not the ledger's. */
  readonly folder: string
  readonly owner: StateOwner
  /** What else decides whether a job can buy, as plain data: its budgets, its receivers. Kept as a digest. */
  readonly circumstances?: (job: string) => unknown
  readonly onEvent: (event: JobEvent) => void
  /** At most one synced write in each; what a power cut may take. Default 10 seconds. */
  readonly syncInterval?: Milliseconds
  /** A file in memory. With it nothing is written to the card, files of sinks neither, until `flush`. */
  readonly spool?: string | undefined
  /** What a flush gave to be kept beside, see `Scheduler.flush`. */
  readonly copy?: unknown
  /** Without one: a file in memory that spares the card what is gone again within the interval. */
  readonly aside?: string | undefined
  readonly stdout?: Writable
  readonly slow?: Slowness
  readonly clock?: Clock
  readonly timetable?: (job: Job) => Timetable
  readonly random?: () => number
}

/** Ten failures in a row, then each minute, each two, … each hour. */
const defaultSlowness: Slowness = { after: 10, first: 60_000, most: 3_600_000 }

/** Crashed runs that are asked for at a time. */
const recoveriesAtOnce = 4

/** Of a clean stop, with files that take nothing. In milliseconds. */
const patience: Milliseconds = 2000

/**
 * Nothing runs before `start`.
 * @throws UraidenError those of `openState` and of the sinks' files
 */
export async function openJobs(options: JobsOptions): Promise<Scheduler> {
  const { jobs, folder, owner, spool, copy, aside, onEvent, syncInterval = 10_000 } = options
  const storage = await openOutboxStorage({ folder, owner, syncInterval, spool, copy, aside })
  try {
    const outbox = await openOutbox({
      storage,
      sinks: {
        ...Object.fromEntries(jobs.map(({ job, sinks }) => [job.name, sinks])),
        [alertsName]: options.alertSinks ?? [],
      },
      broker: options.broker,
      stdout: options.stdout ?? standardOutput,
      syncInterval,
      isHeld: async ({ file, csv }) => {
        const path = file ?? csv?.path
        return spool !== undefined && path !== undefined && !(await isInMemory(resolvePath(path)))
      },
      onEvent,
    })
    const { buyer, resolve, clock = wallClock, timetable = scheduleOf } = options
    const parts = { buyer, storage, outbox, clock, resolve }
    const stored = await readState(folder, () => loadJobs(storage))
    const { slow = defaultSlowness, random = Math.random } = options
    const runners = jobs.map(({ job, sinks }): [string, JobRunner] => {
      const open = stored.open.filter((run) => run.job === job.name)
      const record = stored.jobs.get(job.name)
      const settings = digest([job, sinks, options.circumstances?.(job.name)])
      const facts = { job, parts, record, settings, open, slow, random, onEvent }
      return [job.name, new JobRunner({ ...facts, timetable: timetable(job) })]
    })
    return new RunningJobs(new Map(runners), { ...keptBy(outbox, storage), ...alertsTo(parts) })
  } catch (error) {
    await storage.close()
    throw error
  }
}

function scheduleOf({ every, timeZone }: Job): Timetable {
  return timetableOf(every, timeZone)
}

/** Of plain data with amounts. */
function digest(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** With what they have written. */
interface Kept {
  readonly flush: Scheduler['flush']
  readonly close: () => Promise<void>
}

/** No job is called so. */
const alertsName = 'agent alerts'
const toldKey = 'alerts'

function alertsTo({ storage, outbox, clock }: RunParts): Pick<Scheduler, 'told' | 'tell'> {
  return {
    told: async () => (await storage.getMany([toldKey]))[0],
    tell: async (messages, told) => {
      const time = clock.now()
      const facts = { job: alertsName, time, cost: '0', contentType: 'application/json' }
      const additions = messages.map((message) => {
        const payload = Buffer.from(
          JSON.stringify({ time: new Date(time).toISOString(), ...message }),
        )
        return outbox.add({ ...facts, id: randomUUID(), payload })
      })
      const operations = additions.flatMap((each) => each.operations)
      try {
        await storage.write([...operations, { type: 'put', key: toldKey, value: told }], 'soon')
      } catch (error) {
        for (const each of additions) each.failed()
        throw error
      }
      for (const each of additions) each.written()
    },
  }
}

function keptBy(outbox: Outbox, storage: OutboxStorage): Kept {
  return {
    flush: async (keep) => {
      const copy = keep && (await storage.copy())
      if (keep === undefined || copy === undefined) {
        // The lines first: what is in its file needs no place in the batch.
        await outbox.flush()
        return storage.flush()
      }
      // With the lines, so that the file system has to commit once for both.
      await outbox.flush(() => keep(copy))
      if (await storage.isBehind()) await storage.flush()
    },
    close: async () => {
      // What the card does not take, closing it says.
      await endsWithin(
        outbox.flush().catch(() => undefined),
        patience,
      )
      await outbox.stop()
      await storage.close()
    },
  }
}

class RunningJobs implements Scheduler {
  readonly #runners: ReadonlyMap<string, JobRunner>
  readonly #kept: Kept & Pick<Scheduler, 'told' | 'tell'>
  #stopped = false

  constructor(
    runners: ReadonlyMap<string, JobRunner>,
    kept: Kept & Pick<Scheduler, 'told' | 'tell'>,
  ) {
    this.#runners = runners
    this.#kept = kept
  }

  async start(): Promise<void> {
    const waiting = [...this.#runners.values()]
    for (const runner of waiting) runner.start()
    const inTurn = async (): Promise<void> => {
      for (let runner = waiting.shift(); runner !== undefined; runner = waiting.shift()) {
        if (!this.#stopped) await runner.catchUp()
      }
    }
    await Promise.all(Array.from({ length: recoveriesAtOnce }, inTurn))
  }

  status(): readonly JobStatus[] {
    return [...this.#runners.values()].map((runner) => runner.status())
  }

  run(name: string) {
    return this.#named(name).runNow()
  }

  async pause(name?: string): Promise<void> {
    await Promise.all(this.#chosen(name).map((runner) => runner.setPaused('paused')))
  }

  async resume(name?: string): Promise<void> {
    await Promise.all(this.#chosen(name).map((runner) => runner.setPaused('active')))
  }

  told(): Promise<string | undefined> {
    return this.#kept.told()
  }

  tell(messages: readonly object[], told: string): Promise<void> {
    return this.#kept.tell(messages, told)
  }

  flush(keep?: (copy: object) => Promise<void>): Promise<void> {
    return this.#kept.flush(keep)
  }

  async stop(grace: Milliseconds = 5000): Promise<void> {
    this.#stopped = true
    const runners = [...this.#runners.values()]
    for (const runner of runners) runner.stopTicking()
    const timer = setTimeout(() => {
      for (const runner of runners) runner.abort()
    }, grace)
    await Promise.all(runners.map((runner) => runner.settled()))
    clearTimeout(timer)
    await this.#kept.close()
  }

  #chosen(name: string | undefined): readonly JobRunner[] {
    return name === undefined ? [...this.#runners.values()] : [this.#named(name)]
  }

  #named(name: string): JobRunner {
    const runner = this.#runners.get(name)
    if (runner !== undefined) return runner
    throw jobUnknown(name, [...this.#runners.keys()])
  }
}
