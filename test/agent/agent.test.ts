// The ways to use an agent: fetch, got, streams, hooks, own certificates, repeating what was lost.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'ava'
import got from 'got'
import { type AgentHooks, gotPayments, payingFetch, type TlsTrust } from '../../agent/index.ts'
import {
  agentWithChannel,
  asks,
  lyingReceiver,
  type Script,
  serves,
} from '../support/lying-receiver.ts'

const honest: Script = ({ payment }) => (payment ? serves({}, '{"celsius":21.4}') : asks())

test('like fetch: method, headers and body arrive, the answer is a Response', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const paid = payingFetch(await agentWithChannel(t))
  const response = await paid(receiver.url, {
    method: 'POST',
    headers: { 'x-mine': 'yes' },
    body: new URLSearchParams({ a: '1' }),
  })
  t.true(response instanceof Response && response.ok)
  t.deepEqual(await response.json(), { celsius: 21.4 })
  const [unpaid, last] = receiver.received
  t.is(unpaid?.request.method, 'POST')
  t.is(last?.request.headers['x-mine'], 'yes')
  t.is(last?.request.headers['content-length'], '3')
  t.regex(last?.request.headers['content-type'] ?? '', /urlencoded/)
})

test('fetch can be aborted', async (t) => {
  const receiver = await lyingReceiver(t, () => undefined)
  const paid = payingFetch(await agentWithChannel(t))
  await t.throwsAsync(paid(receiver.url, { signal: AbortSignal.timeout(100) }), { code: 'aborted' })
})

test('as a got extension: options of got and payments together', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const agent = await agentWithChannel(t)
  const paid = got.extend({ headers: { 'x-mine': 'yes' } }, gotPayments(agent))
  t.deepEqual(await paid(receiver.url).json(), { celsius: 21.4 })
  t.deepEqual(await paid.post(receiver.url, { json: { a: 1 } }).json(), { celsius: 21.4 })
  t.is(receiver.received.at(-1)?.request.headers['x-mine'], 'yes')
  t.is(agent.channels()[0]?.balance, 10n)
})

test('got reports what the agent refuses', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const paid = gotPayments(await agentWithChannel(t, { budget: { request: 4n } }))
  await t.throwsAsync(paid(receiver.url), { message: /more than the 4 TKN you allow a request/ })
})

test('as a stream: the body comes as it arrives', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const agent = await agentWithChannel(t)
  const { status, body, payment } = await agent.stream(receiver.url)
  t.is(status, 200)
  t.is(payment?.cost, 5n)
  t.is(await text(body), '{"celsius":21.4}')
})

test('hooks see what happens, in order', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment, before }) => {
    if (payment === undefined) return asks()
    return before === 1 ? asks({ senderBalance: 0n, reason: 'invalid_amount' }) : serves()
  })
  const seen: string[] = []
  const record = (name: string) => () => {
    seen.push(name)
    return undefined
  }
  const hooks: AgentHooks = {
    init: record('init'),
    paymentRequested: record('paymentRequested'),
    invalidAmount: record('invalidAmount'),
    success: record('success'),
    exit: record('exit'),
  }
  const agent = await agentWithChannel(t, { hooks })
  await agent.get(receiver.url)
  t.deepEqual(seen, ['init', 'paymentRequested', 'invalidAmount', 'success', 'exit'])
})

test('a hook stops a request before anything is signed', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const agent = await agentWithChannel(t, {
    hooks: { paymentRequested: ({ terms }) => (terms.price > 4n ? 'stop' : undefined) },
  })
  await t.throwsAsync(agent.get(receiver.url), { code: 'stopped_by_hook' })
  t.is(receiver.highest(), 0n)
})

test('a lost answer is asked for again with the same key and the same proof', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment, before, request }) => {
    if (payment === undefined) return asks({ features: new Set(['idempotency']) })
    if (before > 1) return serves()
    request.socket.destroy()
    return undefined
  })
  const agent = await agentWithChannel(t)
  t.is((await agent.get(receiver.url)).status, 200)
  const [, first, second] = receiver.received
  t.truthy(first?.request.headers['idempotency-key'])
  t.is(first?.request.headers['idempotency-key'], second?.request.headers['idempotency-key'])
  t.is(first?.payment?.signature, second?.payment?.signature)
  t.is(agent.channels()[0]?.balance, 5n)
})

test('lost for good, it can be repeated later with the key of the error', async (t) => {
  let away = true
  const receiver = await lyingReceiver(t, ({ payment, request }) => {
    if (payment === undefined) return asks({ features: new Set(['idempotency', 'parallel']) })
    if (!away) return serves()
    request.socket.destroy()
    return undefined
  })
  const agent = await agentWithChannel(t, { repeats: 0 })
  const error = await t.throwsAsync(agent.get(receiver.url, { idempotencyKey: 'reading-1' }), {
    code: 'answer_lost',
  })
  t.regex((error as Error & { readonly hint: string }).hint, /reading-1/)
  away = false
  const { payment } = await agent.get(receiver.url, { idempotencyKey: 'reading-1' })
  t.is(payment?.balance, 5n)
  t.is(agent.channels()[0]?.balance, 5n)
})

test('what was on its way stays counted, and is offered first when the receiver allows gaps', async (t) => {
  let away = true
  const receiver = await lyingReceiver(t, ({ payment, request }) => {
    if (payment === undefined) return asks({ features: new Set(['parallel']) })
    if (!away) return serves()
    request.socket.destroy()
    return undefined
  })
  const agent = await agentWithChannel(t, { budget: { total: 5n } })
  await t.throwsAsync(agent.get(receiver.url), { code: 'answer_lost' })
  t.is(agent.channels()[0]?.balance, 5n)
  away = false
  t.is((await agent.get(receiver.url)).payment?.balance, 5n)
  await t.throwsAsync(agent.get(receiver.url), { code: 'budget_total_spent' })
})

test('nobody listens there: nothing is counted', async (t) => {
  const receiver = await lyingReceiver(t, honest)
  const agent = await agentWithChannel(t)
  await agent.get(receiver.url)
  await t.throwsAsync(agent.get('http://127.0.0.1:9/data'), { code: 'receiver_unreachable' })
  t.is(agent.channels()[0]?.balance, 5n)
})

const certificates = new URL('../support/certificates/', import.meta.url)
const pem = (file: string): Promise<string> => readFile(new URL(file, certificates), 'utf8')

for (const [subject, byAuthority] of [
  ['ip', true],
  ['name', false],
] as const) {
  test(`a certificate for the host’s ${subject}: trusted as one’s own authority ${byAuthority}, pinned always, else never`, async (t) => {
    const ours = { key: await pem(`${subject}.key`), cert: await pem(`${subject}.pem`) }
    const other = await pem(`other-${subject}.pem`)
    const server = createServer(ours, (_, response) => {
      response.end('free')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const fetched = async (tls?: TlsTrust): Promise<string> => {
      const agent = await agentWithChannel(t, tls === undefined ? {} : { tls })
      return agent.get(url).then(
        (answer) => answer.text(),
        ({ code }) => code,
      )
    }
    t.is(await fetched(), 'receiver_untrusted')
    t.is(await fetched({ authority: ours.cert }), byAuthority ? 'free' : 'receiver_untrusted')
    t.is(await fetched({ pinned: ours.cert }), 'free')
    t.is(await fetched({ pinned: other }), 'receiver_untrusted')
  })
}
