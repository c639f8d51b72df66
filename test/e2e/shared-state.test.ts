// Paywalls in three processes on one PostgreSQL: whichever is asked, an interval pays once, and none is lost.
import test, { type ExecutionContext } from 'ava'
import { openDatabase } from '../../receiver/postgres/schema.ts'
import {
  claimedInAll,
  countedInAll,
  openChannels,
  startSharedPaywall,
} from '../lab/processes/shared-paywall.ts'
import {
  channelOf,
  domain,
  paymentFields,
  price,
  receiver,
  receiverKey,
} from '../support/paywall-senders.ts'
import { emptyDatabase, ownPostgres, withPostgres } from '../support/postgres.ts'

const shared = withPostgres(test)
async function given(t: ExecutionContext) {
  const server = await ownPostgres(t)
  const settings = await emptyDatabase(server)
  const database = await openDatabase(settings, { ...domain, account: receiver })
  t.teardown(database.close)
  await openChannels(
    database,
    Array.from({ length: 101 }, (_, number) => channelOf(number)),
    10_000n,
  )
  const start = async () => {
    const paywall = await startSharedPaywall({ settings, domain, key: receiverKey, price })
    t.teardown(paywall.kill)
    return paywall
  }
  const paywalls = await Promise.all([start(), start(), start()])
  const ask = async (at: number, headers: Record<string, string>) => {
    const { base } = paywalls[at % paywalls.length] ?? paywalls[0]
    const answer = await fetch(`${base}/paid`, { headers })
    await answer.arrayBuffer()
    return answer
  }
  return { server, database, paywalls, ask }
}

shared('64 requests at once on one channel and 100 on others, spread over three', async (t) => {
  const { database, ask } = await given(t)
  const one = Array.from({ length: 64 }, (_, at) => paymentFields(0, price * BigInt(at + 1)))
  const others = Array.from({ length: 100 }, (_, at) => paymentFields(at + 1, price))
  const all = [...one, ...others]
  const answers = await Promise.all(all.map((headers, at) => ask(at, headers)))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  const replays = await Promise.all(all.map((headers, at) => ask(at + 1, headers)))
  t.deepEqual([...new Set(replays.map(({ status }) => status))], [402])
  t.is(await claimedInAll(database), 164n * price)
  t.is(await countedInAll(database), 164n * price)
  const [gaps] = await database.query(`SELECT count(*)::int FROM ledger WHERE gaps <> '{}'`)
  t.deepEqual(gaps, { count: 0 })
})

shared('of the same payment at all three at once one is served', async (t) => {
  const { database, ask } = await given(t)
  const balances = Array.from({ length: 20 }, (_, at) => price * BigInt(at + 1))
  const counts = await Promise.all(
    balances.map(async (balance) => {
      const headers = paymentFields(0, balance)
      const answers = await Promise.all([0, 1, 2].map((at) => ask(at, headers)))
      return answers.filter(({ status }) => status === 200).length
    }),
  )
  t.deepEqual([...new Set(counts)], [1])
  t.is(await claimedInAll(database), 20n * price)
})

shared(
  'a keyed request that its process died over is answered by another, for one payment',
  async (t) => {
    const { database, paywalls, ask } = await given(t)
    const headers = paymentFields(0, price, 'a')
    t.is((await ask(0, headers)).status, 200)
    await paywalls[0].kill()
    const again = await ask(1, headers)
    t.is(again.status, 200)
    t.is(await claimedInAll(database), price)
    // As if the process had died before it answered.
    await database.query('UPDATE request SET status = NULL, headers = NULL, body = NULL')
    t.is((await ask(2, headers)).status, 200)
    t.is(await claimedInAll(database), price)
  },
)

shared(
  'while the database is away nobody is refused for money, and everybody served after it',
  async (t) => {
    const { server, database, ask } = await given(t)
    t.is((await ask(0, paymentFields(0, price))).status, 200)
    await server.kill()
    const away = await ask(1, paymentFields(0, 2n * price))
    t.is(away.status, 503)
    t.truthy(away.headers.get('retry-after'))
    t.is(away.headers.get('rdn-balance-signature'), null)
    await server.start()
    t.is((await ask(1, paymentFields(0, 2n * price))).status, 200)
    t.is((await ask(2, paymentFields(0, 3n * price))).status, 200)
    t.is(await claimedInAll(database), 3n * price)
  },
)
