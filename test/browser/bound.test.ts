// Bound requests from a page: what somebody between can do to a channel that is tied to its keys, on plain HTTP.
import anyTest, { type ExecutionContext } from 'ava'
import type { KeptKeys } from '../../browser/bound.ts'
import { type BrowserClientOptions, createBrowserClient } from '../../browser/index.ts'
import { memoryKeyStore } from '../../browser/key-store.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import {
  createRequestKey,
  receiverKeyDigest,
  serializeReceiverKey,
} from '../../protocol/bound/index.ts'
import { fromHex, headerName, isTickForm, type UraidenError } from '../../protocol/index.ts'
import { shownProof } from '../../receiver/channels/proofs.ts'
import type { Resource } from '../../receiver/index.ts'
import { mapStore } from '../support/map-store.ts'
import { price, startSystem } from '../support/system.ts'
import { createTestWallet, refusal } from '../support/wallet.ts'

// One chain at a time: they share a process, which on a busy machine answers too late.
const test = anyTest.serial

type Ask = typeof fetch
/** What somebody between does with a request to something priced. */
type Between = (pass: () => Promise<Response>, url: string, init: RequestInit) => Promise<Response>

const big = 'x'.repeat(200_000)

function goods(): readonly Resource[] {
  return [
    { path: '/reading', price, handler: () => ({ celsius: 21.4 }) },
    { path: '/big', price, handler: (_, reply) => reply.type('text/plain').send(big) },
  ]
}

async function givenBuyer(t: ExecutionContext) {
  const system = await startSystem(t, goods())
  const { chain, contract, base, receiverAccount, senderAccount } = system
  const wallet = createTestWallet(chain.rpcUrl, senderAccount.privateKey)
  t.teardown(wallet.close)
  const storage = mapStore()
  const keys = memoryKeyStore()
  const connect = (options: Partial<BrowserClientOptions> = {}) =>
    createBrowserClient({
      wallet,
      account: senderAccount.address,
      receiver: receiverAccount.address,
      contract,
      api: `${base}/api/1`,
      interval: 20,
      ...{ storage, keys, ...options },
    })
  /** Requests below `path` go through somebody's hands. */
  const throughHands = (between: Between, path = '/reading') => {
    const ask: Ask = (url, init = {}) =>
      String(url).includes(path)
        ? between(() => fetch(url, init), String(url), init)
        : fetch(url, init)
    return connect({ fetch: ask })
  }
  const client = await connect()
  await client.openChannel(100n)
  const buy = (from = client, path = '/reading') =>
    from.pay(`${base}${path}`, { price, idempotency: true })
  const signed = () =>
    wallet.calls
      .filter(({ method }) => method === 'eth_signTypedData_v4')
      .map(({ params }) => JSON.parse(String(params[1])).primaryType as string)
  const owner = `${chain.chainId}/${contract}/${receiverAccount.address}/${senderAccount.address}`
  const kept = async () => (await keys.load(owner)) as KeptKeys
  return { ...system, wallet, connect, throughHands, client, buy, signed, keys, owner, kept }
}

test('one signature ties the channel; the request key is forgotten, and the keys do not leave', async (t) => {
  const { client, buy, signed, kept, receiver, senderAccount } = await givenBuyer(t)
  const { response, cost } = await buy()
  t.deepEqual([await response.json(), cost], [{ celsius: 21.4 }, price])
  await buy()
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof', 'BalanceProof'])
  const { openBlock, requests, answers, confirmed } = await kept()
  t.true(confirmed)
  for (const key of [requests, answers]) {
    if (key instanceof Uint8Array) return t.fail('WebCrypto is here')
    t.false(key.extractable)
  }
  t.is((await client.channel())?.openBlock, openBlock)
  t.not(receiver.book.ledger(senderAccount.address, openBlock).requestKey, undefined)
})

test('without WebCrypto, as on plain HTTP, the same is done by hand', async (t) => {
  const { subtle } = crypto
  Object.defineProperty(crypto, 'subtle', { configurable: true, value: undefined })
  t.teardown(() => Object.defineProperty(crypto, 'subtle', { configurable: true, value: subtle }))
  const { buy, kept } = await givenBuyer(t)
  t.is((await buy()).response.status, 200)
  t.true((await kept()).requests instanceof Uint8Array)
})

test('a payment that was caught on its way buys nothing elsewhere, by header or cookie', async (t) => {
  const { base, buy, throughHands, receiver } = await givenBuyer(t)
  let caught: Record<string, string> = {}
  const robbed = await throughHands(async (_, __, { headers }) => {
    caught = headers as Record<string, string>
    throw new TypeError('network')
  })
  await t.throwsAsync(buy(robbed), { code: 'receiver_unreachable' })
  const names = Object.keys(caught).filter((name) => name.startsWith('rdn-'))
  t.true(names.includes(headerName.signature.toLowerCase()))
  const bare = Object.fromEntries(names.map((name) => [name, caught[name] ?? '']))
  const cookie = [
    [headerName.sender, bare['rdn-sender-address']],
    [headerName.openBlock, bare['rdn-open-block']],
    [headerName.senderBalance, bare['rdn-balance']],
    [headerName.signature, bare['rdn-balance-signature']],
    [headerName.idempotencyKey, caught['idempotency-key']],
  ]
  const byCookie = { cookie: cookie.map((pair) => pair.join('=')).join('; ') }
  for (const headers of [bare, byCookie, { ...bare, ...byCookie }]) {
    t.is((await fetch(`${base}/reading`, { headers })).status, 402)
  }
  // Signed as it was, it buys nothing but what it was for.
  t.is((await fetch(`${base}/big`, { headers: caught })).status, 401)
  t.is(receiver.book.unsettled(), 0n)
  t.is((await buy()).response.status, 200)
  t.is(receiver.book.unsettled(), price)
})

const forged: { readonly [what: string]: (honest: Response) => Response } = {
  'another price': () => refused({ [headerName.price]: '50' }),
  'another balance': () => refused({ [headerName.senderBalance]: '90' }),
  'a channel that is gone': () => refused({ [headerName.nonexistingChannel]: '1' }),
  'a server that fails': () => new Response('', { status: 502 }),
  'other content': ({ status, headers }) => new Response('{"celsius":99}', { status, headers }),
  'a content type of its own': ({ body, status, headers }) =>
    new Response(body, {
      status,
      headers: { ...Object.fromEntries(headers), 'content-type': 'text/html' },
    }),
  'no signature': ({ body, status, headers }) => {
    const rest = [...headers].filter(([name]) => !name.startsWith('signature'))
    return new Response(body, { status, headers: rest })
  },
  'a cost of nothing': ({ body, status, headers }) =>
    new Response(body, {
      status,
      headers: { ...Object.fromEntries(headers), [headerName.cost]: '0' },
    }),
}

function refused(more: Record<string, string>): Response {
  const headers = { [headerName.price]: `${price}`, [headerName.cost]: '0', ...more }
  return new Response('', { status: 402, headers })
}

for (const [what, forge] of Object.entries(forged)) {
  test(`somebody between answers with ${what}: nothing is believed, nothing signed again`, async (t) => {
    const { client, buy, throughHands, signed, receiver } = await givenBuyer(t)
    const cheated = await throughHands(async (pass) => forge(await pass()))
    await t.throwsAsync(buy(cheated), { code: 'answer_lost' })
    await t.throwsAsync(buy(cheated), { code: 'answer_lost' })
    t.like(await client.channel(), { balance: 0n, pending: { balance: price } })
    const { payment, response } = await buy()
    t.true(payment.repeated)
    t.deepEqual(await response.json(), { celsius: 21.4 })
    t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
    t.is(receiver.book.unsettled(), price)
  })
}

test('the answer to an earlier request is none to this one', async (t) => {
  const { buy, throughHands } = await givenBuyer(t)
  let earlier: Response | undefined
  const between = await throughHands(async (pass) => {
    const before = earlier
    const answer = await pass()
    earlier = answer.clone() as Response
    return before ?? answer
  })
  t.is((await buy(between)).response.status, 200)
  await t.throwsAsync(buy(between), { code: 'answer_lost' })
})

test('an answer that is longer than what is collected counts when its receipt has come', async (t) => {
  const { client, buy, throughHands, receiver } = await givenBuyer(t)
  t.is(await (await buy(client, '/big')).response.text(), big)
  const cut = await throughHands(async (pass) => {
    const { body: _, status, headers } = await pass()
    return new Response(big.slice(1), { status, headers })
  }, '/big')
  await t.throwsAsync(buy(cut, '/big'), { code: 'answer_lost' })
  t.is(await (await buy(client, '/big')).response.text(), big)
  t.is(receiver.book.unsettled(), 2n * price)
})

test('without the offer nothing is signed; once seen, it cannot be hidden', async (t) => {
  const { connect, buy, signed } = await givenBuyer(t)
  const hides: Ask = async (url, init) =>
    String(url).endsWith('/request-key') ? new Response('{}', { status: 404 }) : fetch(url, init)
  await t.throwsAsync(buy(await connect({ fetch: hides })), { code: 'binding_refused' })
  t.deepEqual(signed(), [])
  await buy()
  const forgetful = await connect({ keys: memoryKeyStore(), bound: 'prefer', fetch: hides })
  await t.throwsAsync(buy(forgetful), { code: 'binding_refused' })
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
})

test('a request key that is not the receiver’s, or an older one of it, is not trusted', async (t) => {
  const { base, contract, chain, connect, buy, signed, receiver, receiverAccount, senderAccount } =
    await givenBuyer(t)
  const domain = { contract, chainId: chain.chainId }
  const shown = async (privateKey: string, number: bigint) => {
    const message = { key: createRequestKey().publicKey, number, until: 1_000_000n }
    const signer = createKeySigner(fromHex(privateKey))
    const signature = await signer.sign(receiverKeyDigest(domain, message))
    return serializeReceiverKey({ ...message, signature })
  }
  const offers = (text: string) =>
    connect({
      keys: memoryKeyStore(),
      fetch: async (url, init) =>
        url === `${base}/api/1/request-key` ? new Response(text) : fetch(url, init),
    })
  const own = await receiver.ownRequestKey()
  const foreign = await offers(await shown(senderAccount.privateKey, own.number + 1n))
  await t.throwsAsync(buy(foreign), { code: 'receiver_key_untrusted' })
  await buy()
  const older = await offers(await shown(receiverAccount.privateKey, own.number - 1n))
  await t.throwsAsync(buy(older), { code: 'receiver_key_untrusted' })
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
})

test('a receiver that lost the key gets it again, and the wallet is not asked', async (t) => {
  const { buy, signed, receiver, senderAccount, kept } = await givenBuyer(t)
  await buy()
  const channel = { sender: senderAccount.address, openBlock: (await kept()).openBlock }
  const { requestKey: _, ...ledger } = receiver.book.ledger(channel.sender, channel.openBlock)
  await receiver.book.putLedger(channel, ledger)
  t.is((await buy()).response.status, 200)
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof', 'BalanceProof'])
})

test('somebody who says that our signature does not fit has the key put again once a minute', async (t) => {
  const { buy, throughHands, signed } = await givenBuyer(t)
  const denies = await throughHands(async () =>
    Response.json({ code: 'request_key_unknown' }, { status: 401 }),
  )
  await t.throwsAsync(buy(denies), { code: 'answer_lost' })
  await t.throwsAsync(buy(denies), { code: 'traffic_altered' })
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
})

test('keys that were lost are made anew, and where the channel stands comes with them', async (t) => {
  const { client, buy, connect, signed, receiver, chain } = await givenBuyer(t)
  await buy()
  client.forgetChannel()
  await chain.mine(1)
  const elsewhere = await connect({ keys: memoryKeyStore(), storage: mapStore() })
  await elsewhere.findChannel(0)
  await buy(elsewhere)
  t.is(receiver.book.unsettled(), 2n * price)
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof', 'RequestKey', 'BalanceProof'])
})

test('keys that were lost again and again in one block: it is said that the next one helps, and it does', async (t) => {
  const { buy, connect, receiver, chain } = await givenBuyer(t)
  await buy()
  /** In a browser that has lost everything. */
  const buyAnew = async () => {
    const anew = await connect({ keys: memoryKeyStore(), storage: mapStore() })
    await anew.findChannel(0)
    return buy(anew)
  }
  t.is((await buyAnew()).response.status, 200)
  const error = await t.throwsAsync<UraidenError>(buyAnew(), { code: 'request_key_replaced' })
  t.regex(error?.hint ?? '', /next block/)
  t.is(receiver.book.unsettled(), 2n * price)
  await chain.mine(1)
  t.is((await buyAnew()).response.status, 200)
  t.is(receiver.book.unsettled(), 3n * price)
})

/** An agent of the same account, with the channel that the page has opened: four readings, three of them by tick. */
async function givenTicks(t: ExecutionContext) {
  const buyer = await givenBuyer(t)
  const { agent: start, base, receiver, chain } = buyer
  const agent = await start()
  await agent.recoverChannels(0)
  for (let paid = 0; paid < 4; paid++) t.is((await agent.get(`${base}/reading`)).status, 200)
  await agent.stop()
  const [channel] = [...receiver.book.all()]
  t.true(channel?.proof && isTickForm(shownProof(channel.proof)))
  // The page's key is numbered by its block.
  await chain.mine(1)
  return buyer
}

test('an agent has paid with ticks on the channel: where it stands is believed, and paid on from', async (t) => {
  const { buy, signed, receiver } = await givenTicks(t)
  await buy()
  t.is(receiver.book.unsettled(), 5n * price)
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
})

test('a channel that an agent has paid on with ticks is closed with the last of them', async (t) => {
  const { client, signed, tokensOf, receiverAccount } = await givenTicks(t)
  await client.closeChannel()
  t.is(await tokensOf(receiverAccount.address), 4n * price)
  t.deepEqual(signed(), ['RequestKey'])
})

test('two browsers at one channel: who is replaced is told, and may go on with a newer key', async (t) => {
  const { buy, connect, chain, receiver } = await givenBuyer(t)
  await buy()
  const other = await connect({ keys: memoryKeyStore(), storage: mapStore() })
  await other.findChannel(0)
  await buy(other)
  await chain.mine(1)
  await t.throwsAsync(buy(), { code: 'request_key_replaced' })
  t.is((await buy()).response.status, 200)
  t.is(receiver.book.unsettled(), 3n * price)
})

test('once its close was asked for, nothing more is paid on a channel', async (t) => {
  const { client, buy, wallet, signed, receiver } = await givenBuyer(t)
  await buy()
  wallet.disturb(({ method }) => (method === 'eth_sendTransaction' ? refusal : undefined))
  await t.throwsAsync(client.closeChannel(), { code: 'wallet_refused' })
  t.true((await client.channel())?.closing)
  await t.throwsAsync(buy(), { code: 'channel_closing' })
  t.deepEqual(signed(), ['RequestKey', 'BalanceProof'])
  wallet.disturb(() => undefined)
  await client.closeChannel()
  t.is(await client.channel(), undefined)
  t.is(receiver.book.unsettled(), price)
})

test('somebody between cannot ask for a close, or keep the answer to one', async (t) => {
  const { base, client, buy, throughHands, senderAccount, kept } = await givenBuyer(t)
  await buy()
  const path = `${base}/api/1/channels/${senderAccount.address}/${(await kept()).openBlock}`
  const body = JSON.stringify({ balance: `${price}` })
  const headers = { 'content-type': 'application/json' }
  t.is((await fetch(path, { method: 'DELETE', headers, body })).status, 401)
  const no = await throughHands(
    async () => Response.json({ detail: 'never' }, { status: 409 }),
    '/channels/',
  )
  await t.throwsAsync(no.closeChannel(), { code: 'answer_lost' })
  t.true((await client.channel())?.closing)
})
