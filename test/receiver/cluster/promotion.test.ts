// What a process does when the database has become another one, which lacks some of what it acknowledged. The server's
// timeline is a function here that a test replaces, and rows are taken away as a standby would not have had them.
import test, { type ExecutionContext } from 'ava'
import { isUraidenError } from '../../../protocol/index.ts'
import { asLeader, renewLease, takeLease } from '../../../receiver/cluster/lease.ts'
import { beginServing, type PutBack } from '../../../receiver/cluster/promotion.ts'
import { serveShared } from '../../../receiver/cluster/serving.ts'
import { connectDatabase } from '../../../receiver/postgres/connection.ts'
import { channelOf, paymentOf, said } from '../../support/ledgers.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState } from '../../support/shared-state.ts'
import { until } from '../../support/until.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)

async function given(t: ExecutionContext) {
  const state = await givenState(t, await postgres())
  const { database, settings } = state
  const join = async () => {
    const own = await connectDatabase(settings)
    const put: PutBack[] = []
    const serving = await serveShared({
      database: own,
      onElected: () => undefined,
      onPutBack: (each) => void put.push(each),
      onError: () => undefined,
    })
    const leave = async () => {
      await serving.queue.close()
      await serving.cluster.leave()
      await own.close()
    }
    t.teardown(leave)
    return { ...serving, put }
  }
  return {
    ...{ ...state, join },
    /** `lost` is gone with it. */
    promote: (timeline: number, lost = '') =>
      database.query(
        `BEGIN; ${lost}; CREATE OR REPLACE FUNCTION current_timeline() RETURNS bigint LANGUAGE sql STABLE
           AS 'SELECT ${timeline}::bigint'; COMMIT`,
      ),
  }
}

type Serving = Awaited<ReturnType<Awaited<ReturnType<typeof given>>['join']>>

/** Whatever is asked for while nobody can pay. */
const paid = async ({ ledgers }: Serving, ...payment: Parameters<typeof paymentOf>) =>
  until(async () => {
    try {
      return said(await ledgers.claim(paymentOf(...payment)))
    } catch (error) {
      if (isUraidenError(error, 'state_restoring')) return undefined
      throw error
    }
  })

const nothingPaid = `UPDATE ledger SET highest = 0, gaps = '{}', form = NULL, proof = NULL, agreed = false,
  key_no = NULL; DELETE FROM agreement; UPDATE channel SET request_key = NULL, request_key_number = NULL`

const codeOf = (error: unknown) => (isUraidenError(error) ? error.code : String(error))

shared(
  'payments, agreements and keys are put back; what was given back is not taken',
  async (t) => {
    const { join, open, promote } = await given(t)
    const first = await join()
    const [plain, agreed, bound] = [await open(100n), await open(100n), await open(100n)]
    const outcome = await first.ledgers.claim(paymentOf(plain, 20n, 10n))
    if (outcome.kind !== 'claimed') return t.fail()
    await first.ledgers.giveBack(outcome.claimed, { from: 10n, to: 14n })
    await first.ledgers.claim(paymentOf(agreed, 5n, 5n))
    await first.ledgers.agree({ ...agreed, balance: 5n })
    const key = { key: `0x02${'11'.repeat(31)}01` as never, number: 5n }
    await first.ledgers.bind(bound, key)
    await promote(7, nothingPaid)
    t.is(await paid(first, plain, 14n, 4n), 'balance_spent')
    t.deepEqual((await channelOf(first.ledgers, plain))?.claims, {
      highest: 20n,
      unclaimed: [
        { from: 0n, to: 10n },
        { from: 14n, to: 20n },
      ],
    })
    const closed = await channelOf(first.ledgers, agreed)
    t.like(closed, { agreedToClose: true, agreedBalance: 5n })
    t.is(await paid(first, agreed, 10n, 5n), 'nonexisting_channel')
    t.is(await paid(first, bound, 5n, 5n), 'nonexisting_channel')
    t.deepEqual((await channelOf(first.ledgers, bound))?.requestKey, key)
    t.deepEqual(
      first.put.map(({ channels, isLate }) => [channels, isLate]),
      [[3, false]],
    )
  },
)

shared('the number of a channel that is gone may be another one’s', async (t) => {
  const { join, open, promote, database } = await given(t)
  const first = await join()
  const [gone, other] = [await open(100n), { ...(await open(100n)), openBlock: 99 }]
  t.is(await paid(first, gone, 5n, 5n), 'claimed')
  await promote(
    7,
    `DELETE FROM channel WHERE open_block = ${gone.openBlock};
     UPDATE channel SET open_block = 99;
     INSERT INTO channel (id, sender, open_block, state, deposit) OVERRIDING SYSTEM VALUE
         SELECT 1, sender, 98, state, deposit FROM channel;
       INSERT INTO ledger (id, open, ceiling) VALUES (1, true, 100)`,
  )
  t.is(await paid(first, other, 5n, 5n), 'claimed')
  t.is(await paid(first, gone, 10n, 5n), 'nonexisting_channel')
  const rows = await database.query(
    'SELECT open_block, highest FROM ledger JOIN channel USING (id) ORDER BY open_block',
  )
  t.deepEqual(rows, [
    { open_block: BigInt(gone.openBlock), highest: 5n },
    { open_block: 98n, highest: 0n },
    { open_block: 99n, highest: 5n },
  ])
})

shared('a process whose row is gone, or is another one’s, joins anew', async (t) => {
  const { join, open, promote, database } = await given(t)
  const [first, second] = [await join(), await join()]
  const channel = await open(100n)
  t.is(await paid(first, channel, 5n, 5n), 'claimed')
  const { id } = first.cluster.membership()
  await promote(7, `${nothingPaid}; UPDATE process SET token = gen_random_uuid() WHERE id = ${id}`)
  await until(() => first.put.length > 0)
  // Nobody knows that the one who is waited for has come: the wait would be over later.
  await database.query('UPDATE process SET left_at = clock_timestamp() WHERE id = $1', [id])
  t.is(await paid(second, channel, 5n, 5n), 'balance_spent')
  t.is(await paid(first, channel, 10n, 5n), 'claimed')
  t.true(first.cluster.membership().id > second.cluster.membership().id)
})

shared('nobody pays until all have put back; who comes late puts back all the same', async (t) => {
  const { join, open, promote } = await given(t)
  const [first, second] = [await join(), await join()]
  const [one, two] = [await open(100n), await open(100n)]
  t.is(await paid(first, one, 5n, 5n), 'claimed')
  t.is(await paid(second, two, 5n, 5n), 'claimed')
  await promote(7, nothingPaid)
  await until(() => first.put.length > 0)
  t.deepEqual((await channelOf(first.ledgers, one))?.claims.highest, 5n)
  t.is(await paid(first, two, 5n, 5n), 'balance_spent')
  await promote(8, `${nothingPaid}; UPDATE meta SET timeline = 8, noticed = 8`)
  await until(() => first.put.length > 1 && second.put.length > 1)
  t.deepEqual([first.put[1]?.isLate, second.put[1]?.isLate], [true, true])
  t.is(await paid(first, two, 5n, 5n), 'balance_spent')
})

shared(
  'nobody leads on a promoted standby until all is back, and who led before leads no more',
  async (t) => {
    const { promote, database } = await given(t)
    const epoch = (await takeLease(database, 1n)) ?? 0n
    const writes = () =>
      asLeader(database, epoch, async () => 'written').catch((error: unknown) => codeOf(error))
    await database.query(`UPDATE leader SET until = 'infinity'`)
    t.is(await writes(), 'written')
    await promote(7)
    t.is(await writes(), 'not_the_leader')
    await database.query(`UPDATE leader SET until = '-infinity'`)
    t.is(await takeLease(database, 2n), undefined)
    t.is(await beginServing(database), undefined)
    t.false(await renewLease(database, epoch))
    await database.query(`UPDATE meta SET noticed_at = '-infinity'`)
    t.is(await beginServing(database), 0)
    t.is(await takeLease(database, 2n), epoch + 1_000_001n)
    t.is(await writes(), 'not_the_leader')
  },
)
