// More channels than the ether for their answers suffices for: cheating pays on those that are left.
import test from 'ava'
import { givenCheater } from '../../support/cheating.ts'
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
