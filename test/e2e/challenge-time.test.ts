// A challenge period is a time: too short a one is refused by the receiver, by the agent before it opens, and said.
import test, { type ExecutionContext } from 'ava'
import type { ChannelName } from '../../agent/channels/records.ts'
import { chainFacts, keepFacts } from '../../agent/program/configuration/chain.ts'
import type { SharedAgent } from '../../agent/program/daemon/shared-agent.ts'
import { Upkeep } from '../../agent/program/daemon/upkeep.ts'
import { connectChain } from '../../platform/chain/index.ts'
import { lookAtContract } from '../../platform/cli/doctor.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { afterBlock, fromHex, parseAddress } from '../../protocol/index.ts'
import { type ReceiverOptions, startReceiver } from '../../receiver/index.ts'
import { startWatchtower } from '../../receiver/program/watchtower/tower.ts'
import { adminChannel, adminStats } from '../../receiver/server/admin/views.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** A chain that has shown that its blocks take so many seconds. */
async function given(t: ExecutionContext, seconds: number, options: Partial<ReceiverOptions> = {}) {
  const system = await startSystem(t, undefined, options)
  const hex = (value: number) => `0x${value.toString(16)}`
  await system.chain.provider.send('hardhat_mine', [hex(10_001), hex(seconds)])
  return system
}

test('500 blocks of 12 seconds are 1.7 hours: the owner may want more', async (t) => {
  const { chain, contract, agent, base, folder, receiverAccount } = await given(t, 12)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  const found = await lookAtContract(client)
  t.is(found.verdict, 'ok')
  t.regex(found.says, /challenge period 500 blocks, about 1\.7 hours$/)
  const options = {
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    ...{ rpcUrl: chain.rpcUrl, contract, state: `${folder}/another` },
  }
  await t.throwsAsync(startReceiver({ ...options, leastChallengePeriod: 7200 }), {
    code: 'challenge_period_short',
  })
  const tower = { ...options, receiver: parseAddress(receiverAccount.address) }
  await t.throwsAsync(startWatchtower({ ...tower, leastChallengePeriod: 7200 }), {
    code: 'challenge_period_short',
  })
  const guard = await startWatchtower({ ...tower, leastChallengePeriod: 5400 })
  await guard.stop()
  const wary = await agent({ leastChallengePeriod: 7200 })
  await t.throwsAsync(wary.get(`${base}/reading`), { code: 'challenge_period_short' })
  t.deepEqual(wary.channels(), [])
  await wary.stop()
  const content = await agent({ leastChallengePeriod: 5400 })
  t.is((await content.get(`${base}/reading`)).status, 200)
  await content.stop()
  const again = await agent({ leastChallengePeriod: 7200 })
  t.is((await again.get(`${base}/reading`)).status, 200, 'a channel that is open pays')
})

test('500 blocks of 2 seconds are 17 minutes: said by doctor, receiver and daemon', async (t) => {
  const { chain, contract, agent, folder, receiverAccount } = await given(t, 2)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  const found = await lookAtContract(client)
  t.is(found.verdict, 'warning')
  t.regex(found.says, /about 17 min\. The challenge period is 500 blocks, about 17 min: whoever/)
  const warnings: string[] = []
  const quiet = () => undefined
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    ...{ rpcUrl: chain.rpcUrl, contract, state: `${folder}/another` },
    log: { info: quiet, warn: (_, message) => void warnings.push(message) },
  })
  await receiver.stop()
  t.regex(String(warnings[0]), /about 17 min/)
  const shared = sharedOf(await agent())
  const said: string[] = []
  const upkeep = new Upkeep({
    ...{ shared, interval: 600_000 },
    onFailed: (_, error) => t.fail(String(error)),
    onWarning: (warning) => said.push(warning),
  })
  await upkeep.start({ policy: { deposit: {} } })
  await until(() => said.length > 0)
  await upkeep.stop()
  t.regex(String(said[0]), /about 17 min/)
})

/** What an upkeep asks of it. */
function sharedOf<Buyer>(buyer: Buyer): SharedAgent {
  return {
    current: () => buyer,
    use: (work: (each: Buyer) => unknown) => work(buyer),
  } as unknown as SharedAgent
}

for (const [seconds, warning] of [
  [2, /about 17 min/],
  [12, /^$/],
] as const) {
  test(`a daemon asks the chain once whether ${seconds} seconds a block are too few, and not at each start`, async (t) => {
    const { chain, contract, folder } = await given(t, seconds)
    const settings = { rpcUrl: chain.rpcUrl, contract }
    const facts = await chainFacts(settings, `${folder}/facts`)
    t.regex(facts.periodWarning ?? 'not known', warning)
    const away = { ...settings, rpcUrl: 'http://127.0.0.1:9' }
    t.deepEqual(await chainFacts(away, `${folder}/facts`), facts)
    const said: string[] = []
    const shared = {
      current: () => ({ channels: () => [{ state: 'open' }] }),
      use: () => Promise.resolve(t.fail('the chain is asked')),
    } as unknown as SharedAgent
    const upkeep = new Upkeep({
      ...{ shared, interval: 600_000 },
      onFailed: (_, error) => t.fail(String(error)),
      onWarning: (text) => said.push(text),
    })
    await upkeep.start({ policy: { deposit: {} }, facts })
    await upkeep.stop()
    t.deepEqual(said, [facts.periodWarning].filter(Boolean))
  })
}

test('what a chain was too young to say is kept once it has said it', async (t) => {
  const { chain, contract, folder, agent } = await startSystem(t)
  const settings = { rpcUrl: chain.rpcUrl, contract }
  const place = `${folder}/facts`
  const facts = await chainFacts(settings, place)
  t.is(facts.periodWarning, undefined)
  const shared = sharedOf(await agent())
  const kept: string[] = []
  const look = async () => {
    const upkeep = new Upkeep({
      ...{ shared, interval: 600_000 },
      onFailed: (_, error) => t.fail(String(error)),
      onWarning: () => undefined,
      onPeriod: (warning) => kept.push(warning),
    })
    await upkeep.start({ policy: { deposit: {} }, facts })
    await upkeep.stop()
  }
  await look()
  t.deepEqual(kept, [])
  await chain.provider.send('hardhat_mine', ['0x2711', '0x2'])
  await look()
  const [periodWarning = ''] = kept
  t.regex(periodWarning, /about 17 min/)
  await keepFacts({ ...facts, periodWarning }, settings, place)
  const away = { ...settings, rpcUrl: 'http://127.0.0.1:9' }
  t.deepEqual(await chainFacts(away, place), { ...facts, periodWarning })
})

test('a receiver says in its log and to its owner when a channel that closes alone is settled', async (t) => {
  const said: object[] = []
  const log = { info: (facts: object) => void said.push(facts), warn: () => undefined }
  const { agent, base, receiver } = await given(t, 12, { log })
  const sender = await agent()
  const { payment } = await sender.get(`${base}/reading`)
  if (payment === undefined) return t.fail()
  await sender.closeChannel(payment.channel as ChannelName, {})
  const [closing] = sender.channels()
  const settleBlock = closing?.settleBlock
  await until(() => [...receiver.book.all()].some(({ state }) => state === 'closing'))
  await receiver.refresh()
  const told = said.find((facts) => 'settles' in facts)
  t.like(told, { settles: `after block ${settleBlock}, about 1.7 hours from now` })
  const [channel] = receiver.book.all()
  if (channel === undefined) return t.fail()
  const { challengePeriod } = receiver.contractFacts
  t.is(adminChannel(channel, challengePeriod).settle_block, Number(settleBlock))
  t.is(adminChannel(channel, undefined).settle_block, null)
  const { contract_head, seconds_per_block } = adminStats(receiver)
  const clock = { head: Number(contract_head), secondsPerBlock: Number(seconds_per_block) }
  t.regex(afterBlock(Number(settleBlock), clock), /about 1\.7 hours from now$/)
})

test('a daemon says in its log, its status and its books when a channel that closes alone is settled', async (t) => {
  const system = await given(t, 12)
  const { folder, cli, json } = await daemonFolder(system)
  const daemon = await startDaemonProcess(t, folder)
  await json(t, 'open', 'room', '20 units')
  await json(t, 'close', 'room', '--uncooperative')
  const when = 'after block \\d+, about 1\\.7 hours from now'
  await until(() => /channel close requested/.test(daemon.log()))
  t.regex(
    daemon.log(),
    new RegExp(`channel close requested .* balance="\\S+ TKN" settles="${when}"`),
  )
  await until(async () => (await daemon.status())?.clock !== undefined)
  t.regex((await cli('status')).stdout, new RegExp(` closing, settles ${when}\n`))
  t.regex((await cli('channels')).stdout, new RegExp(` closing, settles ${when}\n`))
})
