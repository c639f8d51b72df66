// Buying from the original's server: whatever is lost or not confirmed, it ends with goods or money back.
import test, { type ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import {
  type Loss,
  type OriginalOptions,
  price,
  startOriginal,
} from '../support/original-receiver.ts'
import { deployVersion02 } from '../support/version02/deploy.ts'

type Original = Awaited<ReturnType<typeof startOriginal>>

/** Blocks go by while it waits, one in the time of eight tries. */
async function given(t: ExecutionContext, options: OriginalOptions): Promise<Original> {
  const original = await startOriginal(t, options)
  let tries = 0
  original.whenPaid(async () => {
    if (++tries % 8 === 0) await original.chain.mine(1)
  })
  return original
}

/** What was served is paid, and nothing else; the rest of the deposit is the sender's again. */
async function closed(t: ExecutionContext, original: Original, agent: Agent) {
  const { url, served, tokensOf, contract, receiver, sender, registered } = original
  const [channel] = agent.channels().filter(({ state }) => state === 'open')
  if (channel === undefined) throw new Error('there is no channel')
  await agent.closeChannel(`${channel.receiver}/${channel.openBlock}`, url)
  const paid = registered()
  t.is(await tokensOf(receiver.address), paid)
  t.is(await tokensOf(sender.address), 10_000n - paid)
  t.is(await tokensOf(contract), 0n)
  t.is(
    paid,
    served.reduce((sum, each) => sum + each, 0n),
  )
  t.deepEqual(agent.behaviour(), [])
}

const losses: readonly (readonly [Loss, string])[] = [
  ['before', 'before it arrived'],
  ['after', 'after it arrived'],
]
/** The original's own contract, and ours. */
const contracts: readonly (readonly [string, OriginalOptions])[] = [
  ['our contract', {}],
  ['contract 0.2', { deploy: deployVersion02 }],
]

for (const [where, on] of contracts) {
  test(`${where}: all defaults, and top-ups after top-ups: every purchase goes well, at once or after the top-up`, async (t) => {
    const original = await given(t, on)
    const agent = await original.agent()
    for (let purchase = 0; purchase < 40; purchase++) {
      t.is((await agent.get(original.url)).status, 200)
    }
    t.true((agent.channels()[0]?.deposit ?? 0n) > 15n * price)
    await closed(t, original, agent)
  })

  for (const [loss, when] of losses) {
    for (const restarted of [false, true]) {
      const who = restarted ? 'a new process' : 'the same process'
      test(`${where}: the first payment is lost ${when}, and ${who} buys on`, async (t) => {
        const original = await given(t, on)
        const first = await original.agent()
        original.lose(loss)
        await t.throwsAsync(first.get(original.url), { code: 'answer_lost' })
        if (restarted) await first.stop()
        const agent = restarted ? await original.agent() : first
        for (let purchase = 0; purchase < 3; purchase++) {
          t.is((await agent.get(original.url)).status, 200)
        }
        await closed(t, original, agent)
        t.is(original.served.length, loss === 'before' ? 3 : 4)
      })
    }

    test(`${where}: the first payment is lost ${when}, and the next one costs something else`, async (t) => {
      const original = await given(t, on)
      const agent = await original.agent()
      original.lose(loss)
      await t.throwsAsync(agent.get(original.url), { code: 'answer_lost' })
      // What was lost cannot be offered again: the books are put right first.
      for (const cost of [7n, 7n, 12n, 7n]) {
        original.ask(cost)
        t.is((await agent.get(original.url)).status, 200)
      }
      await closed(t, original, agent)
      t.is(original.served.length, loss === 'before' ? 4 : 5)
    })

    test(`${where}: a payment over a top-up is lost ${when}`, async (t) => {
      const original = await given(t, on)
      const agent = await original.agent()
      for (let purchase = 0; purchase < 10; purchase++) await agent.get(original.url)
      original.lose(loss)
      await t.throwsAsync(agent.get(original.url), { code: 'answer_lost' })
      t.is((await agent.get(original.url)).status, 200)
      await closed(t, original, agent)
      t.is(original.served.length, loss === 'before' ? 11 : 12)
    })
  }

  test(`${where}: four purchases that end while it waits for confirmations cost nothing, in new processes neither`, async (t) => {
    const original = await startOriginal(t, { ...on, confirmations: 4 })
    for (let purchase = 0; purchase < 4; purchase++) {
      const agent = await original.agent({ confirmTimeout: 50 })
      await t.throwsAsync(agent.get(original.url), { code: 'channel_unconfirmed' })
      await agent.stop()
    }
    await original.chain.mine(4)
    for (let purchase = 0; purchase < 3; purchase++) {
      const agent = await original.agent()
      t.is((await agent.get(original.url)).status, 200)
      await agent.stop()
    }
    t.deepEqual(
      new Set(original.answers.map((each) => each.split(' ')[0])),
      new Set(['10', '20', '30']),
    )
    await closed(t, original, await original.agent())
  })

  test(`${where}: after a top-up every process waits until it is confirmed, and no purchase fails`, async (t) => {
    const original = await given(t, on)
    const first = await original.agent()
    for (let purchase = 0; purchase < 10; purchase++) await first.get(original.url)
    // From here on no block comes by itself.
    original.whenPaid(() => undefined)
    const [channel] = first.channels()
    await first.topUp(`${channel?.receiver}/${channel?.openBlock}` as never, 5n * price)
    await first.stop()
    const second = await original.agent({ confirmTimeout: 50 })
    await t.throwsAsync(second.get(original.url), { code: 'channel_unconfirmed' })
    await second.stop()
    const third = await original.agent()
    const buying = third.get(original.url)
    await original.chain.mine(1)
    t.is((await buying).status, 200)
    await closed(t, original, third)
  })

  test(`${where}: what it never registered is not paid: closed without it, the whole deposit comes back`, async (t) => {
    const original = await given(t, on)
    const agent = await original.agent()
    original.lose('before')
    await t.throwsAsync(agent.get(original.url), { code: 'answer_lost' })
    const [channel] = agent.channels()
    const name = `${channel?.receiver}/${channel?.openBlock}` as never
    await t.throwsAsync(agent.closeChannel(name, original.url), { code: 'close_refused' })
    // It has not agreed to anything, so the channel pays on.
    t.like(agent.channels()[0], { state: 'open', closeApi: undefined })
    await agent.closeChannel(name, { api: original.url, otherwise: 'requestClose' })
    await original.chain.mine(501)
    t.is((await agent.settle()).length, 1)
    t.is(await original.tokensOf(original.sender.address), 10_000n)
    t.is(await original.tokensOf(original.contract), 0n)
  })

  test(`${where}: a later payment that never arrived is left out of the close`, async (t) => {
    const original = await given(t, on)
    const agent = await original.agent()
    await agent.get(original.url)
    original.lose('before')
    await t.throwsAsync(agent.get(original.url), { code: 'answer_lost' })
    await closed(t, original, agent)
    t.is(original.registered(), price)
  })
}
