// A start on a database that goes away in the middle of it, at each thing that it writes or reads.
import test, { type ExecutionContext } from 'ava'
import { maxTokenAmount } from '../../../protocol/index.ts'
import type { ReceiverState } from '../../../receiver/channels/state.ts'
import { openSharedState } from '../../../receiver/cluster/shared-state.ts'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'
import { breakingWay } from '../../support/breaking-way.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { emptyDatabase, sharedPostgres, stateOwner, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

async function open(t: ExecutionContext, settings: PostgresSettings): Promise<ReceiverState> {
  const stops: (() => Promise<void>)[] = []
  t.teardown(async () => {
    for (const stop of stops.reverse()) await stop()
  })
  return openSharedState({
    ...{ settings, owner: stateOwner, folder: await temporaryFolder(t) },
    ...{ longestOutage: 60_000, mostInAll: maxTokenAmount, pollInterval: 100 },
    ...{ onCommit: undefined, onWait: undefined, head: async () => 1 },
    started: (stop) => void stops.push(stop),
  })
}

for (const [what, text] of [
  ['the making of the tables', 'CREATE TABLE ledger'],
  ['the look at whose state it is', 'INSERT INTO meta'],
  ['the commit of both', 'COMMIT'],
  ['the reading of channels', 'FROM channel WHERE state IS NOT NULL'],
  ['the seat of the process', 'INSERT INTO process'],
  ['its first heartbeat', 'UPDATE process SET seen_at'],
  ['the reading of what is small', 'SELECT value FROM note'],
  ['the writing of what is small', 'INSERT INTO note'],
  ['the reading of what the relay has sent', 'FROM allowance'],
] as const) {
  for (const lost of ['statement', 'answer'] as const) {
    onPostgres(`a start goes on when ${what} is lost (${lost})`, async (t) => {
      const running = await server()
      const { database } = await emptyDatabase(running)
      const { settings, breakAt, isBroken } = await breakingWay(t, running, database)
      breakAt(text, lost)
      const { firstBlock, gasPrices, allowances, book } = await open(t, settings)
      t.is(await firstBlock.load(), undefined)
      await firstBlock.save(7)
      t.is(await firstBlock.load(), 7)
      t.is((await gasPrices.load()).size, 0)
      t.is((await allowances.load()).size, 0)
      t.deepEqual([...book.all()], [])
      t.true(isBroken())
    })
  }
}

onPostgres('a server that was never reached is not waited for', async (t) => {
  const running = await server()
  const { database } = await emptyDatabase(running)
  const { settings, breakAt, isBroken } = await breakingWay(t, running, database)
  breakAt('server_version_num', 'statement')
  await t.throwsAsync(open(t, settings), { code: 'postgres_unavailable' })
  t.true(isBroken())
})

onPostgres('when the start is over, what is asked for is asked for once', async (t) => {
  const running = await server()
  const { database } = await emptyDatabase(running)
  const { settings, breakAt } = await breakingWay(t, running, database)
  const { allowances, sharing } = await open(t, settings)
  sharing?.serve({})
  breakAt('FROM allowance', 'answer')
  await t.throwsAsync(allowances.load(), { code: 'postgres_unavailable' })
  t.is((await allowances.load()).size, 0)
})
