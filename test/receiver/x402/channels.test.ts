// The scheme `uraiden`: who has stock packages of x402 buys and sells by channel.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { depositsFor } from '../../../agent/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { channelsScheme } from '../../../protocol/x402/channels.ts'
import { x402Field } from '../../../protocol/x402/index.ts'
import { receiverApi } from '../../../receiver/index.ts'
import {
  type ChannelsSchemeOptions,
  createChannelsScheme,
  createChannelsServer,
  createKeySigner,
} from '../../../x402.ts'
import { loadPeer } from '../../support/peers.ts'
import { needing, tools } from '../../support/tools.ts'
import { channelPrice, startX402System, type X402SystemOptions } from '../../support/x402.ts'

const withPeers = needing(test, tools.x402)

interface StockClient {
  readonly register: (network: string, scheme: unknown) => StockClient
  readonly setSpendControls: (controls: object | false) => StockClient
}

interface Stock {
  readonly x402Client: new () => StockClient
  readonly exactClient: (key: string) => StockClient
  readonly wrapFetchWithPayment: (fetch: unknown, client: unknown) => typeof globalThis.fetch
  readonly express: () => {
    use: (...of: unknown[]) => void
    get: (...of: unknown[]) => void
    listen: (...of: unknown[]) => Server
  }
  readonly x402ResourceServer: new (
    facilitator: unknown,
  ) => { register: (network: string, scheme: unknown) => unknown }
  readonly paymentMiddleware: (routes: object, server: unknown) => unknown
}

async function given(t: ExecutionContext, options?: X402SystemOptions) {
  const system = await startX402System(t, options)
  const { chain, contract, folder, senderAccount } = system
  const stock = await loadPeer<Stock>('stock.js')
  const channelsOf = async (more: Partial<ChannelsSchemeOptions> = {}, store = 'channels') => {
    const channels = await createChannelsScheme({
      signer: createKeySigner(fromHex(senderAccount.privateKey)),
      ...{ rpcUrl: chain.rpcUrl, chainId: chain.chainId, contract, store: join(folder, store) },
      ...{ retryInterval: 20, deposit: depositsFor(0), ...more },
    })
    t.teardown(() => channels.agent.stop().catch(() => undefined))
    return channels
  }
  return { ...system, stock, channelsOf }
}

withPeers(
  'a stock client buys by channel: three lines, one deposit, no transaction a purchase',
  async (t) => {
    const { base, stock, channelsOf, chain, receiverAccount, senderAccount, receiver, served } =
      await given(t)
    const channels = await channelsOf()
    const client = new stock.x402Client()
      .register(channels.network, channels)
      .setSpendControls({ allowedAssets: true })
    const pay = stock.wrapFetchWithPayment(fetch, client)
    const sent = () => chain.provider.getTransactionCount(senderAccount.address)
    const first = await pay(`${base}/reading`)
    t.is(first.status, 200)
    t.deepEqual(await first.json(), { celsius: 21.4, served: 1 })
    const opened = await sent()
    const before = await chain.provider.getTransactionCount(receiverAccount.address)
    for (let bought = 2; bought <= 5; bought++)
      t.is((await pay(`${base}/reading?${bought}`)).status, 200)
    t.is(served.length, 5)
    t.is(await sent(), opened)
    t.is(await chain.provider.getTransactionCount(receiverAccount.address), before)
    const [channel] = channels.agent.channels()
    t.is(channel?.signed, 5n * channelPrice)
    const [known] = receiver.book.all()
    t.is(known?.claims.highest, 5n * channelPrice)
    t.is(channels.agent.history().length, 5)
  },
)

withPeers(
  'with both schemes a stock client takes the channel, which costs it no settlement',
  async (t) => {
    const { base, stock, channelsOf, dollar, payer, receiver } = await given(t)
    const channels = await channelsOf()
    const client = stock.exactClient(payer.privateKey).register(channels.network, channels)
    t.is((await stock.wrapFetchWithPayment(fetch, client)(`${base}/reading`)).status, 200)
    t.deepEqual(await dollar.used(payer.address), [])
    t.is([...receiver.book.all()].length, 1)
  },
)

withPeers('the agent’s budget stops a stock client, before anything is signed', async (t) => {
  const { base, stock, channelsOf, served } = await given(t)
  const channels = await channelsOf({ budget: { day: 2n * channelPrice } })
  const client = new stock.x402Client()
    .register(channels.network, channels)
    .setSpendControls({ allowedAssets: true })
  const pay = stock.wrapFetchWithPayment(fetch, client)
  for (let bought = 0; bought < 2; bought++) t.is((await pay(`${base}/reading`)).status, 200)
  await t.throwsAsync(pay(`${base}/reading`), { message: /budget/i })
  t.is(served.length, 2)
})

withPeers(
  'books that differ are put right: a store that was lost pays from where the receiver stands',
  async (t) => {
    const { base, stock, channelsOf, served } = await given(t)
    const buy = async (store: string) => {
      const channels = await channelsOf({}, store)
      if (store === 'second') await channels.agent.recoverChannels()
      const client = new stock.x402Client()
        .register(channels.network, channels)
        .setSpendControls({ allowedAssets: true })
      const answer = await stock.wrapFetchWithPayment(fetch, client)(`${base}/reading`)
      await channels.agent.stop()
      return answer.status
    }
    t.is(await buy('first'), 200)
    t.is(await buy('second'), 200)
    t.is(served.length, 2)
  },
)

withPeers('what costs nothing in the end, such as a resource that failed, is credit', async (t) => {
  let fails = true
  const { base, stock, channelsOf } = await given(t, {
    resources: [
      {
        path: '/reading',
        price: channelPrice,
        handler: (_, reply) => (fails ? reply.code(500).send({}) : { celsius: 20 }),
      },
    ],
  })
  const channels = await channelsOf()
  const client = new stock.x402Client()
    .register(channels.network, channels)
    .setSpendControls({ allowedAssets: true })
  const pay = stock.wrapFetchWithPayment(fetch, client)
  t.is((await pay(`${base}/reading`)).status, 500)
  fails = false
  t.is((await pay(`${base}/reading`)).status, 200)
  t.is(channels.agent.spentToday(), channelPrice)
})

test('a payment for another chain or contract is refused, and one that is malformed', async (t) => {
  const { buyer } = await startX402System(t)
  const { accepts } = await buyer.required()
  const offer = accepts.find(({ scheme }) => scheme === channelsScheme)
  const encode = (accepted: object, payload: object) =>
    Buffer.from(JSON.stringify({ x402Version: 2, accepted, payload })).toString('base64')
  const payment = {
    'RDN-Sender-Address': `0x${'12'.repeat(20)}`,
    ...{
      'RDN-Open-Block': '7',
      'RDN-Balance': '5',
      'RDN-Balance-Signature': `0x${'11'.repeat(64)}1b`,
    },
  }
  const codeOf = async (accepted: object, payload: object) =>
    JSON.parse((await buyer.offerPayment(encode(accepted, payload))).text).code
  t.is(await codeOf({ ...offer, network: 'eip155:1' }, payment), 'x402_not_offered')
  t.is(await codeOf({ ...offer, payTo: `0x${'12'.repeat(20)}` }, payment), 'wrong_contract')
  t.is(await codeOf({ ...offer }, payment), 'nonexisting_channel')
  t.is(await codeOf({ ...offer }, {}), 'x402_malformed')
  const off = await startX402System(t, { x402: { channels: 'off' } })
  const asked = await off.buyer.required()
  t.deepEqual(
    asked.accepts.map(({ scheme }) => scheme),
    ['exact'],
  )
  t.is(
    (await off.buyer.offerPayment(encode({ ...offer }, payment))).headers.get(x402Field.response),
    null,
  )
})

withPeers(
  'a stock server sells by channel to a stock client, and gives back what it does not serve',
  async (t) => {
    const { stock, channelsOf, receiver } = await given(t)
    const server = createChannelsServer(receiver)
    const resources = new stock.x402ResourceServer(server.facilitator).register(
      server.network,
      server.scheme,
    )
    const accepts = {
      scheme: 'uraiden',
      price: '0.005 TKN',
      network: server.network,
      payTo: receiver.address,
    }
    const app = stock.express()
    app.use(await receiverApi(receiver))
    app.use(
      stock.paymentMiddleware({ 'GET /stock': { accepts, description: 'a reading' } }, resources),
    )
    let fails = false
    app.get(
      '/stock',
      (_: unknown, response: { status: (code: number) => { json: (body: object) => void } }) => {
        response.status(fails ? 500 : 200).json({ celsius: 21 })
      },
    )
    const listening = app.listen(0, '127.0.0.1')
    t.teardown(() => void listening.close())
    await new Promise((resolve) => listening.once('listening', resolve))
    const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/stock`
    const channels = await channelsOf()
    const client = new stock.x402Client()
      .register(channels.network, channels)
      .setSpendControls({ allowedAssets: true })
    const pay = stock.wrapFetchWithPayment(fetch, client)
    t.is((await pay(url)).status, 200)
    fails = true
    t.is((await pay(url)).status, 500)
    fails = false
    t.is((await pay(url)).status, 200)
    const [known] = receiver.book.all()
    t.is(known?.sender, channels.agent.address)
    t.true((known?.claims.highest ?? 0n) >= 2n * channelPrice)
  },
)
