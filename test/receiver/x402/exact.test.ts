// Payments of x402's scheme `exact`, beside channels on the same resources: stock clients, and hostile ones.
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, toHex } from '../../../protocol/index.ts'
import { x402Field } from '../../../protocol/x402/index.ts'
import { loadPeer } from '../../support/peers.ts'
import { needing, tools } from '../../support/tools.ts'
import {
  type Altered,
  channelPrice,
  dollarPrice,
  startX402System,
  type X402SystemOptions,
} from '../../support/x402.ts'

const given = (t: ExecutionContext, options?: X402SystemOptions) => startX402System(t, options)

interface Stock {
  readonly exactClient: (key: string) => unknown
  readonly wrapFetchWithPayment: (fetch: unknown, client: unknown) => typeof globalThis.fetch
}

const withPeers = needing(test, tools.x402)

withPeers('a stock client buys, and the money is on the chain before it is served', async (t) => {
  const { base, dollar, payer, receiverAccount, served, receiver } = await given(t)
  const { exactClient, wrapFetchWithPayment } = await loadPeer<Stock>('stock.js')
  const pay = wrapFetchWithPayment(fetch, exactClient(payer.privateKey))
  for (let bought = 1; bought <= 3; bought++) {
    const answer = await pay(`${base}/reading`)
    t.is(answer.status, 200)
    t.deepEqual(await answer.json(), { celsius: 21.4, served: bought })
    t.is(await dollar.balance(receiverAccount.address), BigInt(bought) * dollarPrice)
  }
  t.is((await dollar.used(payer.address)).length, 3)
  t.is(served.length, 3)
  t.like(receiver.x402?.figures(), { settled: 3, income: 3n * dollarPrice, waiting: 0 })
})

test('one 402 has the terms of both, and neither where it does not belong', async (t) => {
  const { buyer, dollar, receiver, base } = await given(t)
  const { accepts, resource, error } = await buyer.required()
  t.is(error, 'payment_required')
  t.deepEqual(resource, { url: `${base}/reading` })
  t.deepEqual(
    accepts.find(({ scheme }) => scheme === 'exact'),
    {
      ...{ scheme: 'exact', network: 'eip155:31337', amount: `${dollarPrice}` },
      ...{ asset: dollar.address, payTo: receiver.address, maxTimeoutSeconds: 60 },
      extra: { name: 'Test Dollar', version: '2', paymentFlow: 'upfront' },
    },
  )
  const asked = await buyer.ask()
  t.is(asked.headers.get('rdn-price'), `${channelPrice}`)
  // A browser’s cookies are RDN’s alone.
  const page = await buyer.ask('/reading', { headers: { accept: 'text/html' } })
  t.true(page.headers.getSetCookie().every((each) => each.startsWith('RDN-')))
  const paid = await buyer.buy()
  t.is(paid.status, 200)
  t.is(paid.headers.get(x402Field.required), null)
  t.like(paid.settlement, { success: true, network: 'eip155:31337', amount: `${dollarPrice}` })
})

test('two payments in one request are refused, and neither is charged', async (t) => {
  const { buyer, dollar, receiverAccount, served } = await given(t)
  const payment = await buyer.sign(await buyer.offer())
  const headers = {
    'RDN-Sender-Address': receiverAccount.address,
    'RDN-Open-Block': '7',
    'RDN-Balance': '5',
    'RDN-Balance-Signature': `0x${'11'.repeat(64)}1b`,
  }
  const refused = await buyer.offerPayment(payment, '/reading', { headers })
  t.is(refused.status, 400)
  t.like(JSON.parse(refused.text), { code: 'two_payments' })
  t.is(await dollar.balance(receiverAccount.address), 0n)
  t.is(served.length, 0)
  t.is((await buyer.offerPayment(payment)).status, 200)
})

const stranger = `0x${'77'.repeat(32)}` as const
const strangersAddress = createKeySigner(fromHex(stranger)).address

interface Hostile {
  readonly when: string
  /** At a time of the chain, in Unix seconds. */
  readonly altered: (now: bigint) => Altered
  readonly reason: string
}

const hostile: readonly Hostile[] = [
  {
    when: 'paid to somebody else',
    altered: () => ({ authorization: { to: strangersAddress } }),
    reason: 'invalid_exact_evm_recipient_mismatch',
  },
  {
    when: 'an offer of somebody else',
    altered: () => ({
      offer: { payTo: strangersAddress },
      authorization: { to: strangersAddress },
    }),
    reason: 'invalid_exact_evm_recipient_mismatch',
  },
  {
    when: 'for another chain',
    altered: () => ({ offer: { network: 'eip155:1' } }),
    reason: 'invalid_exact_evm_network_mismatch',
  },
  {
    when: 'signed for another chain',
    altered: () => ({ domain: { name: 'Test Dollar', version: '2', chainId: 1n } }),
    reason: 'invalid_exact_evm_signature',
  },
  {
    when: 'signed for another token',
    altered: () => ({ domain: { name: 'Best Dollar', version: '2' } }),
    reason: 'invalid_exact_evm_signature',
  },
  {
    when: 'in another token',
    altered: () => ({ offer: { asset: strangersAddress } }),
    reason: 'invalid_exact_evm_network_mismatch',
  },
  {
    when: 'expired',
    altered: (now) => ({ authorization: { validBefore: now - 1n } }),
    reason: 'invalid_exact_evm_payload_authorization_valid_before',
  },
  {
    when: 'good for years',
    altered: (now) => ({ authorization: { validBefore: now + 100_000_000n } }),
    reason: 'invalid_exact_evm_payload_authorization_valid_before',
  },
  {
    when: 'not good yet',
    altered: (now) => ({ authorization: { validAfter: now + 600n } }),
    reason: 'invalid_exact_evm_payload_authorization_valid_after',
  },
  {
    when: 'for less',
    altered: () => ({ offer: { amount: `${dollarPrice - 1n}` } }),
    reason: 'invalid_exact_evm_authorization_value',
  },
  {
    when: 'for less than it says',
    altered: () => ({ authorization: { value: dollarPrice - 1n } }),
    reason: 'invalid_exact_evm_payload_authorization_value_mismatch',
  },
  {
    when: 'signed by another',
    altered: () => ({ key: stranger }),
    reason: 'invalid_exact_evm_signature',
  },
  {
    when: 'of an account that has nothing',
    altered: () => ({ key: stranger, authorization: { from: strangersAddress } }),
    reason: 'invalid_exact_evm_insufficient_balance',
  },
  {
    when: 'by a smart wallet',
    altered: () => ({ signature: `0x${'11'.repeat(96)}` }),
    reason: 'invalid_exact_evm_signature',
  },
]

test('a payment that is not good is refused with its own reason, and moves nothing', async (t) => {
  const { buyer, dollar, receiverAccount, served, chain, chainTime } = await given(t)
  const before = await chain.provider.getTransactionCount(receiverAccount.address)
  for (const { when, altered, reason } of hostile) {
    const refused = await buyer.buy(altered(await chainTime()))
    t.is(refused.status, 402, when)
    t.like(JSON.parse(refused.text), { code: 'x402_invalid' }, when)
    t.like(refused.settlement, { success: false, errorReason: reason, transaction: '' }, when)
  }
  const smart = await buyer.buy({ signature: `0x${'11'.repeat(96)}` })
  t.regex(JSON.parse(smart.text).detail, /EIP-1271/)
  t.is(await dollar.balance(receiverAccount.address), 0n)
  t.is(await chain.provider.getTransactionCount(receiverAccount.address), before)
  t.is(served.length, 0)
})

test('what is no payment of x402 is refused with 400, and what is not offered with what is', async (t) => {
  const { buyer } = await given(t)
  for (const text of [
    '%%',
    Buffer.from('{}').toString('base64'),
    Buffer.from('[').toString('base64'),
  ]) {
    const refused = await buyer.offerPayment(text)
    t.is(refused.status, 400, text)
    t.like(JSON.parse(refused.text), { code: 'x402_malformed' }, text)
  }
  const offer = await buyer.offer()
  const permit = { ...offer, extra: { ...(offer.extra as object), assetTransferMethod: 'permit2' } }
  for (const other of [
    { scheme: 'upto' },
    { extra: permit.extra },
    { scheme: 'batch-settlement' },
  ]) {
    const refused = await buyer.offerPayment(await buyer.sign(offer, { offer: other as object }))
    t.is(refused.status, 402)
    t.like(JSON.parse(refused.text), { code: 'x402_not_offered' })
    t.truthy(refused.headers.get(x402Field.required))
  }
})

test('an authorization pays for one request: not again, not for another one, not after a restart', async (t) => {
  const { buyer, restart, served, dollar, receiverAccount } = await given(t)
  const payment = await buyer.sign(await buyer.offer())
  const first = await buyer.offerPayment(payment)
  t.deepEqual([first.status, served.length], [200, 1])
  const spent = async (path: string) => {
    const refused = await buyer.offerPayment(payment, path)
    t.is(refused.status, 402)
    t.like(JSON.parse(refused.text), { code: 'x402_spent' })
  }
  await spent('/reading?another')
  // The same request gets the same answer, once more from what was kept of it.
  const again = await buyer.offerPayment(payment)
  t.deepEqual([again.status, again.text, served.length], [200, first.text, 1])
  await restart()
  const kept = await buyer.offerPayment(payment)
  t.deepEqual([kept.status, kept.text, served.length], [200, first.text, 1])
  await spent('/reading?another')
  t.is(served.length, 1)
  t.is(await dollar.balance(receiverAccount.address), dollarPrice)
})

test('where no answer is kept, a repetition is refused, before and after a restart', async (t) => {
  const { buyer, restart, served } = await given(t, { receiver: { replies: { lifetime: 0 } } })
  const payment = await buyer.sign(await buyer.offer())
  t.is((await buyer.offerPayment(payment)).status, 200)
  t.like(JSON.parse((await buyer.offerPayment(payment)).text), { code: 'x402_spent' })
  await restart()
  t.like(JSON.parse((await buyer.offerPayment(payment)).text), { code: 'x402_spent' })
  t.is(served.length, 1)
})

test('what was spent before this receiver knew of it is refused', async (t) => {
  const { buyer, dollar, payer, served, chain } = await given(t)
  const offer = await buyer.offer()
  const nonce = toHex(new Uint8Array(32).fill(7))
  const payment = await buyer.sign(offer, { authorization: { nonce } })
  const { authorization, signature } = JSON.parse(Buffer.from(payment, 'base64').toString()).payload
  const { from, to, value, validAfter, validBefore } = authorization
  const call = dollar.contract.getFunction(
    'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  )
  await (await call(from, to, value, validAfter, validBefore, nonce, signature)).wait()
  t.is((await dollar.used(payer.address)).length, 1)
  await chain.mine(1)
  const refused = await buyer.offerPayment(payment)
  t.is(refused.status, 402)
  t.like(JSON.parse(refused.text), { code: 'x402_spent' })
  t.is(served.length, 0)
})

test('a resource that fails leaves the authorization good for the same request', async (t) => {
  let fails = true
  const { buyer, dollar, receiverAccount, restart } = await given(t, {
    resources: [
      {
        path: '/reading',
        price: channelPrice,
        handler: (_, reply) => (fails ? reply.code(500).send({}) : { celsius: 20 }),
      },
    ],
  })
  const payment = await buyer.sign(await buyer.offer())
  const failed = await buyer.offerPayment(payment)
  t.is(failed.status, 500)
  // It was settled all the same, and that is said.
  t.like(failed.settlement, { success: true })
  await restart()
  fails = false
  const served = await buyer.offerPayment(payment)
  t.deepEqual([served.status, served.text], [200, '{"celsius":20}'])
  t.is(await dollar.balance(receiverAccount.address), dollarPrice)
})

test('what was paid for a cheap content does not buy a dear one, before and after a restart', async (t) => {
  let fails = true
  const served: unknown[] = []
  const sizeOf = (headers: object) => BigInt((headers as { 'x-size'?: string })['x-size'] ?? 1)
  const { buyer, dollar, receiverAccount, restart } = await given(t, {
    resources: [
      {
        path: '/reading',
        price: ({ headers }) => channelPrice * sizeOf(headers),
        handler: ({ headers }, reply) => {
          if (fails) return reply.code(500).send({})
          served.push(sizeOf(headers))
          return {}
        },
      },
    ],
  })
  const payment = await buyer.sign(await buyer.offer())
  const ask = (size: number) =>
    buyer.offerPayment(payment, '/reading', { headers: { 'x-size': `${size}` } })
  t.is((await ask(1)).status, 500)
  fails = false
  for (const again of [async () => undefined, restart]) {
    await again()
    const dear = await ask(2)
    t.is(dear.status, 402)
    t.like(JSON.parse(dear.text), { code: 'x402_invalid' })
    t.like(dear.settlement, { errorReason: 'invalid_exact_evm_authorization_value' })
  }
  t.is((await ask(1)).status, 200)
  t.deepEqual(served, [1n])
  t.is(await dollar.balance(receiverAccount.address), dollarPrice)
})

test('pages of other origins may send the payment, and read what is asked and what became of it', async (t) => {
  const origin = 'https://shop.example'
  const { buyer } = await given(t, { server: { crossOrigins: [origin] } })
  const preflight = await buyer.ask('/reading', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'GET' },
  })
  const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ') ?? []
  // Stock clients send the last one as a field of the request.
  for (const name of [x402Field.signature, 'Access-Control-Expose-Headers']) {
    t.true(allowed.includes(name), name)
  }
  const asked = await buyer.ask('/reading', { headers: { origin } })
  const exposed = asked.headers.get('access-control-expose-headers')?.split(', ') ?? []
  for (const name of [x402Field.required, x402Field.response]) t.true(exposed.includes(name), name)
})
