// The bench of a fleet, of two small ones: a real receiver, on a folder and on a PostgreSQL, through all stages.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { FleetRow, StoreName } from '../../bench/lib/fleet/stages.ts'
import { withPostgres } from '../support/postgres.ts'

const run = promisify(execFile)

async function measures(
  t: ExecutionContext,
  store: StoreName,
  sizes: readonly number[],
): Promise<readonly FleetRow[]> {
  const { stdout } = await run(process.execPath, [
    'bench/fleet.ts',
    ...['--channels', sizes.join()],
    ...['--looks', '3'],
    ...['--warm', '2'],
    ...['--store', store],
    '--json',
  ])
  const rows: readonly FleetRow[] = JSON.parse(stdout).rows
  t.deepEqual(
    rows.map((row) => [row.store, row.channels]),
    sizes.toSorted().map((size) => [store, size]),
  )
  for (const { channels, stages, transactions, memory } of rows) {
    const counts = Object.entries(stages).map(([stage, { count }]) => [stage, count])
    // Those that warm up are read with the others.
    t.deepEqual(Object.fromEntries(counts), {
      ...{ open: channels, quiet: 3, claim: channels, again: channels, settle: channels },
      ...{ start: channels, sync: channels + 60 },
    })
    t.true(Object.values(stages).every(({ nodeCpu, seconds }) => nodeCpu > 0 && seconds > 0))
    t.true(memory.heap > 0)
    t.is(transactions, Math.ceil((channels + 60) / 50))
  }
  return rows
}

test('on a folder, from the first channel to the withdrawal from all', async (t) => {
  const [row] = await measures(t, 'leveldb', [45, 20])
  t.is(row?.stages.claim.wal, undefined)
})

withPostgres(test)('on a PostgreSQL, with what that does', async (t) => {
  const [row] = await measures(t, 'postgres', [45])
  t.true((row?.stages.claim.wal ?? 0) > 0)
})

test('sizes that are none are refused with what to write', async (t) => {
  await t.throwsAsync(run(process.execPath, ['bench/fleet.ts', '--channels', '10,many']), {
    message: /Write an integer from 1 to 1000000/,
  })
})
