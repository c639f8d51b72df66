// A close is acted on when it is seen, however deep a block has to be before money that comes in counts
// (spec/bound-requests.md, attack 20).
import anyTest, { type ExecutionContext } from 'ava'
import { givenCheater } from '../../support/cheating.ts'
import { until } from '../../support/until.ts'

const test = anyTest.serial

/** As deep as what is final on Ethereum. */
const confirmations = 64

async function given(t: ExecutionContext, most?: bigint) {
  const log: string[] = []
  const tell = (_: object, message: string) => void log.push(message)
  const system = await givenCheater(t, {
    ...{ confirmations, pollInterval: 3_600_000, log: { info: tell, warn: tell } },
    ...(most !== undefined && { settlement: { fees: { most } } }),
  })
  await system.chain.mine(confirmations - 1)
  await system.receiver.refresh()
  return { ...system, answered: () => log.includes('a dishonest close was answered') }
}

test('a cheating close is answered from the block in which it is seen, long before it is confirmed', async (t) => {
  const { pay, requestClose, receiver, channel, isOver, tokensOf, answered } = await given(t)
  t.is((await pay(5n)).status, 200)
  t.is((await pay(10n)).status, 200)
  const { block } = await requestClose(0n)
  await receiver.refresh()
  await until(isOver)
  await until(answered)
  t.true((receiver.book.position()?.block ?? 0) < block)
  t.is(await tokensOf(receiver.address), 10n)
  t.is((await pay(15n)).status, 402)
  await receiver.refresh()
  t.deepEqual(receiver.settlement.status().answers, [])
  t.is(receiver.book.get(channel.sender, channel.openBlock)?.state, 'closing')
})

test('a challenge that is seen counts: what it raises the close to is not answered again', async (t) => {
  const { pay, sign, requestClose, receiver, transactions, client, channel, isOver, sent } =
    await given(t, 1n)
  await pay(5n)
  await pay(10n)
  await requestClose(0n)
  await receiver.refresh()
  t.like(receiver.settlement.status(), { atRisk: 10n, answers: { length: 1 } })
  await transactions.send(client.calls.challenge(channel, 10n, sign(10n)))
  await receiver.refresh()
  t.like(receiver.settlement.status(), { atRisk: 0n, answers: { length: 0 } })
  t.is(await sent(), 0)
  t.false(await isOver())
})

test('a close that goes away with its block, unanswered, leaves the channel as it was', async (t) => {
  // No gas is cheap enough: there is no answer.
  const { pay, requestClose, receiver, chain, sent } = await given(t, 1n)
  t.is((await pay(5n)).status, 200)
  const before = await chain.snapshot()
  await requestClose(0n)
  await receiver.refresh()
  t.is((await pay(10n)).status, 402)
  t.like(receiver.settlement.status().answers, { length: 1, 0: { state: { kind: 'waiting' } } })
  await before()
  await chain.mine(1)
  await receiver.refresh()
  t.deepEqual(receiver.settlement.status().answers, [])
  t.is((await pay(10n)).status, 200)
  t.is(await sent(), 0)
})

test('once an answer has left, no payment comes after it, also when the close goes away', async (t) => {
  const { pay, requestClose, receiver, chain, isOver, channel, answered, startAgain } =
    await given(t)
  t.is((await pay(5n)).status, 200)
  const before = await chain.snapshot()
  await requestClose(0n)
  await receiver.refresh()
  await until(isOver)
  await until(answered)
  await before()
  await chain.mine(3)
  await receiver.refresh()
  t.is(receiver.book.get(channel.sender, channel.openBlock)?.state, 'open')
  t.is((await pay(10n)).status, 402)
  await receiver.stop()
  const again = await startAgain({ confirmations })
  await again.synced
  t.like(again.book.ledger(channel.sender, channel.openBlock), { collecting: true })
})
