// Many writers, one synced write: who comes while a write is under way shares the next one.

export interface BatchWriter<Value> {
  /** Makes all entries durable at once, or none of them. */
  readonly writeBatch: (entries: ReadonlyMap<string, Value>) => Promise<void>
}

export interface GroupCommit<Value> {
  /** Resolves when the entries, or newer values of their keys, are on disk. */
  readonly save: (entries: Iterable<readonly [string, Value]>) => Promise<void>
  /** Resolves when nothing is waiting to be written. */
  readonly idle: () => Promise<void>
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * No timer: a delay of a millisecond or two gained nothing (docs/design/performance.md). A key that is saved
 * again before its write begins is written once, with its newest value.
 */
export function groupCommit<Value>({ writeBatch }: BatchWriter<Value>): GroupCommit<Value> {
  let entries = new Map<string, Value>()
  let waiters: Waiter[] = []
  let running: Promise<void> | undefined

  async function writeAll(): Promise<void> {
    while (waiters.length > 0) {
      const [batch, served] = [entries, waiters]
      entries = new Map()
      waiters = []
      try {
        await writeBatch(batch)
        for (const { resolve } of served) resolve()
      } catch (error) {
        for (const { reject } of served) reject(error)
      }
    }
    running = undefined
  }

  return {
    save: (added) =>
      new Promise((resolve, reject) => {
        for (const [key, value] of added) entries.set(key, value)
        waiters.push({ resolve, reject })
        running ??= writeAll()
      }),
    idle: async () => {
      while (running !== undefined) await running
    },
  }
}
