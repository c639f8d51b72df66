// A top-up is taken back with its block, after payments that only it covered (issue 14, attack 7;
// spec/bound-requests.md, attack 18): the best proof under the deposit that is left must land.
import anyTest, { type ExecutionContext } from 'ava'
import { givenCheater } from '../../support/cheating.ts'
import { until } from '../../support/until.ts'

const test = anyTest.serial

/** The channel has 100; a top-up of 100 came, was paid over, and can be taken back. */
async function given(t: ExecutionContext) {
  const system = await givenCheater(t, { pollInterval: 3_600_000 })
  const { pay, receiver, chain, transactions, client, token, channel } = system
  for (const balance of [90n, 95n]) {
    const answer = await pay(balance, { 'RDN-Payment': '5' })
    t.is(answer.status, 200)
  }
  const before = await chain.snapshot()
  await transactions.send(client.calls.topUpErc223(token, channel, 100n))
  await receiver.refresh()
  for (const balance of [105n, 150n]) {
    t.is((await pay(balance, { 'RDN-Payment': '5' })).status, 200)
  }
  return { ...system, takeBack: before }
}

test('the answer to a cheating close lands with the best proof under what is left', async (t) => {
  const { takeBack, requestClose, chain, receiver, isOver, tokensOf } = await given(t)
  await takeBack()
  await chain.mine(1)
  await requestClose(0n)
  await receiver.refresh()
  t.like(receiver.settlement.status().answers, { length: 1, 0: { stake: 95n } })
  await until(isOver)
  t.is(await tokensOf(receiver.address), 95n)
})

test('it does so after a restart: the proof below is on disk', async (t) => {
  const { takeBack, requestClose, chain, isOver, tokensOf, stopped, startAgain, receiver } =
    await given(t)
  await stopped()
  await takeBack()
  await chain.mine(1)
  await requestClose(0n)
  const again = await startAgain()
  await again.synced
  await until(isOver)
  t.is(await tokensOf(receiver.address), 95n)
})

test('where the top-up stands, the best proof answers', async (t) => {
  const { requestClose, receiver, isOver, tokensOf } = await given(t)
  await requestClose(95n)
  await receiver.refresh()
  await until(isOver)
  t.is(await tokensOf(receiver.address), 150n)
})

test('a withdrawal takes what is proven under what is left, and more when the deposit is back', async (t) => {
  const { takeBack, chain, receiver, pay, tokensOf, transactions, client, token, channel } =
    await given(t)
  await takeBack()
  await chain.mine(1)
  await receiver.refresh()
  t.is((await pay(155n, { 'RDN-Payment': '5' })).status, 402)
  t.like(await receiver.settlement.withdrawAll(), { sum: 95n })
  await transactions.send(client.calls.topUpErc223(token, channel, 100n))
  await receiver.refresh()
  t.like(await receiver.settlement.withdrawAll(), { sum: 55n })
  t.is(await tokensOf(receiver.address), 150n)
})
