// Channels of contracts of version 0.3, and of 0.2, which knows the seed's signatures only.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex, parseAddress } from '../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../receiver/index.ts'
import { reading, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'
import { deployVersion02 } from '../support/version02/deploy.ts'
import { deployVersion03 } from '../support/version03/deploy.ts'

const versions = [
  { version: '0.2', deploy: deployVersion02, form: 'seed' },
  { version: '0.3', deploy: deployVersion03, form: 'eip712' },
] as const

type Version = (typeof versions)[number]

async function given(t: ExecutionContext, { deploy }: Version) {
  const system = await startSystem(t)
  const { chain, token, folder, receiverAccount } = system
  const tokenAddress = parseAddress(await token.getAddress())
  const contract = await deploy(chain.wallet(0), tokenAddress)
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    state: join(folder, 'receiver-former'),
    pollInterval: 20,
    confirmations: 1,
  })
  const server = await createReceiverServer(receiver, [reading()])
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await server.close()
    await receiver.stop()
  })
  const store = join(folder, 'agent-former')
  return { ...system, base, contract, receiver, agent: () => system.agent({ contract, store }) }
}

for (const each of versions) {
  test(`${each.version}: buys, tops up, and closes together with the receiver`, async (t) => {
    const { agent, base, receiver, contract, tokensOf, receiverAccount } = await given(t, each)
    const buyer = await agent()
    for (let payment = 1; payment <= 12; payment++) {
      t.is((await buyer.get(`${base}/reading`)).status, 200)
    }
    const [proof] = [...receiver.book.all()].map(({ proof }) => proof)
    t.is(proof?.form, each.form)
    const [channel] = buyer.channels()
    if (channel === undefined) return t.fail('a channel')
    t.is(channel.deposit, 75n)
    await buyer.closeChannel(`${channel.receiver}/${channel.openBlock}`, base)
    t.is(await tokensOf(receiverAccount.address), 60n)
    t.is(await tokensOf(contract), 0n)
  })

  test(`${each.version}: closes alone, settles after the challenge period, and finds channels again`, async (t) => {
    const { agent, base, chain, contract, tokensOf, receiverAccount } = await given(t, each)
    const buyer = await agent()
    await buyer.get(`${base}/reading`)
    const [channel] = buyer.channels()
    if (channel === undefined) return t.fail('a channel')
    await buyer.closeChannel(`${channel.receiver}/${channel.openBlock}`, {})
    t.deepEqual(await buyer.settle(), [])
    await chain.mine(501)
    t.is((await buyer.settle()).length, 1)
    t.is(await tokensOf(receiverAccount.address), 5n)
    const again = await buyer.openChannel(receiverAccount.address, 30n)
    await buyer.stop()
    const found = await agent()
    t.deepEqual(await found.recoverChannels(), [])
    t.is(found.channels().filter(({ state }) => state === 'open').length, 1)
    await found.topUp(again, 7n)
    t.is(await tokensOf(contract), 37n)
  })

  test(`${each.version}: the receiver withdraws channel by channel, and answers a close below its best proof`, async (t) => {
    const { agent, base, chain, receiver, tokensOf, receiverAccount } = await given(t, each)
    const buyer = await agent()
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    t.is((await receiver.settlement.withdrawAll()).sum, 5n)
    await until(() => receiver.settlement.status().uncollected === 0n)
    t.is((await buyer.get(`${base}/reading`)).status, 200)
    const [channel] = buyer.channels()
    if (channel === undefined) return t.fail('a channel')
    await buyer.closeChannel(`${channel.receiver}/${channel.openBlock}`, { balance: 5n })
    await until(async () => (await tokensOf(receiverAccount.address)) === 10n)
    const nonce = await chain.provider.getTransactionCount(receiverAccount.address)
    // The withdrawal and the answer, nothing else.
    t.is(nonce, 2)
  })
}
