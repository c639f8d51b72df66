// What waits on the disk: paid bodies until every sink has them, payments on their way, jobs' last runs.
//
// An SD card wears with every synced write, so few are synced: the first one after a quiet time at once,
// and under load one for all in each `syncInterval`. A process that is killed loses nothing, because what
// was written is with the operating system; a power cut loses at most the last interval.
import {
  keysUnder,
  openState,
  type StateDatabase,
  type StateOwner,
} from '../../../platform/state/state.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'

export type StorageOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

/** `soon`: synced at most an interval later. `lazily`: with whatever is synced next. */
export type Urgency = 'soon' | 'lazily'

export interface OutboxStorage {
  /**
   * Resolves when a killed process would not lose it. In the order of the calls, each all or nothing.
   * @throws UraidenError `state_unwritable`
   */
  readonly write: (operations: readonly StorageOperation[], urgency: Urgency) => Promise<void>
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>
  /** The records whose keys begin with `prefix`, in the order of their keys. */
  readonly records: (prefix: string) => AsyncIterable<readonly [string, string]>
  readonly close: () => Promise<void>
}

export interface StorageOptions {
  readonly folder: string
  readonly owner: StateOwner
  readonly syncInterval: Milliseconds
}

/** @throws UraidenError those of `openState` */
export async function openOutboxStorage(options: StorageOptions): Promise<OutboxStorage> {
  const { folder, owner, syncInterval } = options
  const db = await openState({ folder, owner, program: 'agent', format: 1 })
  const writer = createWriter(db, syncInterval)
  return {
    write: writer.write,
    getMany: (keys) => db.getMany([...keys]),
    records: (prefix) => db.iterator(keysUnder(prefix)),
    close: async () => {
      await writer.flush()
      await db.close()
    },
  }
}

const syncMark = 'synced'

/** One batch at a time: what arrives meanwhile goes together into the next one. */
function createWriter(db: StateDatabase, syncInterval: Milliseconds) {
  let waiting: StorageOperation[] = []
  let waitingUrgency: Urgency = 'lazily'
  let next: Promise<void> | undefined
  let running: Promise<void> = Promise.resolve()
  let synced = Number.NEGATIVE_INFINITY
  let unsynced = false
  let timer: NodeJS.Timeout | undefined

  async function commit(): Promise<void> {
    const operations = waiting
    const sync = waitingUrgency === 'soon' && performance.now() - synced >= syncInterval
    unsynced ||= waitingUrgency === 'soon'
    waiting = []
    waitingUrgency = 'lazily'
    next = undefined
    await writeBatch(operations, sync)
  }

  async function writeBatch(operations: readonly StorageOperation[], sync: boolean): Promise<void> {
    if (sync) synced = performance.now()
    await db.batch([...operations], { sync })
    if (sync) unsynced = false
    else if (unsynced) arm()
  }

  function arm(): void {
    timer ??= setTimeout(
      () => {
        timer = undefined
        // When it fails, the next write that is waited for says so.
        if (unsynced) enqueueSync().catch(() => undefined)
      },
      Math.max(0, synced + syncInterval - performance.now()),
    ).unref()
  }

  function enqueueSync(): Promise<void> {
    running = running
      .catch(() => undefined)
      .then(() => writeBatch([{ type: 'put', key: syncMark, value: '' }], true))
    return running
  }

  return {
    write: (operations: readonly StorageOperation[], urgency: Urgency): Promise<void> => {
      waiting.push(...operations)
      if (urgency === 'soon') waitingUrgency = 'soon'
      if (next === undefined) {
        next = running.catch(() => undefined).then(commit)
        running = next
      }
      return next
    },
    flush: async (): Promise<void> => {
      await running.catch(() => undefined)
      clearTimeout(timer)
      if (unsynced) await enqueueSync()
    },
  }
}
