// Paywalls in two processes, a database that dies, and its standby that takes over, with everything or without the
// newest payments: nothing is sold twice.
import test, { type ExecutionContext } from 'ava'
import { connectDatabase } from '../../receiver/postgres/connection.ts'
import { openDatabase } from '../../receiver/postgres/schema.ts'
import { parsePostgresUrl } from '../../receiver/postgres/settings.ts'
import { replicating } from '../lab/postgres/server.ts'
import { startStandby } from '../lab/postgres/standby.ts'
import { openWay } from '../lab/postgres/way.ts'
import { claimedInAll, openChannels, startSharedPaywall } from '../lab/processes/shared-paywall.ts'
import {
  channelOf,
  domain,
  paymentFields,
  price,
  receiver,
  receiverKey,
} from '../support/paywall-senders.ts'
import { emptyDatabase, ownPostgres, withPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const shared = withPostgres(test)
type Payment = readonly [channel: number, balance: bigint]

async function given(t: ExecutionContext) {
  const primary = await ownPostgres(t, replicating)
  const { database: name } = await emptyDatabase(primary)
  const way = await openWay(primary, name)
  t.teardown(way.close)
  const database = await openDatabase(way.settings, { ...domain, account: receiver })
  t.teardown(database.close)
  const open = (numbers: readonly number[]) => openChannels(database, numbers.map(channelOf), 1000n)
  await open([0, 1, 2, 3])
  const standby = await startStandby(primary)
  t.teardown(standby.server.remove)
  const start = async () => {
    const paywall = await startSharedPaywall({
      ...{ settings: way.settings, domain, key: receiverKey, price },
    })
    t.teardown(paywall.kill)
    return paywall
  }
  const paywalls = [await start(), await start()] as const
  const ask = async (at: 0 | 1, [channel, balance]: Payment) => {
    const answer = await fetch(`${paywalls[at].base}/paid`, {
      headers: paymentFields(channel, balance),
    })
    await answer.arrayBuffer()
    return answer
  }
  /** The primary is gone for good. Gives what all channels have paid as the standby alone knows it. */
  const failOver = async () => {
    await primary.kill()
    await standby.promote()
    const promoted = { ...parsePostgresUrl(standby.server.url(name)), tls: {} }
    const direct = await connectDatabase(promoted)
    t.teardown(direct.close)
    const known = await claimedInAll(direct)
    way.leadTo(standby.server)
    return known
  }
  return { primary, standby, database, open, paywalls, ask, failOver, way }
}

/** Presents all of them again and again, until something new is served; says what ever came of those. */
async function tryAgain(
  { ask }: Pick<Awaited<ReturnType<typeof given>>, 'ask'>,
  fresh: Payment,
  old: readonly Payment[],
) {
  const statuses = new Set<number>()
  const again = async () => {
    const answers = await Promise.all(old.flatMap((each) => [ask(0, each), ask(1, each)]))
    for (const { status } of answers) statuses.add(status)
  }
  const waits = new Set<string | null>()
  await until(async () => {
    await again()
    const answer = await ask(0, fresh)
    if (answer.status === 503) waits.add(answer.headers.get('retry-after'))
    return answer.status === 200
  })
  await again()
  return { statuses: [...statuses].sort(), waits: [...waits] }
}

shared('a standby that lacks the newest payments gets them back before anybody pays', async (t) => {
  const here = await given(t)
  const { standby, database, open, ask, failOver } = here
  const kept: readonly Payment[] = [
    [0, 5n],
    [1, 5n],
  ]
  for (const each of kept) t.is((await ask(0, each)).status, 200)
  await standby.caughtUp()
  await standby.holdBack()
  // The standby will know nothing of this channel, nor of payments from here on.
  await open([4])
  const lost = [
    [0, [0, 10n]],
    [1, [0, 15n]],
    [0, [0, 20n]],
    // A gap, which stays one.
    [0, [2, 20n]],
    [1, [2, 10n]],
    [1, [3, 5n]],
    [1, [4, 5n]],
  ] as const
  for (const [at, payment] of lost) t.is((await ask(at, payment)).status, 200)
  const known = await failOver()
  const old = [...kept, ...lost.map(([, payment]) => payment)]
  t.is(known, 2n * price)
  const { statuses, waits } = await tryAgain(here, [1, 10n], old)
  t.deepEqual(statuses, [402, 503])
  t.deepEqual(waits, ['1'])
  t.is(await claimedInAll(database), (BigInt(old.length) + 1n) * price)
  t.is((await ask(1, [2, 5n])).status, 200)
})

shared('a synchronous standby has all that was acknowledged', async (t) => {
  const here = await given(t)
  const { standby, ask, failOver } = here
  await standby.makeSynchronous()
  const served: Payment[] = []
  const paying = ([0, 1] as const).map(async (at) => {
    for (let balance = price; ; balance += price) {
      const payment = [at, balance] as const
      const answer = await ask(at, payment).catch(() => undefined)
      if (answer?.status !== 200) return
      served.push(payment)
    }
  })
  await until(() => served.length > 20)
  const known = await failOver()
  await Promise.all(paying)
  t.true(known >= BigInt(served.length) * price)
  const { statuses } = await tryAgain(here, [2, price], served)
  t.false(statuses.includes(200))
})

shared(
  'a receiver that died with the database is waited for, and then the others go on',
  async (t) => {
    const here = await given(t)
    const { standby, database, paywalls, ask, failOver } = here
    await standby.caughtUp()
    await standby.holdBack()
    t.is((await ask(0, [0, 5n])).status, 200)
    await paywalls[1].kill()
    await failOver()
    const noticed = () => database.query('SELECT FROM meta WHERE noticed = current_timeline()')
    await until(async () => (await noticed().catch(() => [])).length > 0)
    await database.query(`UPDATE meta SET noticed_at = clock_timestamp() + interval '1 h'`)
    t.is((await ask(0, [1, 5n])).status, 503)
    const before = await database.query('SELECT timeline = current_timeline() AS open FROM meta')
    t.deepEqual(before, [{ open: false }])
    await database.query(`UPDATE meta SET noticed_at = clock_timestamp() - interval '30 s'`)
    await until(async () => (await ask(0, [1, 5n])).status === 200)
    t.is((await ask(0, [0, 5n])).status, 402)
  },
)
