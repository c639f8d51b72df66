// A receiver that takes no more payments on a channel, because of a stranger or by its own will: it gets no
// fresh price at each refusal, and a close without it pays what was bought.
import test from 'ava'
import { channelName } from '../../../agent/channels/records.ts'
import { startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { price } from '../../support/system.ts'
import { startWholeSystem } from '../../support/whole-system.ts'

test('seven refusals cost nothing, and the close is requested at what was bought', async (t) => {
  const system = await startWholeSystem(t, await startEmbeddedChain())
  const url = `${system.base}/reading`
  const agent = await system.agent({ deposit: { mostInAll: 10n * price } })
  await agent.get(url)
  const { id, name, openBlock } = system.channelOf(agent)
  await system.receiver().manager.agreeToClose(agent.address, openBlock, price)

  const balances = new Set<bigint>()
  for (let i = 0; i < 7; i++) {
    await t.throwsAsync(agent.get(url))
    balances.add(agent.channels()[0]?.balance ?? 0n)
  }
  t.deepEqual([...balances], [2n * price])

  await agent.closeChannel(name, {})
  const { client } = await system.asSender()
  t.is((await client.channelInfo(id))?.closingBalance, price)
})

test('a channel that is refused is left for one that is not, also by later processes', async (t) => {
  const system = await startWholeSystem(t, await startEmbeddedChain())
  const url = `${system.base}/reading`
  const receiver = system.receiver()
  const first = await system.agent()
  await first.get(url)
  const { openBlock, name } = system.channelOf(first)
  const other = await first.openChannel(system.receiverAccount.address, 20n * price)
  await receiver.manager.agreeToClose(first.address, openBlock, price)
  await first.stop()

  let bought = 0
  for (let i = 0; i < 5; i++) {
    const agent = await system.agent()
    const answer = await agent.get(url).catch(() => undefined)
    if (answer?.status === 200) bought += 1
    const poisoned = agent
      .channels()
      .find((each) => channelName(each.receiver, each.openBlock) === name)
    t.true((poisoned?.balance ?? 0n) <= 2n * price)
    if (answer !== undefined) t.is(answer.payment?.channel, other)
    await agent.stop()
  }
  t.is(bought, 2)
})
