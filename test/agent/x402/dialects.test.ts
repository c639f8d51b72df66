// Which dialect a purchase is made in, where a place may be paid in both; and version 1 of x402.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { InRdn } from '../../../agent/purchase/dialect.ts'
import type { Asked, PaidAnswer } from '../../../agent/purchase/types.ts'
import type { OpenAnswer } from '../../../agent/transport/transport.ts'
import {
  addressOfKey,
  fromHex,
  isUraidenError,
  parseAddress,
  signDigest,
} from '../../../protocol/index.ts'
import {
  isSignedByAccount,
  parseExactPayload,
  tokenSeparator,
} from '../../../protocol/x402/index.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { type Dollar, deployDollar } from '../../support/dollar.ts'
import { testClock, testDisk } from '../../support/ledger.ts'
import { assetOf, x402Buyer } from '../../support/x402-buyer.ts'
import { requirements } from '../../support/x402-offers.ts'
import { startX402Seller } from '../../support/x402-seller.ts'

/** One of those that version 1 has a name for. */
const chainId = 84_532
let chain: EmbeddedChain
let dollar: Dollar
test.before(async () => {
  chain = await startEmbeddedChain({ chainId })
  dollar = await deployDollar(chain)
})
test.after.always(() => chain.close())

const key = fromHex(`0x${'0b'.repeat(32)}`)
const signer = {
  address: addressOfKey(key),
  sign: async (digest: Uint8Array) => signDigest(digest, key),
}

function given(t: ExecutionContext) {
  const asset = assetOf(dollar, chain.rpcUrl, { chainId: BigInt(chainId) })
  return x402Buyer(t, { signer, disk: testDisk(), clock: testClock(), assets: [asset] })
}

const offer = () =>
  requirements({ network: `eip155:${chainId}`, asset: dollar.address, extra: dollar.domain })

const inRdn = { answer: { status: 200 }, payment: undefined, roundTrips: 2 } as PaidAnswer

/** Notes how RDN was asked for. */
function rdnThat(knows: boolean) {
  const asked: (readonly [answer: OpenAnswer | undefined, other: readonly Asked[] | undefined])[] =
    []
  const rdn: InRdn = {
    isKnown: async () => knows,
    run: async (answer, other) => {
      asked.push([answer, other])
      return inRdn
    },
  }
  return { rdn, asked }
}

/** It speaks both, or one of them. */
async function seller(t: ExecutionContext, speaks: readonly ('rdn' | 'x402')[]) {
  const headers = speaks.includes('rdn') ? { 'RDN-Price': '7' } : {}
  const accepts = speaks.includes('x402') ? { accepts: [offer()] } : {}
  return startX402Seller(t, {
    asks: () => ({ status: 402, headers, ...accepts }),
    takes: () => ({ status: 200, settlement: {} }),
  })
}

const both = ['rdn', 'x402'] as const
const reverse = ['x402', 'rdn'] as const

test.serial(
  'RDN first: a place that speaks it is paid so, and what x402 would have cost is known',
  async (t) => {
    const buyer = await given(t)
    const { url, offered } = await seller(t, both)
    const { rdn, asked } = rdnThat(false)
    t.is(await buyer.buy(url, { plan: { dialects: both }, rdn }), inRdn)
    t.is(asked[0]?.[0]?.header('rdn-price'), '7')
    t.deepEqual(asked[0]?.[1], [
      { dialect: 'x402', price: 10_000n, unit: { symbol: 'USD', decimals: 6 } },
    ])
    t.is(offered.length, 0)
  },
)

test.serial('RDN first: where its terms are known, nothing is asked', async (t) => {
  const buyer = await given(t)
  const { url, requests } = await seller(t, both)
  const { rdn } = rdnThat(true)
  await buyer.buy(url, { plan: { dialects: both }, rdn })
  t.is(requests(), 0)
})

test.serial('RDN first: a place that speaks x402 alone is paid by it', async (t) => {
  const buyer = await given(t)
  const { url } = await seller(t, ['x402'])
  const { rdn, asked } = rdnThat(false)
  const { payment } = await buyer.buy(url, { plan: { dialects: both }, rdn })
  t.is(payment?.x402?.unit.symbol, 'USD')
  t.is(payment?.otherwise, undefined)
  t.is(asked.length, 0)
})

test.serial('x402 first: it is paid by it, and what RDN would have cost is known', async (t) => {
  const buyer = await given(t)
  const { url } = await seller(t, both)
  const { payment } = await buyer.buy(url, { plan: { dialects: reverse } })
  t.is(payment?.x402?.unit.symbol, 'USD')
  t.deepEqual(payment?.otherwise, [{ dialect: 'rdn', price: 7n, unit: undefined }])
})

test.serial('x402 first: what it cannot pay goes to RDN', async (t) => {
  const buyer = await given(t)
  const { url } = await startX402Seller(t, {
    asks: () => ({ status: 402, headers: { 'RDN-Price': '7' }, accepts: [requirements()] }),
    takes: () => ({ status: 200 }),
  })
  const { rdn, asked } = rdnThat(false)
  await buyer.buy(url, { plan: { dialects: reverse }, rdn })
  t.is(asked.length, 1)
  // A price limit in dollars is none of channels.
  const error = await t.throwsAsync(
    buyer.buy(url, { plan: { dialects: reverse }, rdn, mostPrice: 1n, mostPriceIn: 'USD' }),
  )
  t.true(isUraidenError(error, 'asset_not_allowed'))
})

test.serial('what has to be proven is bought in RDN, which proves it', async (t) => {
  const buyer = await given(t)
  const { url, requests } = await seller(t, both)
  const { rdn, asked } = rdnThat(false)
  await buyer.buy(url, { plan: { dialects: reverse }, rdn, authentic: 'require' })
  t.is(asked.length, 1)
  t.is(requests(), 0)
})

test.serial('a seller of version 1: terms in the body, chains by name', async (t) => {
  const buyer = await given(t)
  const payments: string[] = []
  const server = createServer((request, response) => {
    const payment = request.headers['x-payment']
    if (typeof payment === 'string') {
      payments.push(payment)
      const said = { success: true, transaction: '0xabc', network: 'base-sepolia' }
      response.setHeader('X-PAYMENT-RESPONSE', btoa(JSON.stringify(said)))
      return void response.end('sold')
    }
    const { amount: maxAmountRequired, payTo, asset, extra } = offer()
    const accepts = [
      {
        ...{ scheme: 'exact', network: 'base-sepolia', maxAmountRequired, payTo, asset, extra },
        ...{ resource: 'http://shop/', description: '', mimeType: '', maxTimeoutSeconds: 60 },
      },
    ]
    response.writeHead(402, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ x402Version: 1, error: 'X-PAYMENT header is required', accepts }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const { answer, payment } = await buyer.buy(url)
  t.is(new TextDecoder().decode(answer.body), 'sold')
  t.is(payment?.x402?.transaction, '0xabc')
  const { x402Version, scheme, network, payload } = JSON.parse(atob(payments[0] ?? ''))
  t.deepEqual([x402Version, scheme, network], [1, 'exact', 'base-sepolia'])
  const separator = tokenSeparator(
    { chainId: BigInt(chainId), asset: parseAddress(dollar.address) },
    dollar.domain,
  )
  t.true(isSignedByAccount(separator, parseExactPayload(payload, 'payload')))
})
