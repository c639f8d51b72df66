// Cheating closes over dust: an answer to each costs the receiver more than the cheat (issue 14, attack 13;
// spec/bound-requests.md, attack 19).
import anyTest, { type ExecutionContext } from 'ava'
import { parseSignature } from '../../../protocol/index.ts'
import { createReserve } from '../../../receiver/settlement/reserve.ts'
import { challengePeriod, givenCheater } from '../../support/cheating.ts'
import { manyChannels } from '../../support/many-channels.ts'
import { until } from '../../support/until.ts'

const test = anyTest.serial
const gwei = 10n ** 9n

/** 60 000 gas at 10 gwei are worth 8 units. */
const etherPrice = 13_400n

async function given(t: ExecutionContext, dust: number) {
  const system = await givenCheater(t, {
    pollInterval: 3_600_000,
    settlement: { fees: { most: 10n * gwei }, withdraw: { least: 10n ** 30n, etherPrice } },
  })
  const { base, sign, headers, openAnother, receiver } = system
  const blocks: number[] = []
  for (let count = 0; count < dust; count++) blocks.push(await openAnother())
  await receiver.refresh()
  for (const block of blocks) {
    const proof = sign(5n, undefined, undefined, block)
    const more = { 'RDN-Open-Block': `${block}`, 'RDN-Balance-Signature': proof }
    const answer = await fetch(`${base}/reading`, { headers: headers(5n, more) })
    t.is(answer.status, 200)
  }
  for (const balance of [5n, 10n]) t.is((await system.pay(balance)).status, 200)
  return { ...system, blocks }
}

test('dust that is closed first waits behind what is worth an answer, then goes in one transaction', async (t) => {
  const { blocks, requestClose, receiver, chain, isOver, infoOf, sent, tokensOf } = await given(
    t,
    4,
  )
  for (const block of blocks) await requestClose(0n, block)
  await requestClose(0n)
  await receiver.refresh()
  await until(isOver)
  t.is(await sent(), 1)
  await receiver.refresh()
  const { answers, reserve } = receiver.settlement.status()
  t.deepEqual(
    answers.map(({ plan }) => plan),
    ['wait', 'wait', 'wait', 'wait'],
  )
  t.is(reserve.channels, 0)
  await chain.mine(Math.ceil((challengePeriod * 3) / 8))
  await receiver.refresh()
  await until(async () => (await Promise.all(blocks.map(infoOf))).every((info) => !info))
  t.is(await sent(), 2)
  t.is(await tokensOf(receiver.address), 30n)
})

test('when gas is dear they are let go', async (t) => {
  const { blocks, requestClose, receiver, chain, setBaseFee, sent } = await given(t, 1)
  for (const block of blocks) await requestClose(0n, block)
  await chain.mine(Math.ceil((challengePeriod * 3) / 8))
  await setBaseFee(9n * gwei)
  await chain.mine(1)
  await receiver.refresh()
  await receiver.refresh()
  t.like(receiver.settlement.status().answers, { length: 1, 0: { plan: 'let_go' } })
  t.is(await sent(), 0)
})

test('1 000 channels with dust in them need no ether: strangers’ transactions are sent as before', (t) => {
  const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
  const channels = manyChannels(1000).map((channel) => ({
    ...channel,
    state: 'open' as const,
    claims: { highest: 7n, unclaimed: [] },
    proof: { signature, form: 'eip712' as const },
  }))
  const parts = {
    ...{ ether: () => 1n, most: 10n * gwei, hasBatches: true, etherPrice },
    ...{ highest: () => gwei, data: () => 0n, onShort: () => undefined },
  }
  const reserve = createReserve({ ...parts, book: { asSeen: () => channels } })
  reserve.round()
  t.is(reserve.status().channels, 0)
  // Of one channel, which may come next.
  const twice = 2n * 60_000n * 10n * gwei
  t.notThrows(() => reserve.checkRelay(twice))
  const worth = channels.map((channel) => ({ ...channel, claims: { highest: 9n, unclaimed: [] } }))
  const large = createReserve({ ...parts, book: { asSeen: () => worth } })
  large.round()
  t.is(large.status().channels, 1000)
  t.throws(() => large.checkRelay(twice), { code: 'relay_reserve' })
})
