// Nobody is answered before it is certain what became of a call, whatever happens to the connection and the server.
import test, { type ExecutionContext } from 'ava'
import { isUraidenError } from '../../../protocol/index.ts'
import type { ChannelId } from '../../../receiver/channels/book.ts'
import { askCommitted } from '../../../receiver/cluster/claim-call.ts'
import { beat, bury, rejoin } from '../../../receiver/cluster/membership.ts'
import { findRequest } from '../../../receiver/cluster/shared-requests.ts'
import { channelOf, paymentOf, said } from '../../support/ledgers.ts'
import { ownPostgres, sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState, joinState } from '../../support/shared-state.ts'
import { until } from '../../support/until.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)

async function given(t: ExecutionContext, server = postgres()) {
  const state = await givenState(t, await server)
  const join = async (more: Parameters<typeof joinState>[1] = {}) => {
    const process = await joinState(state.settings, more)
    t.teardown(process.leave)
    return process
  }
  return { ...state, join, first: await join() }
}

type Given = Awaited<ReturnType<typeof given>>

/** Calls that claim wait until the row is let go; ends the connections of those that wait. */
async function holding({ database }: Given, { openBlock }: ChannelId) {
  const holder = await database.connect()
  await holder.query('BEGIN')
  await holder.query(
    'SELECT FROM ledger JOIN channel USING (id) WHERE open_block = $1 FOR UPDATE OF ledger',
    [openBlock],
  )
  const waiting = () =>
    database.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
         AND wait_event_type = 'Lock' AND query LIKE '%claim_many%'`,
    )
  return {
    waits: (calls = 1) => until(async () => (await waiting()).length === calls),
    end: () =>
      database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
           AND wait_event_type = 'Lock' AND query LIKE '%claim_many%'`,
      ),
    release: async () => {
      await holder.query('COMMIT')
      await holder.close()
    },
  }
}

shared('a call that was broken off before it was done is done again, once', async (t) => {
  const here = await given(t)
  const { first, open, database } = here
  const channel = await open(100n)
  await first.ledgers.claim(paymentOf(channel, 5n, 5n))
  const held = await holding(here, channel)
  const claims = [10n, 15n].map((balance) => first.ledgers.claim(paymentOf(channel, balance, 5n)))
  await held.waits()
  await held.end()
  await held.release()
  t.deepEqual((await Promise.all(claims)).map(said), ['claimed', 'claimed'])
  t.is(first.seat().epoch, 2n)
  t.is((await channelOf(first.ledgers, channel))?.claims.highest, 15n)
  const [row] = await database.query('SELECT batch, paid, refused FROM process WHERE id = $1', [
    first.seat().id,
  ])
  t.deepEqual(row, { batch: 2n, paid: 15n, refused: null })
})

shared(
  'how many payments share a call is counted, and how long each has waited for it',
  async (t) => {
    const here = await given(t)
    const calls: string[] = []
    const waits: number[] = []
    const second = await here.join({
      onCommit: (records, seconds, outcome) => calls.push(`${records} ${outcome} ${seconds > 0}`),
      onWait: (seconds) => waits.push(seconds),
    })
    const channel = await here.open(100n)
    const claim = (balance: bigint) => second.ledgers.claim(paymentOf(channel, balance, 5n))
    await claim(5n)
    const held = await holding(here, channel)
    const first = claim(10n)
    await held.waits()
    const others = [15n, 20n, 25n].map(claim)
    await held.release()
    t.deepEqual((await Promise.all([first, ...others])).map(said), Array(4).fill('claimed'))
    t.deepEqual(calls, ['1 ok true', '1 ok true', '3 ok true'])
    t.is(waits.length, 5)
    // They came while a call was under way; whoever came alone has waited for nobody.
    t.true(Math.min(...waits.slice(2)) > 0)
    await here.database.query('UPDATE process SET epoch = epoch + 1 WHERE id = $1', [
      second.seat().id,
    ])
    await t.throwsAsync(claim(30n), { code: 'process_fenced' })
    t.is(calls.at(-1), '1 failed true')
  },
)

shared('a call that was done, and whose answer was lost, is not done again', async (t) => {
  const { first, open, database } = await given(t)
  const channel = await open(100n)
  const other = await open(100n)
  for (const each of [channel, other]) await first.ledgers.claim(paymentOf(each, 5n, 5n))
  // The commit waits for a lock: who asks meanwhile waits for the commit.
  await database.query(`
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON ledger DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (new.highest = 10) EXECUTE FUNCTION wait()`)
  const holder = await database.connect()
  t.teardown(holder.close)
  await holder.query('SELECT pg_advisory_lock(1)')
  const claims = [
    first.ledgers.claim(paymentOf(channel, 10n, 5n)),
    first.ledgers.claim(paymentOf(other, 20n, 5n, { mayLeaveGap: false })),
  ]
  const waits = (event: string) =>
    until(async () => {
      const waiting = await database.query(
        'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = $1',
        [event],
      )
      return waiting.length > 0
    })
  await waits('advisory')
  // The server goes on: only our side of the connection is gone.
  await first.cut()
  await waits('transactionid')
  await holder.query('SELECT pg_advisory_unlock(1)')
  t.deepEqual((await Promise.all(claims)).map(said), ['claimed', 'invalid_amount'])
  const [row] = await database.query('SELECT paid FROM process WHERE id = $1', [first.seat().id])
  t.deepEqual(row, { paid: 15n })
})

shared('two processes that wait for each other both get through', async (t) => {
  const here = await given(t)
  const { first, open } = here
  const second = await here.join()
  const channels = await Promise.all(Array.from({ length: 20 }, () => open(10_000n)))
  const pay = (process: typeof first, order: readonly ChannelId[], turn: bigint) =>
    Promise.all(
      order.map((channel) => {
        // Out of order, so that rows are locked in the second pass as well.
        const balance = 10n * (channel.openBlock % 2 === 0 ? turn : 100n - turn)
        return process.ledgers.claim(paymentOf(channel, balance, 5n))
      }),
    )
  for (let turn = 1n; turn <= 20n; turn++) {
    const both = await Promise.all([
      pay(first, channels, turn),
      pay(second, channels.toReversed(), turn),
    ])
    const taken = channels.map((_, at) => {
      const outcomes = [both[0][at], both[1][channels.length - 1 - at]]
      return outcomes.filter((outcome) => outcome?.kind === 'claimed').length
    })
    t.true(taken.every((count) => count === 1))
  }
})

shared(
  'a process that others took for dead has no effect, until it has a number again',
  async (t) => {
    const { first, open, database } = await given(t)
    const channel = await open(100n)
    await first.ledgers.claim(paymentOf(channel, 5n, 5n))
    await database.query('UPDATE process SET epoch = epoch + 1')
    const error = await t.throwsAsync(first.ledgers.claim(paymentOf(channel, 10n, 5n)))
    t.true(isUraidenError(error, 'process_fenced'))
    t.is((await channelOf(first.ledgers, channel))?.claims.highest, 5n)
  },
)

shared('nobody pays when the chain was not looked at for too long', async (t) => {
  const here = await given(t)
  const process = await here.join({ longestOutage: 60_000 })
  const channel = await here.open(100n)
  t.is(said(await process.ledgers.claim(paymentOf(channel, 5n, 5n))), 'claimed')
  await here.database.query(`UPDATE position SET seen_at = clock_timestamp() - interval '61 s'`)
  t.is(said(await process.ledgers.claim(paymentOf(channel, 10n, 5n))), 'chain_unavailable')
})

shared('a credit waits until the database is back, and payments do not', async (t) => {
  const server = await ownPostgres(t)
  const { first, open, join } = await given(t, Promise.resolve(server))
  const channel = await open(100n)
  const outcome = await first.ledgers.claim(paymentOf(channel, 10n, 10n))
  if (outcome.kind !== 'claimed') return t.fail()
  await server.kill()
  let isGivenBack = false
  const credit = first.ledgers
    .giveBack(outcome.claimed, { from: 0n, to: 4n })
    .then(() => (isGivenBack = true))
  const refused = await t.throwsAsync(first.ledgers.claim(paymentOf(channel, 20n, 10n)))
  t.true(isUraidenError(refused, 'postgres_unavailable'))
  t.false(isGivenBack)
  await server.start()
  await credit
  const second = await join()
  t.deepEqual((await channelOf(second.ledgers, channel))?.claims, {
    highest: 10n,
    unclaimed: [{ from: 4n, to: 10n }],
  })
})

const request = { id: 'A'.repeat(43), expires: Date.UTC(2100, 0) }

/** Two processes, of which the first was paid for the request and is answering it. */
async function answering(t: ExecutionContext) {
  const state = await given(t)
  const { first, open, join } = state
  const second = await join()
  const payment = paymentOf(await open(100n), 5n, 5n, { request })
  t.is(said(await first.ledgers.claim(payment)), 'claimed')
  return { ...state, second, payment }
}

shared('the same request at two processes is paid and answered once', async (t) => {
  const { first, second, payment, database } = await answering(t)
  const waiting = second.ledgers.claim(payment)
  await until(() => second.looks() > 1)
  const reply = {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.from('21.4'),
  }
  await first.replies.save(request.id, { ...reply, content: 'none', expires: request.expires })
  const outcome = await waiting
  t.deepEqual(outcome, {
    kind: 'answered',
    reply: { ...reply, content: 'none', expires: request.expires },
  })
  const [paid] = await database.query('SELECT sum(paid)::numeric AS paid FROM process')
  t.deepEqual(paid, { paid: 5n })
})

shared('what a dead process was answering is gone on with elsewhere, paid for once', async (t) => {
  const { first, second, payment, database } = await answering(t)
  const waiting = second.ledgers.claim(payment)
  await until(() => second.looks() > 1)
  await database.query(
    `UPDATE process SET seen_at = clock_timestamp() - interval '4 s' WHERE id = $1`,
    [first.seat().id],
  )
  const outcome = await waiting
  t.deepEqual(outcome.kind === 'claimed' && outcome.claimed.paid, { from: 0n, to: 5n })
  // Who comes back after all keeps nothing under it.
  const late = { status: 200, headers: {}, body: Buffer.from('late'), expires: request.expires }
  await first.replies.save(request.id, late)
  const [row] = await database.query('SELECT status, attempts FROM request')
  t.deepEqual(row, { status: null, attempts: 2 })
})

shared('who asks what became of its calls goes on answering what was paid before', async (t) => {
  const { first, second, payment, database } = await answering(t)
  for (const _ of ['once', 'twice']) await askCommitted(database, first.seat())
  const waiting = second.ledgers.claim(payment)
  await until(() => second.looks() > 1)
  const reply = { status: 200, headers: {}, body: Buffer.from('21.4'), expires: request.expires }
  await first.replies.save(request.id, reply)
  t.is(said(await waiting), 'answered')
  t.deepEqual(await database.query('SELECT attempts FROM request'), [{ attempts: 1 }])
})

shared(
  'who was taken for dead and asks is there again, and answers what it is paid then',
  async (t) => {
    const { first, open, join, database } = await given(t)
    const second = await join()
    await open(100n)
    await database.query("UPDATE process SET seen_at = '-infinity' WHERE id = $1", [
      first.seat().id,
    ])
    t.true(await bury(database, first.seat().id))
    const { epoch = 0n } = (await askCommitted(database, first.seat())) ?? {}
    await beat(database, { ...first.seat(), epoch })
    await database.query(
      `INSERT INTO request (id, channel, from_, to_, owner, owner_epoch, expires)
     SELECT $1, id, 0, 5, $2, $3, $4 FROM channel`,
      [Buffer.from(request.id, 'base64url'), first.seat().id, epoch, new Date(request.expires)],
    )
    t.deepEqual(await findRequest(database, { request, seat: second.seat() }), {
      kind: 'elsewhere',
    })
  },
)

shared('who was taken for dead after it had asked answers nothing of before', async (t) => {
  const { first, second, payment, database } = await answering(t)
  await askCommitted(database, first.seat())
  t.truthy(await rejoin(database, first.seat()))
  t.is(said(await second.ledgers.claim(payment)), 'claimed')
})

shared(
  'a large reply is kept, and one that a crash of the server took is not given empty',
  async (t) => {
    const { first, open, join, database } = await given(t)
    const second = await join()
    const channel = await open(100n)
    const payment = paymentOf(channel, 5n, 5n, { request })
    await first.ledgers.claim(payment)
    const body = Buffer.alloc(70_000, 'x')
    await first.replies.save(request.id, {
      status: 200,
      headers: {},
      body,
      expires: request.expires,
    })
    const outcome = await second.ledgers.claim(payment)
    t.is(outcome.kind === 'answered' && outcome.reply.body.length, 70_000)
    // As PostgreSQL does with what is not logged.
    await database.query('TRUNCATE large_body')
    t.is(said(await second.ledgers.claim(payment)), 'balance_spent')
  },
)

shared('a request whose answer could not be kept is not waited for', async (t) => {
  const { first, open, join, database } = await given(t)
  const second = await join()
  const channel = await open(100n)
  const payment = paymentOf(channel, 5n, 5n, { request })
  await first.ledgers.claim(payment)
  await database.query('ALTER TABLE request RENAME COLUMN status TO gone')
  const reply = { status: 200, headers: {}, body: Buffer.from('21.4'), expires: request.expires }
  await t.throwsAsync(first.replies.save(request.id, reply))
  await database.query('ALTER TABLE request RENAME COLUMN gone TO status')
  const outcome = await second.ledgers.claim(payment)
  t.deepEqual(outcome.kind === 'claimed' && outcome.claimed.paid, { from: 0n, to: 5n })
})

shared('requests that can be repeated no more are forgotten, with their replies', async (t) => {
  const { first, open, database } = await given(t)
  const channel = await open(100n)
  const over = { id: 'B'.repeat(43), expires: Date.now() - 1 }
  await first.ledgers.claim(paymentOf(channel, 5n, 5n, { request: over }))
  await first.ledgers.claim(paymentOf(channel, 10n, 5n, { request }))
  const reply = { status: 200, headers: {}, body: Buffer.from('21.4'), expires: request.expires }
  await first.replies.save(request.id, reply)
  await until(async () => {
    const left = await database.query('SELECT status FROM request')
    return left.length === 1 && left[0]?.status === 200
  })
  t.is((await channelOf(first.ledgers, channel))?.claims.highest, 10n)
})

shared(
  'what no standby has confirmed is not served, until one has or none is wanted',
  async (t) => {
    const server = await ownPostgres(t)
    const { first, open, database } = await given(t, Promise.resolve(server))
    const channel = await open(100n)
    await first.ledgers.claim(paymentOf(channel, 5n, 5n))
    const standbys = async (names: string) => {
      await database.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
      await database.query('SELECT pg_reload_conf()')
    }
    const waiting = (query: string) =>
      until(async () => {
        const [row] = await database.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE $1`,
          [query],
        )
        return row?.pid
      })
    await standbys('nobody')
    let isServed = false
    const claim = first.ledgers.claim(paymentOf(channel, 10n, 5n)).then((outcome) => {
      isServed = true
      return outcome
    })
    await database.query('SELECT pg_cancel_backend($1)', [await waiting('%claim_many%')])
    await waiting('UPDATE process SET epoch%')
    t.false(isServed)
    await standbys('')
    t.is(said(await claim), 'claimed')
    t.is((await channelOf(first.ledgers, channel))?.claims.highest, 10n)
  },
)
