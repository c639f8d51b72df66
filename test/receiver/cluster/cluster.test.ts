// A process among those that share a state, and its own number.
import test from 'ava'
import { askCommitted } from '../../../receiver/cluster/claim-call.ts'
import { type Cluster, joinCluster } from '../../../receiver/cluster/cluster.ts'
import type { Database } from '../../../receiver/postgres/connection.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import { emptyDatabase, sharedPostgres, stateOwner, withPostgres } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

onPostgres(
  'a process that raises its own number during a heartbeat is not taken for dead, and keeps that number',
  async (t) => {
    const database = await openDatabase(await emptyDatabase(await server()), stateOwner)
    t.teardown(database.close)
    let cluster: Cluster | undefined
    let beats = 0
    const query: Database['query'] = async (text, values) => {
      if (text.includes('UPDATE process SET seen_at') && cluster !== undefined) {
        beats++
        const raised = beats === 1 ? await askCommitted(database, cluster.membership()) : undefined
        if (raised !== undefined) cluster.renumbered(raised.epoch)
      }
      return database.query(text, values)
    }
    const errors: unknown[] = []
    cluster = await joinCluster({
      ...{ database: { ...database, query }, name: 'one' },
      onElected: () => undefined,
      onError: (error) => errors.push(error),
    })
    t.teardown(cluster.leave)
    t.is(cluster.membership().epoch, 1n)
    await until(() => beats > 2)
    t.is(cluster.membership().epoch, 2n)
    t.deepEqual(errors, [])
    t.deepEqual(await database.query('SELECT epoch FROM process'), [{ epoch: 2n }])
  },
)
