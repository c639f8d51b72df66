// What a daemon keeps in memory of its state after years: LevelDB holds what is new until that fills its buffer.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { openStorage } from '../../agent/channels/ledger-storage.ts'
import { openOutboxStorage } from '../../agent/jobs/sinks/storage.ts'
import { littleMemory } from '../../platform/state/state.ts'
import { temporaryFolder } from '../support/folder.ts'
import { owner } from '../support/ledger.ts'
import { until } from '../support/until.ts'

const piece = 'x'.repeat(1 << 15)
/** LevelDB's own buffer has room for it. */
const pieces = Array.from({ length: 3 << 5 }, (_, number) => [`${number}`, piece] as const)

/** LevelDB writes a table, and forgets what is in it, when its buffer is full. */
async function isInTables(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((file) => file.endsWith('.ldb'))
}

test('of the ledger and of what waits for sinks little is in memory', async (t) => {
  t.true(littleMemory <= 1 << 20)
  const folder = await temporaryFolder(t)
  const [ledger, outbox] = [join(folder, 'ledger'), join(folder, 'jobs')]
  const storage = await openStorage({ folder: ledger, owner })
  for (const [key, value] of pieces) await storage.write({ notes: new Map([[key, value]]) })
  await until(() => isInTables(ledger))
  await storage.close()

  const waiting = await openOutboxStorage({ folder: outbox, owner, syncInterval: 0 })
  for (const [key, value] of pieces) await waiting.write([{ type: 'put', key, value }], 'soon')
  await until(() => isInTables(outbox))
  await waiting.close()
  t.pass()
})
