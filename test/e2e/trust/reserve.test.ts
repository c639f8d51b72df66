// More channels than the ether for their answers suffices for: cheating pays on those that are left.
import test from 'ava'
import { givenCheater } from '../../support/cheating.ts'
import { setDataFee } from '../../support/op-stack.ts'
import { until } from '../../support/until.ts'

test('with ether for one answer a second channel takes no payment; the first goes on and is defended', async (t) => {
  const gwei = 10n ** 9n
  const system = await givenCheater(t, { settlement: { fees: { most: 10n * gwei } } })
  const { pay, sign, base, channel, openAnother, receiver, setEther, requestClose } = system
  const second = await openAnother()
  await until(() => receiver.book.get(channel.sender, second) !== undefined)
  t.is((await pay(5n)).status, 200)
  await setEther(60_000n * 10n * gwei)
  await receiver.refresh()
  await receiver.refresh()
  const payOn = (balance: bigint) =>
    fetch(`${base}/reading`, {
      headers: {
        ...system.headers(balance),
        'RDN-Open-Block': `${second}`,
        'RDN-Balance-Signature': sign(balance, undefined, undefined, second),
      },
    })
  t.is((await payOn(5n)).status, 502)
  t.is((await pay(10n)).status, 200)
  await requestClose(0n)
  await until(system.isOver)
  t.is(await system.tokensOf(receiver.address), 10n)
  await setEther(10n ** 18n)
  await receiver.refresh()
  await receiver.refresh()
  t.is((await payOn(5n)).status, 200)
})

test('below the reserve it collects, the largest stake first, though nobody has asked for it', async (t) => {
  const gwei = 10n ** 9n
  const system = await givenCheater(t, {
    ...{ pollInterval: 3_600_000, settlement: { fees: { most: 10n * gwei } } },
  })
  const { pay, receiver, setEther, setBaseFee, chain, tokensOf } = system
  for (const balance of [5n, 10n]) t.is((await pay(balance)).status, 200)
  await receiver.refresh()
  t.is(await tokensOf(receiver.address), 0n)
  await setBaseFee(gwei / 10n)
  await chain.mine(1)
  // One wei too little to defend it.
  await setEther(60_000n * 10n * gwei - 1n)
  await receiver.refresh()
  await receiver.refresh()
  await until(async () => (await tokensOf(receiver.address)) === 10n)
  await receiver.refresh()
  t.like(receiver.settlement.status().reserve, { channels: 0, isShort: false })
  t.is((await pay(15n)).status, 200)
})

test('whoever has the receiver end does not make it forget how dear gas was', async (t) => {
  const gwei = 10n ** 9n
  const system = await givenCheater(t, { pollInterval: 3_600_000 })
  const { pay, receiver, setBaseFee, chain, stopped, startAgain } = system
  t.is((await pay(5n)).status, 200)
  await setBaseFee(100n * gwei)
  await chain.mine(1)
  await receiver.refresh()
  const { reserve } = receiver.settlement.status()
  t.true((reserve.needed ?? 0n) > 60_000n * 4n * 100n * gwei)
  await stopped()
  await setBaseFee(gwei)
  await chain.mine(1)
  const again = await startAgain({ pollInterval: 3_600_000 })
  await again.synced
  await again.refresh()
  t.deepEqual(again.settlement.status().reserve, reserve)
})

test('a channel that owes more than the limit is collected from', async (t) => {
  const system = await givenCheater(t, {
    ...{ pollInterval: 3_600_000, settlement: { collectAbove: 10n } },
  })
  const { pay, receiver, tokensOf } = system
  for (const balance of [5n, 10n]) t.is((await pay(balance)).status, 200)
  await receiver.refresh()
  t.is(await system.sent(), 0)
  t.is((await pay(15n)).status, 200)
  await receiver.refresh()
  await until(async () => (await tokensOf(receiver.address)) === 15n)
})

test('on a chain that takes a fee for data, the ether for an answer is the more', async (t) => {
  const gwei = 10n ** 9n
  const system = await givenCheater(t, {
    ...{ pollInterval: 3_600_000, settlement: { fees: { most: 10n * gwei } } },
  })
  const { pay, receiver, chain } = system
  t.is((await pay(5n)).status, 200)
  await receiver.refresh()
  t.is(receiver.settlement.status().reserve.needed, 60_000n * 10n * gwei)
  await system.stopped()
  // As an OP stack chain at a busy time of its parent.
  await setDataFee(chain, 60_000n * gwei)
  const again = await system.startAgain({
    ...{ pollInterval: 3_600_000, settlement: { fees: { most: 10n * gwei } } },
  })
  await again.synced
  await again.refresh()
  t.is(again.settlement.status().reserve.needed, 60_000n * 11n * gwei)
})
