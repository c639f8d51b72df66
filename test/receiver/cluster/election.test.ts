// One of several processes leads; whoever led before can write nothing and sign nothing any more.
import test, { type ExecutionContext } from 'ava'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import {
  asLeader,
  idleLimit,
  leaseInterval,
  leaseTime,
  takeLease,
} from '../../../receiver/cluster/lease.ts'
import {
  beatInterval,
  bury,
  longestSilence,
  members,
} from '../../../receiver/cluster/membership.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import type { PostgresServer } from '../../lab/postgres/server.ts'
import { type ClusterProcess, startMember } from '../../support/cluster.ts'
import {
  emptyDatabase,
  ledState,
  ownPostgres,
  sharedPostgres,
  withPostgres,
} from '../../support/postgres.ts'
import { until } from '../../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const account = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account }

async function givenState(running: PostgresServer) {
  const settings = await emptyDatabase(running)
  const database = await openDatabase(settings, owner)
  const url = running.url(settings.database)
  return { settings, database, url }
}

/** The first leads; the second has seen it. */
async function givenTwo(t: ExecutionContext, running: PostgresServer) {
  const state = await givenState(running)
  t.teardown(() => state.database.close())
  const first = startMember(t, state.url, 'first')
  await first.says('elected')
  const second = startMember(t, state.url, 'second')
  await second.says('joined')
  return { ...state, first, second }
}

const did = (member: ClusterProcess, command: string) => {
  const before = member.said().length
  member.tell(command)
  return until(() =>
    member
      .said()
      .slice(before)
      .find((line) => line === `done ${command}` || line.startsWith(`failed ${command}`)),
  )
}

test('a takeover takes at most five seconds: a lease, the pause between two looks, and a leader that is stopped within a transaction', (t) => {
  t.true(Math.max(leaseTime, idleLimit) + leaseInterval <= 5000)
  t.true(beatInterval * 2 < longestSilence)
})

onPostgres('of four that begin at once one leads', async (t) => {
  const { url, database } = await givenState(await server())
  t.teardown(() => database.close())
  const members = ['a', 'b', 'c', 'd'].map((name) => startMember(t, url, name))
  await Promise.all(members.map(({ says }) => says('joined')))
  await until(() => members.some(({ said }) => said().includes('elected 1')))
  // Each of them has tried by now.
  await until(async () => {
    const rows = await database.query(
      "SELECT FROM process WHERE seen_at > started + interval '1500 ms'",
    )
    return rows.length === 4
  })
  const elected = members.flatMap(({ said }) => said().filter((line) => line.startsWith('elected')))
  t.deepEqual(elected, ['elected 1'])
})

onPostgres(
  'a leader that is killed is followed by another; one that leaves is followed at once',
  async (t) => {
    const { first, second, url } = await givenTwo(t, await server())
    first.signal('SIGKILL')
    t.is(await second.says('elected'), 'elected 2')
    t.is(await did(second, 'write'), 'done write')
    const third = startMember(t, url, 'third')
    await third.says('joined')
    second.tell('leave')
    t.is(await third.says('elected'), 'elected 3')
  },
)

onPostgres(
  'a leader that is stopped and wakes up after its term writes nothing and signs nothing',
  async (t) => {
    const { first, second, database } = await givenTwo(t, await server())
    first.signal('SIGSTOP')
    await second.says('elected 2')
    t.is(await did(second, 'sign'), 'done sign')
    first.signal('SIGCONT')
    t.is(await did(first, 'write'), 'failed write not_the_leader')
    t.is(await did(first, 'sign'), 'failed sign not_the_leader')
    await first.says('over 1')
    t.deepEqual(await database.query('SELECT operation, epoch FROM tx'), [
      { operation: 'of second', epoch: 2n },
    ])
    t.deepEqual(await database.query('SELECT name FROM note'), [])
    // It goes on as one of them.
    second.signal('SIGKILL')
    await first.says('elected 3')
    t.is(await did(first, 'sign'), 'done sign')
  },
)

onPostgres(
  'a leader that is stopped in the middle of a transaction does not hold up its successor, and none of it stays',
  async (t) => {
    const { first, second, database } = await givenTwo(t, await server())
    first.tell('hold')
    await first.says('holding')
    first.signal('SIGSTOP')
    await second.says('elected 2')
    t.is(await did(second, 'write'), 'done write')
    first.signal('SIGCONT')
    first.tell('release')
    await first.says('failed hold')
    t.deepEqual(await database.query('SELECT name FROM note'), [{ name: 'second' }])
  },
)

onPostgres(
  'a takeover waits for what the leader has begun to write, however long its lease is over',
  async (t) => {
    const { database } = await givenState(await server())
    t.teardown(database.close)
    const epoch = (await takeLease(database, 1n)) ?? 0n
    await database.query(`UPDATE leader SET until = clock_timestamp() + interval '4 s'`)
    const written = asLeader(database, epoch, async ({ query }) => {
      await query(`INSERT INTO note VALUES ('begun', '')`)
      await query(`SELECT pg_sleep_until(until + interval '1 s') FROM leader`)
    })
    t.is(await until(() => takeLease(database, 2n)), epoch + 1n)
    t.deepEqual(await database.query('SELECT name FROM note'), [{ name: 'begun' }])
    await written
  },
)

onPostgres(
  'what a leader writes is done once more where it and a payment wait for each other',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    await database.query(`INSERT INTO note VALUES ('a', ''), ('b', '')`)
    const other = await database.connect()
    t.teardown(other.close)
    const change = (name: string) => `UPDATE note SET value = value || '+' WHERE name = '${name}'`
    // It is the leader whom the server takes back.
    await other.query(`BEGIN; SET LOCAL deadlock_timeout = '1h'; ${change('b')}`)
    let tries = 0
    let crossing: Promise<unknown> | undefined
    await term.write(async ({ query }) => {
      tries++
      // The other one has what it waited for as soon as the first try is taken back.
      if (tries > 1) await crossing
      await query(change('a'))
      crossing ??= other.query(`${change('a')}; COMMIT`)
      const waiting = 'SELECT FROM pg_locks WHERE NOT granted'
      await until(async () => tries > 1 || (await query(waiting)).length > 0)
      await query(change('b'))
    })
    await crossing
    t.is(tries, 2)
    t.deepEqual(await database.query('SELECT value FROM note ORDER BY name'), [
      { value: '++' },
      { value: '++' },
    ])
  },
)

onPostgres(
  'a process that was taken for dead is fenced, and comes back under another epoch',
  async (t) => {
    const { first, second, database } = await givenTwo(t, await server())
    second.signal('SIGSTOP')
    const id = 2n
    await until(() => bury(database, id))
    t.false(await bury(database, 1n))
    second.signal('SIGCONT')
    await second.says('error process_fenced')
    await until(async () => {
      await did(second, 'members')
      return second.said().includes('member 3 heard true')
    })
    t.deepEqual(
      (await members(database)).map(({ name, isAlive, isLeader }) => [name, isAlive, isLeader]),
      [
        ['first', true, true],
        ['second', true, false],
      ],
    )
    t.truthy(first)
  },
)

onPostgres(
  'a server that is killed ends no process: one leads when it is back, and until then none',
  async (t) => {
    const running = await ownPostgres(t)
    const { first, second } = await givenTwo(t, running)
    await running.kill()
    await first.says('over 1')
    await until(async () => {
      await did(second, 'members')
      return second.said().includes('member 1 heard false')
    })
    await running.start()
    await until(() => [first, second].some(({ said }) => said().includes('elected 2')))
    const leader = first.said().includes('elected 2') ? first : second
    t.is(await did(leader, 'write'), 'done write')
  },
)
