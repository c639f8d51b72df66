// LevelDB goes on after a write that failed in the middle, for lack of space for one: later writes
// follow the torn record in its log, succeed, and are lost when the log is read again. So a database
// that failed once is closed and opened again, which leaves the torn log behind, before it writes on.
import type { Level } from 'level'
import { UraidenError } from '../../protocol/index.ts'
import { createTurns } from '../async/turns.ts'

type Batch = (...args: readonly unknown[]) => Promise<void>

/**
 * From now on batches are written one after the other, because one that waits behind a torn record
 * would be lost with it. Each rejects with UraidenError `state_unwritable` when the disk does not take
 * it; whether it is there after a restart is then unknown.
 */
export function guardWrites(db: Level<string, string>, folder: string): void {
  const write = db.batch.bind(db) as Batch
  const close = db.close.bind(db)
  const turns = createTurns()
  let torn = false
  let closed = false

  async function mend(): Promise<void> {
    await close()
    await db.open()
    torn = false
  }

  const guarded: Batch = (...args) => {
    return turns.take(async () => {
      try {
        if (torn && !closed) await mend()
        await write(...args)
      } catch (error) {
        torn = true
        throw unwritable(folder, error)
      }
    })
  }
  db.batch = guarded as typeof db.batch
  db.close = async () => {
    closed = true
    await turns.idle()
    await close()
  }
}

function unwritable(folder: string, cause: unknown): UraidenError {
  return new UraidenError({
    code: 'state_unwritable',
    message: `The state in ${folder} cannot be written: ${cause instanceof Error ? cause.message : cause}`,
    hint: 'Nothing was promised on it. Free space on the disk, and check that it is not read-only.',
    cause,
  })
}
