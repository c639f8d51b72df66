// Whole receivers on a PostgreSQL: chain, paywall, channel API, relay and settlement as with a folder.
import test from 'ava'
import { depositsFor } from '../../agent/index.ts'
import { createRequestKey } from '../../protocol/bound/index.ts'
import { connectDatabase } from '../../receiver/postgres/connection.ts'
import { boundClient } from '../support/bound-client.ts'
import { breakingWay } from '../support/breaking-way.ts'
import { givenChannel } from '../support/channel.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { emptyDatabase, ownPostgres, sharedPostgres, withPostgres } from '../support/postgres.ts'
import { startBeside, startSharedReceivers } from '../support/shared-receivers.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

onPostgres(
  'an agent opens a channel, pays, tops up and closes; bound, on one receiver',
  async (t) => {
    const database = await emptyDatabase(await server())
    const { base, agent, receiver, receiverAccount, tokensOf } = await startSystem(t, undefined, {
      database,
    })
    const changes: string[] = []
    const buyer = await agent({
      deposit: depositsFor(0),
      onChannelChange: (_, { kind }) => changes.push(kind),
    })
    for (let i = 0; i < 12; i++) {
      const response = await buyer.get(`${base}/reading`)
      t.is(response.status, 200)
      t.like(response.payment, { price, cost: price, balance: price * BigInt(i + 1) })
    }
    t.deepEqual(changes, ['opened', 'toppedUp'])
    const [channel] = buyer.channels()
    const name = { sender: buyer.address, openBlock: channel?.openBlock ?? 0 }
    const { channel: stands } = await receiver.channels.look(name, () => false)
    t.is(stands?.claims.highest, 60n)
    t.not(stands?.requestKey, undefined)
    await buyer.closeChannel(`${receiverAccount.address}/${name.openBlock}`, base)
    t.is(await tokensOf(receiverAccount.address), 60n)
  },
)

onPostgres(
  'a receiver that does not hear whether a step along the chain is written goes on along it',
  async (t) => {
    const running = await server()
    const way = await breakingWay(t, running, (await emptyDatabase(running)).database)
    const { base, agent, receiver, chain } = await startSystem(t, undefined, {
      database: way.settings,
    })
    const buyer = await agent()
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    way.breakAt('UPDATE position SET block', 'answer to COMMIT')
    await chain.mine(1)
    await until(way.isBroken)
    await chain.mine(1)
    const head = await chain.provider.getBlockNumber()
    await until(() => receiver.book.position()?.block === head)
    // A top-up is seen.
    for (let i = 0; i < 12; i++) t.is((await buyer.get(`${base}/reading`)).status, 200)
  },
)

onPostgres(
  'three receivers sell on one channel, and each does what only the leader can',
  async (t) => {
    const database = await emptyDatabase(await server())
    const { first, start, agent, chain, senderAccount, receiverAccount, tokensOf } =
      await startSharedReceivers(t, database, { relay: {} })
    const others = [await start('second'), await start('third')] as const
    const bases = [first, ...others].map(({ base }) => base)
    // The follower's relay is the leader's.
    await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
    const buyer = await agent()
    const name = await buyer.openChannel(receiverAccount.address, 400n, others[0].base)
    const paid = await Promise.all(
      Array.from({ length: 64 }, (_, at) => buyer.get(`${bases[at % 3]}/reading`)),
    )
    t.deepEqual([...new Set(paid.map(({ status }) => status))], [200])
    const { openBlock } = buyer.channels()[0] ?? { openBlock: 0 }
    const id = { sender: buyer.address, openBlock }
    for (const { receiver } of [first, ...others]) {
      const { channel } = await receiver.channels.look(id, () => false)
      t.deepEqual(channel?.claims, { highest: 64n * price, unclaimed: [] })
    }
    // Withdrawn where nobody leads, by what the leader has heard of, and the leader ends.
    const heard = () => first.receiver.book.get(id.sender, openBlock)?.claims.highest
    await until(() => heard() === 64n * price)
    const { done, sum } = await others[1].receiver.settlement.withdrawAll()
    t.deepEqual([done.length, sum], [1, 64n * price])
    await first.stop()
    await buyer.get(`${others[1].base}/reading`)
    await buyer.closeChannel(name, others[1].base)
    t.is(await tokensOf(receiverAccount.address), 65n * price)
    await until(() => others.every(({ receiver }) => receiver.book.ended() === 1))
  },
)

onPostgres(
  'while the database is away nobody is served, and all are when it is back',
  async (t) => {
    const own = await ownPostgres(t)
    const database = await emptyDatabase(own)
    const { base, agent, receiver } = await startSystem(t, undefined, { database })
    const buyer = await agent()
    await buyer.get(`${base}/reading`)
    await own.kill()
    // First payments alone: that nothing is heard of it is known after some seconds.
    const away = await until(async () => {
      const answer = await fetch(`${base}/reading`)
      await answer.arrayBuffer()
      return answer.status === 503 && answer
    })
    t.truthy(away.headers.get('retry-after'))
    t.is(away.headers.get('rdn-price'), null)
    const look = async () =>
      receiver.channels.look({ sender: buyer.address, openBlock: 1 }, () => false)
    await t.throwsAsync(look(), { code: 'postgres_unavailable' })
    await own.start()
    await until(async () => (await fetch(`${base}/reading`)).status === 402)
    const { payment } = await buyer.get(`${base}/reading`)
    t.is(payment?.balance, 2n * price)
  },
)

onPostgres(
  'a request key that one receiver has replaced pays at no other, which has not heard of it',
  async (t) => {
    const database = await emptyDatabase(await server())
    const system = await givenChannel(t, { receiver: { database } })
    const number = BigInt(system.channel.openBlock)
    const old = await boundClient(system.base, system, { number })
    t.is((await old.putKey()).status, 200)
    // It looks at what the others have done when it starts, and not again while this runs.
    const rarely = { database, pollInterval: 3_600_000, outage: { longest: 7_200_000 } }
    const second = await startBeside(t, system, rarely)('second')
    const { pair } = old
    const there = await boundClient(second.base, system, { number, pair })
    t.like(await there.ask('/reading', { balance: 5n }), { status: 200, authentic: true })
    const fresh = { number: number + 1n, pair: createRequestKey() }
    t.is((await (await boundClient(system.base, system, fresh)).putKey()).status, 200)
    const code = ({ body }: { readonly body: Buffer }) => JSON.parse(body.toString()).code
    // By the door first, for whoever knows of it; by the row at the one that does not.
    for (const client of [old, there, there]) {
      const answer = await client.ask('/reading', { balance: 10n })
      t.deepEqual([answer.status, code(answer)], [401, 'request_key_unknown'])
    }
    const newer = await boundClient(second.base, system, fresh)
    t.like(await newer.ask('/reading', { balance: 10n }), { status: 200, authentic: true })
    const { channel } = await second.receiver.channels.look(system.channel, () => false)
    t.deepEqual(channel?.claims, { highest: 10n, unclaimed: [] })
  },
)

onPostgres(
  'without their node each of two receivers lets channels owe its half of what is left, and not a payment more',
  async (t) => {
    const settings = await emptyDatabase(await server())
    const system = await givenChannel(t)
    const { chain, senderAccount, sign, headers } = system
    let isAway = false
    const node = await startFaultyRpc(t, chain.rpcUrl, () => (isAway ? 'loseRequest' : undefined))
    const start = startBeside(t, system, {
      ...{ database: settings, rpcUrl: node.url },
      outage: { longest: 600_000, mostInAll: 40n },
    })
    const [one, two] = [await start('one'), await start('two')]
    const pay = async ({ base }: typeof one, balance: bigint) => {
      // The channel is older than the database's state.
      const signature = sign(balance, senderAccount.privateKey, 'seed')
      const given = headers(balance, { 'RDN-Balance-Signature': signature })
      const { status } = await fetch(`${base}/reading`, { headers: given })
      return status
    }
    t.is(await pay(one, 5n), 200)
    const database = await connectDatabase(settings)
    t.teardown(database.close)
    // A payment of just before a round is counted beside it, too: the round is to be a later one.
    const [paid] = await database.query('SELECT clock_timestamp()::text AS at')
    await until(async () => {
      const [row] = await database.query(
        `SELECT due, cardinality(shares) AS shares,
           due_at > $1::timestamptz + interval '200 ms' AS is_later FROM position`,
        [paid?.at],
      )
      return row?.due === 5n && row.shares === 2 && row.is_later === true
    })
    isAway = true
    await until(() => [one, two].every(({ receiver }) => !receiver.health.chain().answers))
    // 17 units for each.
    for (const balance of [10n, 15n, 20n]) t.is(await pay(one, balance), 200)
    t.is(await pay(one, 25n), 502)
    for (const balance of [25n, 30n, 35n]) t.is(await pay(two, balance), 200)
    t.is(await pay(two, 40n), 502)
    t.is(await pay(one, 40n), 502)
    isAway = false
    await until(async () => (await pay(one, 40n)) === 200)
    await until(async () => (await pay(two, 45n)) === 200)
  },
)
