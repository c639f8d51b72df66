// Receivers that refuse, overcharge or spoil what is bought again and again: they get no deposit, then nothing.
import { join } from 'node:path'
import test from 'ava'
import { between, boundReceiver } from '../../support/bound-receiver.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  agentOn,
  agentWithChannel,
  asks,
  lyingReceiver,
  serves,
  terms,
} from '../../support/lying-receiver.ts'

const alone = { code: 'receiver_left_alone' } as const

test('a receiver that refuses every proof is asked no more, also by later processes', async (t) => {
  const { url, books } = await boundReceiver(t, { refuses: () => true })
  const store = join(await temporaryFolder(t), 'agent')
  // A channel that refuses three times is retired: each has its own store, the score follows the receiver.
  const agent = await agentWithChannel(t, { store, bound: 'require' })
  for (let purchase = 0; purchase < 3; purchase++) {
    await t.throwsAsync(agent.get(url), { code: 'proof_refused' })
  }
  t.like(agent.behaviour(), [{ receiver: terms.receiver, trust: 'noDeposit' }])
  await agent.stop()
  const { offered } = books
  const later = await agentOn(t, store, { bound: 'require' })
  await t.throwsAsync(later.openChannel(terms.receiver, 10n), { code: 'chain_unavailable' })
  await t.throwsAsync(later.get(url), alone)
  t.is(books.offered, offered)
})

test('four spoilt answers in a row: the fifth request is not paid', async (t) => {
  const { url, books } = await boundReceiver(t)
  const spoilt = await between(t, url, {
    answer: (said, asked) =>
      asked.path === '/data' ? { ...said, body: Buffer.from('something else') } : said,
  })
  const agent = await agentWithChannel(t, { bound: 'require', repeats: 0 })
  for (let purchase = 0; purchase < 4; purchase++) {
    await t.throwsAsync(agent.get(spoilt.url), { code: 'answer_lost' })
  }
  const { offered } = books
  await t.throwsAsync(agent.get(spoilt.url), alone)
  t.is(books.offered, offered)
  t.like(agent.behaviour(), [{ trust: 'leftAlone', last: { code: 'answer_lost' } }])
})

test('a stream that ends spoilt counts as well', async (t) => {
  const { url } = await boundReceiver(t)
  const spoilt = await between(t, url, {
    answer: (said, asked) =>
      asked.path === '/data' ? { ...said, body: Buffer.from('something else') } : said,
  })
  const agent = await agentWithChannel(t, { bound: 'require' })
  const { body } = await agent.stream(spoilt.url)
  await t.throwsAsync(body.toArray(), { code: 'answer_lost' })
  t.like(agent.behaviour(), [{ trust: 'full', last: { code: 'answer_lost' } }])
})

test('who claims more than its price is remembered, and gets its price', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment }) =>
    payment === undefined
      ? asks()
      : { ...serves(), headers: { ...serves().headers, 'RDN-Cost': '6' } },
  )
  const agent = await agentWithChannel(t)
  const { payment } = await agent.get(receiver.url)
  t.is(payment?.cost, 5n)
  const [found] = agent.behaviour()
  t.is(Math.round(found?.overcharged ?? 0), 1)
  t.is(found?.last.code, 'cost_above_price')
})

test('who charges for an error of its own is remembered', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment }) =>
    payment === undefined
      ? asks()
      : { ...serves(), status: 500, headers: { ...serves().headers, 'RDN-Cost': '5' } },
  )
  const agent = await agentWithChannel(t)
  await agent.get(receiver.url)
  const [found] = agent.behaviour()
  t.is(Math.round(found?.broken ?? 0), 1)
  t.is(found?.last.code, 'error_charged')
})

test('a receiver that is away, or charges nothing for its error, is not blamed', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment }, response) => {
    if (payment === undefined) return asks()
    if (payment.balance > 5n) return { status: 503, headers: { 'RDN-Cost': '0' } }
    response.destroy()
    return undefined
  })
  const agent = await agentWithChannel(t)
  await t.throwsAsync(agent.get(receiver.url), { code: 'answer_lost' })
  await agent.get(receiver.url).catch(() => undefined)
  receiver.leave()
  await t.throwsAsync(agent.get(receiver.url))
  t.deepEqual(agent.behaviour(), [])
})
