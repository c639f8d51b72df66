// A payment whose answer was lost, sent once more: by the process that paid, and by one after a crash.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { SentPayment } from '../../agent/index.ts'
import { claimedSum } from '../../receiver/channels/claims.ts'
import { httpPaywall } from '../../receiver/http/node.ts'
import type { Receiver } from '../../receiver/index.ts'
import { crashCopy } from '../support/folder.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** Counts what is served, so that every answer is another one. */
async function startCounting(t: ExecutionContext) {
  let served = 0
  const system = await startSystem(t, [
    { path: '/reading', price, handler: () => ({ number: ++served }) },
  ])
  const claimed = () =>
    [...system.receiver.book.all()].reduce((sum, { claims }) => sum + claimedSum(claims), 0n)
  return { ...system, served: () => served, claimed }
}

test('after a crash the written payment brings the answer that was paid for, and costs nothing more', async (t) => {
  const { base, agent, folder, served, claimed } = await startCounting(t)
  const before = await agent({ deposit: { open: () => 500n } })
  await before.get(`${base}/reading`)
  const written: SentPayment[] = []
  const paid = await before.get(`${base}/reading`, { onPayment: (each) => void written.push(each) })
  t.deepEqual(paid.json(), { number: 2 })
  const [payment] = written
  if (payment === undefined || written.length > 1) return t.fail('one payment, one call')
  const crashed = await agent({
    store: await crashCopy(join(folder, 'agent'), join(folder, 'crash')),
  })
  const again = await crashed.repeatPayment(`${base}/reading`, payment)
  t.deepEqual(again.json(), { number: 2 })
  t.like(again.payment, { price, cost: price, balance: 2n * price })
  t.is(served(), 2)
  t.is(claimed(), 2n * price)
  // And the books go on from where the receiver stands.
  t.deepEqual((await crashed.get(`${base}/reading`)).json(), { number: 3 })
  t.is(claimed(), 3n * price)
})

test('a payment that was written down and never left is served when it is sent', async (t) => {
  const { base, agent, folder, served, claimed } = await startCounting(t)
  const before = await agent({ deposit: { open: () => 500n } })
  await before.get(`${base}/reading`)
  const written: SentPayment[] = []
  const stopped = before.get(`${base}/reading`, {
    onPayment: (each) => {
      written.push(each)
      throw new Error('power cut')
    },
  })
  await t.throwsAsync(stopped, { message: 'power cut' })
  t.is(served(), 1)
  const [payment] = written
  if (payment === undefined) return t.fail('it was written')
  const crashed = await agent({
    store: await crashCopy(join(folder, 'agent'), join(folder, 'crash')),
  })
  t.deepEqual((await crashed.repeatPayment(`${base}/reading`, payment)).json(), { number: 2 })
  t.is(claimed(), 2n * price)
})

test('a payment for another request is spent: refused, and nothing is paid instead', async (t) => {
  const { base, agent, claimed } = await startCounting(t)
  const buyer = await agent()
  const written: SentPayment[] = []
  await buyer.get(`${base}/reading`, { onPayment: (each) => void written.push(each) })
  const [payment] = written
  if (payment === undefined) return t.fail('it was written')
  await t.throwsAsync(buyer.repeatPayment(`${base}/reading?other`, payment), {
    code: 'payment_spent',
  })
  t.is(claimed(), price)
})

test('in the process that lost the answer the books are settled by the repeat', async (t) => {
  const { base, agent, served } = await startCounting(t)
  const deaf = await startDeafProxy(t, base)
  const buyer = await agent({ deposit: { open: () => 500n }, repeats: 0 })
  await buyer.get(`${base}/reading`)
  const written: SentPayment[] = []
  deaf.swallowNext()
  const lost = buyer.get(`${deaf.url}/reading`, { onPayment: (each) => void written.push(each) })
  await t.throwsAsync(lost, { code: 'answer_lost' })
  const [payment] = written
  if (payment === undefined) return t.fail('it was written')
  const again = await buyer.repeatPayment(`${deaf.url}/reading`, payment)
  t.deepEqual(again.json(), { number: 2 })
  t.is(served(), 2)
  // Nothing is in doubt any more: the next payment is the next balance.
  t.like((await buyer.get(`${base}/reading`)).payment, { balance: 3n * price })
})

test('with a key of one’s own a request is paid once, also when the process is killed meanwhile', async (t) => {
  const { base, agent, folder, served, claimed } = await startCounting(t)
  const deaf = await startDeafProxy(t, base)
  const before = await agent({ deposit: { open: () => 500n }, repeats: 0 })
  await before.get(`${base}/reading`)
  deaf.swallowNext()
  const lost = before.get(`${deaf.url}/reading`, { idempotencyKey: 'noon' })
  await t.throwsAsync(lost, { code: 'answer_lost' })
  const crashed = await agent({
    store: await crashCopy(join(folder, 'agent'), join(folder, 'crash')),
  })
  const again = await crashed.get(`${deaf.url}/reading`, { idempotencyKey: 'noon' })
  t.deepEqual(again.json(), { number: 2 })
  t.is(served(), 2)
  t.is(claimed(), 2n * price)
  // The key has done its work: used again it buys again.
  const next = await crashed.get(`${deaf.url}/reading`, { idempotencyKey: 'noon/2' })
  t.deepEqual(next.json(), { number: 3 })
})

test('the key of a payment that was sent elsewhere is not shown to this receiver', async (t) => {
  const { base, agent, folder, claimed } = await startCounting(t)
  const deaf = await startDeafProxy(t, base)
  const before = await agent({ deposit: { open: () => 500n }, repeats: 0 })
  await before.get(`${base}/reading`)
  deaf.swallowNext()
  await t.throwsAsync(before.get(`${deaf.url}/reading`, { idempotencyKey: 'noon' }))
  const crashed = await agent({
    store: await crashCopy(join(folder, 'agent'), join(folder, 'crash')),
  })
  const elsewhere = crashed.get(`${base}/reading?other`, { idempotencyKey: 'noon' })
  await t.throwsAsync(elsewhere, { code: 'idempotency_key_reused' })
  t.is(claimed(), 2n * price)
})

for (const server of ['fastify', 'node:http'] as const) {
  test(`${server}: a reply that the client did not wait for is kept for its repetition`, async (t) => {
    let served = 0
    const waiting: (() => void)[] = []
    let hungUp = false
    const slow = async ({ socket }: IncomingMessage) => {
      const number = ++served
      // It has closed its side at least; whether it still reads nobody knows.
      socket.once('end', () => {
        hungUp ||= number === 2
      })
      if (number === 2) await new Promise<void>((resolve) => waiting.push(resolve))
      return { number }
    }
    const system = await startSystem(t, [
      { path: '/reading', price, handler: (request) => slow(request.raw) },
    ])
    const base = server === 'fastify' ? system.base : await listen(t, system.receiver, slow)
    // A paywall around node:http has no channel API beside it, and so no key to offer.
    const bound = server === 'fastify' ? 'require' : 'prefer'
    const buyer = await system.agent({ deposit: { open: () => 500n }, repeats: 0, bound })
    await buyer.get(`${base}/reading`)
    const hangUp = new AbortController()
    const written: SentPayment[] = []
    const lost = buyer.get(`${base}/reading`, {
      signal: hangUp.signal,
      onPayment: (each) => void written.push(each),
    })
    await until(() => waiting.length > 0)
    hangUp.abort()
    await t.throwsAsync(lost, { code: 'aborted' })
    await until(() => hungUp)
    const [payment] = written
    if (payment === undefined) return t.fail('it was written')
    const again = buyer.repeatPayment(`${base}/reading`, payment)
    waiting[0]?.()
    t.deepEqual((await again).json(), { number: 2 })
    t.is(served, 2)
  })
}

async function listen(
  t: ExecutionContext,
  receiver: Receiver,
  handler: (request: IncomingMessage) => Promise<object>,
): Promise<string> {
  const server = createServer(
    httpPaywall(receiver, { price }, async (request, response) => {
      response.end(JSON.stringify(await handler(request)))
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Passes requests on, and when told so keeps an answer to a payment for itself. */
async function startDeafProxy(t: ExecutionContext, base: string) {
  let swallow = false
  const server = createServer(async (request, response) => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
    const { method = 'GET' } = request
    const sent = method === 'GET' ? {} : { body: await buffer(request) }
    const init = { method, headers: headers as [string, string][], ...sent }
    const answer = await fetch(`${base}${request.url}`, init)
    const body = Buffer.from(await answer.arrayBuffer())
    if (swallow && method === 'GET' && answer.status === 200) {
      swallow = false
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const swallowNext = (): void => {
    swallow = true
  }
  return { url: `http://127.0.0.1:${port}`, swallowNext }
}
