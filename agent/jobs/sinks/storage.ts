// What waits on the disk: paid bodies until every sink has them, payments on their way, jobs' last runs.
//
// An SD card wears with every synced write, so few are synced: the first one after a quiet time at once,
// and under load one for all in each `syncInterval`. A process that is killed loses nothing, because what
// was written is with the operating system; a power cut loses at most the last interval.
//
// With a spool nothing is on the card before a flush: a power cut loses what came since the last one. With a file aside
// the card is spared what is gone again at once, see there.
import { openSpooledState, type SpoolCopy } from '../../../platform/state/spool.ts'
import {
  keysUnder,
  littleMemory,
  openState,
  readState,
  type StateDatabase,
  type StateOperation,
  type StateOwner,
} from '../../../platform/state/state.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { openAside, type Urgency } from './aside.ts'

export type StorageOperation = StateOperation

/** Of payments on their way, whose answers become entries. */
export const openPrefix = 'open/'
/** Of entries. */
export const queuePrefix = 'queue/'
const waits = [openPrefix, queuePrefix]

export interface OutboxStorage {
  /**
   * Resolves when a killed process would not lose it. In the order of the calls, each all or nothing.
   * @throws UraidenError `state_unwritable`
   */
  readonly write: (operations: readonly StorageOperation[], urgency: Urgency) => Promise<void>
  /** @throws UraidenError `state_unusable` */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>
  /** The records whose keys begin with `prefix`, in the order of their keys. @throws UraidenError `state_unusable` */
  readonly records: (prefix: string) => AsyncIterable<readonly [string, string]>
  /** Whether a power cut would leave records whose keys begin so. @throws UraidenError `state_unusable` */
  readonly isOnCard: (prefix: string) => Promise<boolean>
  /** Resolves when a power cut would not lose what was written. @throws UraidenError `state_unwritable` */
  readonly flush: () => Promise<void>
  /**
   * All but what waits for a sink or an answer, for somebody else to bring to the card, and to be given back as `copy`
   * at the next start. Undefined where that may not be. @throws UraidenError `state_unusable`
   */
  readonly copy: () => Promise<SpoolCopy | undefined>
  /** Whether a power cut would lose what waits for a sink or an answer. @throws UraidenError `state_unusable` */
  readonly isBehind: () => Promise<boolean>
  readonly close: () => Promise<void>
}

export interface StorageOptions {
  readonly folder: string
  readonly owner: StateOwner
  readonly syncInterval: Milliseconds
  /** The file in memory that spares the card; undefined without one. */
  readonly spool?: string | undefined
  /** What was last brought to the card so, for the spool. */
  readonly copy?: unknown
  /** The file in memory for what is gone again at once, where there is no spool. */
  readonly aside?: string | undefined
}

/** @throws UraidenError those of `openState` */
export async function openOutboxStorage(options: StorageOptions): Promise<OutboxStorage> {
  const { folder, owner, syncInterval, spool, copy, aside } = options
  const memory = littleMemory
  const state = { folder, owner, program: 'agent', format: 1, memory } as const
  if (spool !== undefined) {
    const { owner: _, ...spooled } = await openSpooledState({ ...state, spool, copy })
    return {
      ...spooled,
      write: spooled.spool,
      flush: () => spooled.write([]),
      copy: async () => {
        // The order of lines and deletions is kept by a flush of our own.
        for (const prefix of waits) if (await spooled.isOnCard(prefix)) return undefined
        return spooled.copy((key) => !isWaiting(key))
      },
      isBehind: () => spooled.isBehind(isWaiting),
    }
  }
  if (aside !== undefined) {
    return { ...(await openAside({ ...state, spool: aside, syncInterval })), ...withoutCopy }
  }
  const db = await openState(state)
  const writer = new Writer(db, syncInterval)
  return {
    write: (operations, urgency) => writer.write(operations, urgency),
    getMany: (keys) => readState(folder, () => db.getMany([...keys])),
    records: (prefix) => recordsUnder(prefix, db, folder),
    isOnCard: async () => true,
    flush: () => writer.flush(),
    ...withoutCopy,
    close: async () => {
      await writer.flush()
      await db.close()
    },
  }
}

const withoutCopy: Pick<OutboxStorage, 'copy' | 'isBehind'> = {
  copy: async () => undefined,
  isBehind: async () => true,
}

function isWaiting(key: string): boolean {
  return waits.some((prefix) => key.startsWith(prefix))
}

async function* recordsUnder(
  prefix: string,
  db: StateDatabase,
  folder: string,
): AsyncGenerator<readonly [string, string]> {
  const records = db.iterator(keysUnder(prefix))
  try {
    while (true) {
      const record = await readState(folder, () => records.next())
      if (record === undefined) return
      yield record
    }
  } finally {
    await records.close()
  }
}

const syncMark = 'synced'

/** One batch at a time: what arrives meanwhile goes together into the next one. */
class Writer {
  readonly #db: StateDatabase
  readonly #syncInterval: Milliseconds
  #waiting: StorageOperation[] = []
  #waitingUrgency: Urgency = 'lazily'
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()
  #synced = Number.NEGATIVE_INFINITY
  #unsynced = false
  #timer: NodeJS.Timeout | undefined

  constructor(db: StateDatabase, syncInterval: Milliseconds) {
    this.#db = db
    this.#syncInterval = syncInterval
  }

  write(operations: readonly StorageOperation[], urgency: Urgency): Promise<void> {
    this.#waiting.push(...operations)
    if (urgency === 'soon') this.#waitingUrgency = 'soon'
    if (this.#next === undefined) {
      this.#next = this.#afterRunning(() => this.#commit())
      this.#running = this.#next
    }
    return this.#next
  }

  async flush(): Promise<void> {
    await this.#running.catch(() => undefined)
    clearTimeout(this.#timer)
    if (this.#unsynced) await this.#enqueueSync()
  }

  async #commit(): Promise<void> {
    const operations = this.#waiting
    const urgency = this.#waitingUrgency
    const sync = urgency === 'soon' && performance.now() - this.#synced >= this.#syncInterval
    this.#unsynced ||= urgency === 'soon'
    this.#waiting = []
    this.#waitingUrgency = 'lazily'
    this.#next = undefined
    await this.#writeBatch(operations, { sync })
  }

  async #writeBatch(
    operations: readonly StorageOperation[],
    { sync }: { readonly sync: boolean },
  ): Promise<void> {
    if (sync) this.#synced = performance.now()
    await this.#db.batch([...operations], { sync })
    if (sync) this.#unsynced = false
    else if (this.#unsynced) this.#arm()
  }

  #arm(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        // When it fails, the next write that is waited for says so.
        if (this.#unsynced) this.#enqueueSync().catch(() => undefined)
      },
      Math.max(0, this.#synced + this.#syncInterval - performance.now()),
    ).unref()
  }

  #enqueueSync(): Promise<void> {
    const mark = { type: 'put', key: syncMark, value: '' } as const
    this.#running = this.#afterRunning(() => this.#writeBatch([mark], { sync: true }))
    return this.#running
  }

  #afterRunning(work: () => Promise<void>): Promise<void> {
    return this.#running.catch(() => undefined).then(work)
  }
}
