// Payments whose answers were lost: what becomes of them when the receiver was away, or never saw them.
import test, { type ExecutionContext } from 'ava'
import type { SentPayment } from '../../../agent/index.ts'
import {
  agentWithChannel,
  asks,
  lyingReceiver,
  type Received,
  type Script,
  serves,
} from '../../support/lying-receiver.ts'

const features = new Set(['parallel', 'idempotency'] as const)

/** Asks for terms first, then does what the steps say, one for each payment. */
function inSteps(...steps: readonly Script[]): Script {
  let payments = 0
  return (received, response) => {
    if (received.payment === undefined) return asks({ features })
    const step = steps[payments++] ?? serve
    return step(received, response)
  }
}

const serve: Script = () => serves({ features })
const hangUp: Script = ({ request }) => {
  request.socket.destroy()
  return undefined
}
const keyOf = ({ request }: Received): unknown => request.headers['idempotency-key']

async function buyer(t: ExecutionContext, script: Script, repeats: number) {
  const receiver = await lyingReceiver(t, script)
  const agent = await agentWithChannel(t, { repeats })
  const written: SentPayment[] = []
  const buy = () => agent.get(receiver.url, { onPayment: (payment) => void written.push(payment) })
  return { ...receiver, agent, buy, written }
}

test('what a lost payment offered pays for the next request; the lost one is told as not taken', async (t) => {
  const { agent, buy, written, url, received } = await buyer(t, inSteps(serve, hangUp), 0)
  await buy()
  await t.throwsAsync(buy(), { code: 'answer_lost' })
  const next = await buy()
  t.is(next.payment?.balance, 10n)
  const [, lost] = written
  if (lost === undefined) return t.fail('it was written')
  const asked = received.length
  await t.throwsAsync(agent.repeatPayment(url, lost), { code: 'payment_superseded' })
  t.is(received.length, asked)
  t.is(agent.channels()[0]?.balance, 10n)
})

test('a lost payment that was repeated first is answered, and what it offered pays for nothing else', async (t) => {
  const { agent, buy, written, url } = await buyer(t, inSteps(serve, hangUp), 0)
  await buy()
  await t.throwsAsync(buy(), { code: 'answer_lost' })
  const [, lost] = written
  if (lost === undefined) return t.fail('it was written')
  t.is((await agent.repeatPayment(url, lost)).status, 200)
  t.is((await buy()).payment?.balance, 15n)
})

test('a receiver that is away for the repetition may have taken the payment: it stays open', async (t) => {
  const receiver = await buyer(
    t,
    inSteps(serve, (received, response) => {
      receiver.leave()
      return hangUp(received, response)
    }),
    1,
  )
  const { agent, buy, written, url, received } = receiver
  await buy()
  await t.throwsAsync(buy(), { code: 'answer_lost' })
  // Counted as spent until somebody knows better.
  t.is(agent.channels()[0]?.balance, 10n)
  const [, lost] = written
  if (lost === undefined) return t.fail('it was written')
  await t.throwsAsync(agent.repeatPayment(url, lost), { code: 'receiver_unreachable' })
  t.is(agent.channels()[0]?.balance, 10n)
  await receiver.comeBack()
  t.is((await agent.repeatPayment(url, lost)).payment?.balance, 10n)
  const keys = received.filter(({ payment }) => payment?.balance === 10n).map(keyOf)
  t.deepEqual(keys, [lost.key, lost.key])
})

test('what is in doubt stays so when the request that offers it again cannot leave', async (t) => {
  const { agent, buy, leave, comeBack } = await buyer(t, inSteps(serve, hangUp), 0)
  await buy()
  await t.throwsAsync(buy(), { code: 'answer_lost' })
  leave()
  await t.throwsAsync(buy(), { code: 'receiver_unreachable' })
  t.is(agent.channels()[0]?.balance, 10n)
  t.deepEqual(agent.channels()[0]?.free, [])
  await comeBack()
  t.is((await buy()).payment?.balance, 10n)
  t.is((await buy()).payment?.balance, 15n)
})

for (const [what, change] of [
  ['another place', (url: string) => ({ url: url.replace('127.0.0.1', 'localhost') })],
  ['another path', (url: string) => ({ url: `${url}/other` })],
  ['another method', (url: string) => ({ url, method: 'PUT' })],
  ['another body', (url: string) => ({ url, body: 'two' })],
] as const) {
  test(`a key for ${what} is an error, and the lost payment goes nowhere but where it was going`, async (t) => {
    const { agent, url, received } = await buyer(t, inSteps(serve, hangUp), 0)
    await agent.get(url)
    const options = { method: 'POST', body: 'one', idempotencyKey: 'mine' }
    await t.throwsAsync(agent.request(url, options), { code: 'answer_lost' })
    const asked = received.length
    const { url: elsewhere, ...changed } = change(url)
    const again = agent.request(elsewhere, { ...options, ...changed, mostPrice: 1n })
    await t.throwsAsync(again, { code: 'idempotency_key_reused' })
    t.is(received.length, asked)
    t.is((await agent.request(url, options)).status, 200)
    t.is(agent.channels()[0]?.balance, 10n)
  })
}
