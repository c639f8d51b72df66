// A whole system: chain, receiver and agent, with real HTTP, real signatures and real files.
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Resource } from '../../receiver/index.ts'
import { price, startSystem } from '../support/system.ts'

test('from nothing to paid readings, a top-up and a close; every token is where it belongs', async (t) => {
  const { base, agent, receiverAccount, senderAccount, tokensOf } = await startSystem(t)
  const changes: string[] = []
  const buyer = await agent({ onChannelChange: (_, { kind }) => changes.push(kind) })
  const roundTrips: number[] = []
  for (let i = 0; i < 12; i++) {
    const response = await buyer.get(`${base}/reading`)
    t.is(response.status, 200)
    t.deepEqual(response.json(), { celsius: 21.4 })
    t.like(response.payment, { price, cost: price, balance: price * BigInt(i + 1) })
    roundTrips.push(response.roundTrips)
  }
  t.true(roundTrips.slice(1, 10).every((trips) => trips === 1))
  t.deepEqual(changes, ['opened', 'toppedUp'])
  const [channel] = buyer.channels()
  t.like(channel, { deposit: 75n, balance: 60n })
  await buyer.closeChannel(`${receiverAccount.address}/${channel?.openBlock ?? 0}`, base)
  t.is(await tokensOf(receiverAccount.address), 60n)
  t.is(await tokensOf(senderAccount.address), 10_000n - 60n)
  t.like(buyer.channels()[0], { state: 'closed' })
})

test('the price is over the cap: refused before anything is signed, opened or sent', async (t) => {
  const { base, agent, senderAccount, tokensOf } = await startSystem(t)
  const buyer = await agent({ budget: { request: 4n } })
  await t.throwsAsync(buyer.get(`${base}/reading`), {
    code: 'price_over_cap',
    message:
      'This costs 0.000000000000000005 TKN, more than the 0.000000000000000004 TKN you allow a request.',
  })
  await t.throwsAsync(buyer.get(`${base}/reading`, { mostPrice: 3n }), { code: 'price_over_cap' })
  t.deepEqual(buyer.channels(), [])
  t.is(await tokensOf(senderAccount.address), 10_000n)
  await buyer.stop()
  const exactly = await agent({ budget: { request: 5n } })
  t.is((await exactly.get(`${base}/reading`)).status, 200)
})

test('the total budget is spent to the last unit and not one further, over a restart too', async (t) => {
  const { base, agent } = await startSystem(t)
  const first = await agent({ budget: { total: 12n } })
  await first.get(`${base}/reading`)
  await first.stop()
  const second = await agent({ budget: { total: 12n } })
  await second.get(`${base}/reading`)
  await t.throwsAsync(second.get(`${base}/reading`), {
    code: 'budget_total_spent',
    message: /0\.000000000000000002 TKN are left/,
  })
  t.is(second.channels()[0]?.balance, 10n)
})

test('a resource that fails costs nothing, and the next try pays with the same balance', async (t) => {
  let broken = true
  const flaky: Resource = {
    path: '/reading',
    price,
    handler: () => {
      if (broken) throw new Error('the sensor is unplugged')
      return 'ok'
    },
  }
  const { base, agent, receiver, senderAccount } = await startSystem(t, [flaky])
  const buyer = await agent()
  const failed = await buyer.get(`${base}/reading`)
  t.is(failed.status, 500)
  t.like(failed.payment, { price, cost: 0n, balance: 5n })
  broken = false
  const served = await buyer.get(`${base}/reading`)
  t.is(served.status, 200)
  t.like(served.payment, { cost: price, balance: 5n })
  t.is(served.roundTrips, 1)
  const openBlock = buyer.channels()[0]?.openBlock ?? 0
  t.deepEqual(receiver.book.get(senderAccount.address, openBlock)?.claims, {
    highest: 5n,
    unclaimed: [],
  })
})

test('a price that changes is noticed and paid, when the policy allows it', async (t) => {
  let current = 5n
  const dear: Resource = { path: '/reading', price: () => current, handler: () => 'ok' }
  const { base, agent } = await startSystem(t, [dear])
  const buyer = await agent({ budget: { request: 8n } })
  await buyer.get(`${base}/reading`)
  current = 8n
  const response = await buyer.get(`${base}/reading`)
  t.like(response.payment, { price: 8n, balance: 13n })
  t.is(response.roundTrips, 2)
  current = 9n
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'price_over_cap' })
  t.is(buyer.channels()[0]?.balance, 13n)
})

test('after a crash the receiver shows our own signature, and nothing reserved is lost', async (t) => {
  const { base, agent, folder } = await startSystem(t)
  const before = await agent({ deposit: { open: () => 500n } })
  for (let i = 0; i < 3; i++) await before.get(`${base}/reading`)
  // The second payment brought a commitment, and with it a whole reservation. What a power cut leaves is a copy of
  // the files as they are now.
  await cp(join(folder, 'agent'), join(folder, 'crashed'), { recursive: true })
  await rm(join(folder, 'crashed', 'LOCK'))
  const crashed = await agent({ store: join(folder, 'crashed') })
  t.like(crashed.channels()[0], { certain: false, bound: 85n, balance: 85n })
  t.is((await crashed.get(`${base}/reading`)).status, 200)
  t.like(crashed.channels()[0], { certain: true, balance: 20n })
})
