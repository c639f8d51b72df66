// Purchases by x402 from sellers that are honest, and from some that are not. What was paid is what the token's
// events say.
import test, { type ExecutionContext } from 'ava'
import type { SentPayment } from '../../../agent/purchase/types.ts'
import {
  addressOfKey,
  fromHex,
  isUraidenError,
  parseAddress,
  type Signer,
  signDigest,
} from '../../../protocol/index.ts'
import type { Requirements } from '../../../protocol/x402/index.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { type Dollar, deployDollar } from '../../support/dollar.ts'
import { type TestDisk, testClock, testDisk } from '../../support/ledger.ts'
import { assetOf, type BuyerOptions, x402Buyer } from '../../support/x402-buyer.ts'
import { requirements } from '../../support/x402-offers.ts'
import {
  type Offered,
  type SellerAnswer,
  type SellerScript,
  startX402Seller,
} from '../../support/x402-seller.ts'

let chain: EmbeddedChain
let dollar: Dollar
let accounts = 0
/** In seconds. */
const day = 86_400
test.before(async () => {
  chain = await startEmbeddedChain()
  // A day begins: no midnight comes between two purchases that count for one.
  await chain.provider.send('evm_increaseTime', [day - ((await chainTime()) % day)])
  await chain.mine(1)
  dollar = await deployDollar(chain)
})
test.after.always(() => chain.close())

const shop = `0x${'b2'.repeat(20)}`
const price = 10_000n

function offer(changes: { readonly [name: string]: unknown } = {}): Requirements {
  return requirements({
    ...{ network: 'eip155:31337', asset: dollar.address, payTo: shop, extra: dollar.domain },
    ...changes,
  })
}

const asks =
  (...accepts: readonly Requirements[]) =>
  (): SellerAnswer => ({ status: 402, accepts })

/** As a seller should: settles, then serves. */
async function settles({ payload }: Offered): Promise<SellerAnswer> {
  await dollar.settle(payload)
  return { status: 200, settlement: {} }
}

async function chainTime(): Promise<number> {
  return Number((await chain.provider.getBlock('latest'))?.timestamp ?? 0)
}

/** An account of its own with a dollar, and a clock that is the chain's. */
async function given(t: ExecutionContext, script: Partial<SellerScript> = {}) {
  accounts++
  const key = fromHex(`0x${accounts.toString(16).padStart(64, '0')}`)
  const signer: Signer = {
    address: addressOfKey(key),
    sign: async (digest) => signDigest(digest, key),
  }
  await dollar.pay(signer.address, 1_000_000n)
  const clock = testClock()
  clock.set({ wall: (await chainTime()) * 1000 })
  const seller = await startX402Seller(t, { asks: asks(offer()), takes: settles, ...script })
  const disk = testDisk()
  const options = { signer, clock, assets: [assetOf(dollar, chain.rpcUrl)] }
  return {
    ...{ signer, clock, seller, disk, url: seller.url },
    agent: (changes: Partial<BuyerOptions> = {}, on: TestDisk = disk) =>
      x402Buyer(t, { ...options, disk: on, ...changes }),
    paid: async () => (await dollar.used(signer.address)).length,
    /** On the chain and on the machine. */
    pass: async (seconds: number) => {
      clock.pass(seconds * 1000)
      await chain.provider.send('evm_increaseTime', [seconds])
      await chain.mine(2)
    },
  }
}

async function refused(t: ExecutionContext, buying: Promise<unknown>, code: string, says = /./) {
  const error = await t.throwsAsync(buying)
  t.true(isUraidenError(error, code), `${error}`)
  t.regex(error?.message ?? '', says)
}

test.serial('asks, pays, and says what it was', async (t) => {
  const { agent, url, seller, signer, paid } = await given(t)
  const buyer = await agent()
  const { answer, payment, roundTrips } = await buyer.buy(url)
  t.is(new TextDecoder().decode(answer.body), '{"celsius":21.4}')
  t.is(roundTrips, 2)
  const [offered] = seller.offered
  const { authorization } = offered?.payload ?? {}
  t.like(authorization, { from: signer.address, value: price, validAfter: 0n })
  t.deepEqual(offered?.accepted, offer())
  t.like(payment, { cost: price, price, authentic: false })
  t.like(payment?.x402, {
    unit: { symbol: 'USD', decimals: 6 },
    network: 'eip155:31337',
    transaction: `0x${'ab'.repeat(32)}`,
  })
  t.is(payment?.x402?.nonce, authorization?.nonce)
  t.like(buyer.history.all().at(-1), { cost: price, unit: { symbol: 'USD', decimals: 6 } })
  t.is(buyer.spent(), price)
  t.is(await paid(), 1)
})

test.serial('each purchase has an authorization of its own, also at once', async (t) => {
  const { agent, url, seller, paid } = await given(t)
  const buyer = await agent()
  await Promise.all([1, 2, 3].map(() => buyer.buy(url)))
  t.is(new Set(seller.offered.map(({ payload }) => payload.authorization.nonce)).size, 3)
  t.is(await paid(), 3)
  t.is(buyer.spent(), 3n * price)
})

test.serial('the budget of an asset stops it to the last unit', async (t) => {
  const { agent, url, seller, paid } = await given(t)
  const buyer = await agent({ caps: { day: 2n * price } })
  await buyer.buy(url)
  await buyer.buy(url)
  await refused(t, buyer.buy(url), 'budget_day_spent', /0\.01 USD.*budget of 0\.02 USD a day/)
  t.is(seller.offered.length, 2)
  t.is(await paid(), 2)
})

test.serial('a job has its own part of it, and so has a receiver', async (t) => {
  const { agent, url } = await given(t)
  const buyer = await agent({ caps: { jobs: { weather: { day: price } }, receivers: {} } })
  await buyer.buy(url, { job: 'weather' })
  await refused(t, buyer.buy(url, { job: 'weather' }), 'budget_day_spent', /for the job weather/)
  await buyer.buy(url)
  t.pass()
})

test.serial('at the price limits nothing is written down', async (t) => {
  const { agent, url, disk, seller } = await given(t)
  const buyer = await agent({ caps: { request: price - 1n } })
  await refused(t, buyer.buy(url), 'price_over_cap', /0\.01 USD.*0\.009999 USD/)
  const other = await agent({}, testDisk())
  const limit = { mostPrice: price - 1n, mostPriceIn: 'USD' }
  await refused(t, other.buy(url, limit), 'price_over_cap')
  // A limit in another token says nothing of this one.
  await refused(
    t,
    other.buy(url, { mostPrice: price * 10n }),
    'asset_not_allowed',
    /channels’ token/,
  )
  await refused(t, other.buy(url, { dryRun: true }), 'dry_run', /0\.01 USD by x402/)
  await refused(t, other.buy(url, { authentic: 'require' }), 'answer_not_authentic')
  t.is(seller.offered.length, 0)
  t.is(disk.writes(), 0)
})

test.serial(
  'an asset that the owner has not named is not paid with, whatever it is called',
  async (t) => {
    const other = `0x${'c3'.repeat(20)}`
    const { agent, url, seller } = await given(t, {
      asks: asks(offer({ asset: other }), offer({ network: 'eip155:8453' })),
    })
    const buyer = await agent()
    await refused(
      t,
      buyer.buy(url),
      'asset_not_allowed',
      /c3c3.* on eip155:31337, which it calls Test Dollar/,
    )
    t.is(seller.offered.length, 0)
  },
)

test.serial('of several offers the one that may be paid, and its lowest', async (t) => {
  const { agent, url, seller } = await given(t, {
    asks: asks(
      offer({ scheme: 'upto', amount: '1' }),
      offer({ network: 'solana:mainnet', amount: '1' }),
      offer({ amount: '0.5' }),
      offer({ amount: '12000' }),
      offer(),
    ),
  })
  const buyer = await agent()
  t.is((await buyer.buy(url)).payment?.cost, price)
  t.is(seller.offered[0]?.accepted.amount, '10000')
})

test.serial('what we cannot sign is refused with what the seller offers', async (t) => {
  const permit2 = { extra: { ...dollar.domain, assetTransferMethod: 'permit2' } }
  const { agent, url, seller } = await given(t, {
    asks: asks(offer(permit2), offer({ scheme: 'upto' }), offer({ scheme: 'batch-settlement' })),
  })
  const buyer = await agent()
  const says = /exact by permit2 on eip155:31337, or upto on .*, or batch-settlement on /
  await refused(t, buyer.buy(url), 'x402_offer_unsupported', says)
  t.is(seller.offered.length, 0)
})

test.serial('the domain of another token is not signed for', async (t) => {
  const { agent, url, seller, disk } = await given(t, {
    asks: asks(offer({ extra: { name: 'USD Coin', version: '2' } })),
  })
  await refused(
    t,
    (await agent()).buy(url),
    'asset_domain_differs',
    /"USD Coin", version "2", as the seller says/,
  )
  // Nor is what the owner says of it believed more than the token.
  const assets = [assetOf(dollar, chain.rpcUrl, { domain: { name: 'Test Dollar', version: '1' } })]
  await refused(t, (await agent({ assets })).buy(url), 'asset_domain_differs', /configuration/)
  t.is(seller.offered.length, 0)
  t.is(disk.writes(), 0)
})

test.serial('an asset with other decimals than its token’s is not paid with', async (t) => {
  const { agent, url, seller, disk } = await given(t)
  for (const decimals of [5, 7, 18]) {
    const buyer = await agent({ assets: [assetOf(dollar, chain.rpcUrl, { decimals })] })
    const says = new RegExp(`has 6 decimals, not ${decimals}`)
    await refused(t, buyer.buy(url), 'asset_decimals_differ', says)
  }
  t.is(seller.offered.length, 0)
  t.is(disk.writes(), 0)
})

test.serial('a node of another chain, and none, end it before anything is signed', async (t) => {
  const { agent, url, seller } = await given(t)
  const elsewhere = await startEmbeddedChain({ chainId: 4242 })
  t.teardown(() => elsewhere.close())
  for (const rpc of [elsewhere.rpcUrl, 'http://127.0.0.1:9']) {
    const buyer = await agent({ assets: [assetOf(dollar, rpc)] }, testDisk())
    await refused(t, buyer.buy(url), 'asset_chain_unavailable')
  }
  const both = [
    assetOf(dollar, 'http://127.0.0.1:9', { rpcUrl: ['http://127.0.0.1:9', chain.rpcUrl] }),
  ]
  t.is((await (await agent({ assets: both }, testDisk())).buy(url)).answer.status, 200)
  t.is(seller.offered.length, 1)
})

test.serial('the token is asked for its domain once', async (t) => {
  const { agent, url, disk } = await given(t)
  await (await agent()).buy(url)
  // The next process, with no node at all.
  const next = await agent({ assets: [assetOf(dollar, 'http://127.0.0.1:9')] }, disk.killed())
  t.is((await next.buy(new URL('/other', url))).answer.status, 200)
})

test.serial('an authorization is good for no longer than the owner allows', async (t) => {
  const { agent, url, seller } = await given(t, {
    asks: asks(offer({ maxTimeoutSeconds: 4_000_000_000 })),
  })
  const buyer = await agent({ validFor: 120 })
  await buyer.buy(url)
  const { validBefore = 0n } = seller.offered[0]?.payload.authorization ?? {}
  const left = Number(validBefore) - (await chainTime())
  t.true(left > 60 && left <= 120, `${left}`)
})

test.serial('without a clock that is known to be right nothing is signed', async (t) => {
  const { agent, url, clock, seller, disk } = await given(t)
  clock.set({ synchronised: false })
  await refused(t, (await agent()).buy(url), 'clock_unproven')
  t.is(seller.offered.length, 0)
  t.is(disk.writes(), 0)
})

test.serial(
  'where the disk does not take it nothing is signed, and nothing is spent',
  async (t) => {
    const { agent, url, seller, disk } = await given(t)
    const buyer = await agent()
    disk.failNext('before')
    await t.throwsAsync(buyer.buy(url))
    t.is(seller.offered.length, 0)
    t.is(buyer.spent(), 0n)
  },
)

test.serial(
  'a price that rises after signing gets no second signature for the request',
  async (t) => {
    const { agent, url, seller, paid } = await given(t, {
      takes: () => ({ status: 402, accepts: [offer({ amount: '20000' })] }),
    })
    const buyer = await agent()
    await refused(t, buyer.buy(url), 'payment_refused')
    t.is(seller.offered.length, 1)
    t.is(buyer.spent(), price, 'it stays counted')
    t.is(await paid(), 0)
    // And under a limit for jumps the next one gets none at all, once there was a price.
    seller.script = { asks: asks(offer({ amount: '5000' })), takes: settles }
    const careful = await agent({ priceJump: 1.5 }, testDisk())
    await careful.buy(url)
    seller.script = { asks: asks(offer({ amount: '10000' })), takes: settles }
    await refused(
      t,
      careful.buy(url),
      'price_jump',
      /0\.01 USD now, more than 1\.5 times the 0\.005 USD/,
    )
  },
)

test.serial('a lost answer: the same authorization again, and paid once', async (t) => {
  let times = 0
  const { agent, url, seller, paid } = await given(t, {
    takes: async (offered) => {
      times++
      if (times === 1) {
        await dollar.settle(offered.payload)
        return 'lose'
      }
      return { status: 200, settlement: {} }
    },
  })
  const buyer = await agent()
  t.is((await buyer.buy(url)).answer.status, 200)
  t.is(seller.offered.length, 2)
  t.is(seller.offered[0]?.payload.signature, seller.offered[1]?.payload.signature)
  t.is(buyer.spent(), price)
  t.is(await paid(), 1)
})

test.serial(
  'answers lost again and again: the next request and the next process offer the same one',
  async (t) => {
    const { agent, url, seller, disk, paid } = await given(t, { takes: () => 'lose' })
    const buyer = await agent()
    await refused(t, buyer.buy(url), 'answer_lost')
    await refused(t, buyer.buy(url), 'answer_lost')
    const next = await agent({}, disk.killed())
    t.is(next.spent(), price)
    seller.script = { ...seller.script, takes: settles }
    await next.buy(url)
    const signatures = seller.offered.map(({ payload }) => payload.signature)
    t.is(signatures.length, 5)
    t.is(new Set(signatures).size, 1)
    t.is(await paid(), 1)
    t.is(next.spent(), price)
  },
)

test.serial(
  'what has paid and was cut off by a kill before that was on the disk pays for nothing else',
  async (t) => {
    const { agent, url, seller, disk, paid } = await given(t)
    await (await agent()).buy(url)
    const next = await agent({}, disk.killed())
    t.is((await next.buy(url)).answer.status, 200)
    t.is(seller.offered.length, 2)
    t.is(await paid(), 2)
    t.is(next.spent(), 2n * price)
  },
)

test.serial(
  'an answer lost for good is paid again by a new request only, and not under its key',
  async (t) => {
    const { agent, url, seller, paid } = await given(t, {
      takes: async ({ payload }): Promise<SellerAnswer> => {
        await dollar.settle(payload)
        return 'lose'
      },
    })
    const buyer = await agent({ repeats: 0 })
    const again = { idempotencyKey: 'first' }
    await refused(t, buyer.buy(url, again), 'answer_lost')
    seller.script = { ...seller.script, takes: () => ({ status: 402, accepts: [offer()] }) }
    await refused(t, buyer.buy(url, again), 'payment_spent')
    t.is(buyer.spent(), price)
    seller.script = { ...seller.script, takes: settles }
    await buyer.buy(url)
    t.is(buyer.spent(), 2n * price)
    t.is(await paid(), 2)
  },
)

test.serial('a key belongs to its request', async (t) => {
  const { agent, url } = await given(t, { takes: () => 'lose' })
  const buyer = await agent({ repeats: 0 })
  await refused(t, buyer.buy(url, { idempotencyKey: 'k' }), 'answer_lost')
  const other = new URL('/other', url)
  await refused(t, buyer.buy(other, { idempotencyKey: 'k' }), 'idempotency_key_reused')
})

test.serial('a facilitator that lies: it says that it failed, and has the money', async (t) => {
  const { agent, url, seller, paid } = await given(t, {
    takes: async ({ payload }) => {
      await dollar.settle(payload).catch(() => 'settled before')
      return { status: 402, settlement: { success: false, errorReason: 'nonce\u001b[2Jbusy' } }
    },
  })
  const buyer = await agent()
  await refused(t, buyer.buy(url), 'payment_refused', /nonce.\[2Jbusy/)
  t.is(buyer.spent(), price)
  // The next request offers the same one, learns of the chain that it was used, and pays anew.
  await refused(t, buyer.buy(url), 'payment_refused')
  t.is(seller.offered.length, 3)
  t.is(await paid(), 2)
  t.is(buyer.spent(), 2n * price, 'nothing came back')
})

test.serial('a facilitator that lies: it says that it settled, and has not', async (t) => {
  const { agent, url, pass, paid } = await given(t, {
    takes: () => ({ status: 200, settlement: {} }),
  })
  const buyer = await agent({ caps: { day: price } })
  await buyer.buy(url)
  await pass(700)
  await refused(t, buyer.buy(url), 'budget_day_spent')
  t.is(await paid(), 0)
})

test.serial(
  'what expired unused is free again once the chain has proven it, and not before',
  async (t) => {
    const { agent, url, seller, clock, pass, disk } = await given(t, {
      takes: () => ({ status: 500 }),
    })
    const buyer = await agent({ caps: { day: price } })
    t.is((await buyer.buy(url)).answer.status, 500)
    const other = new URL('/other', url)
    await refused(t, buyer.buy(other), 'budget_day_spent')
    // Only our clock says that its time is over.
    clock.pass(700_000)
    await refused(t, buyer.buy(other), 'budget_day_spent')
    t.is(buyer.spent(), price)
    clock.pass(-700_000)
    await pass(700)
    seller.script = { asks: asks(offer()), takes: settles }
    t.is((await buyer.buy(other)).answer.status, 200)
    t.is(buyer.spent(), price)
    const next = await agent({ caps: { day: price } }, disk.killed())
    t.is(next.spent(), price, 'as the disk has it')
  },
)

test.serial('what was used although nobody said so does not come back', async (t) => {
  const { agent, url, pass, seller } = await given(t, {
    takes: async ({ payload }) => {
      await dollar.settle(payload)
      return { status: 500 }
    },
  })
  const buyer = await agent({ caps: { day: price } })
  await buyer.buy(url)
  await pass(700)
  await refused(t, buyer.buy(new URL('/other', url)), 'budget_day_spent')
  t.is(seller.offered.length, 1)
})

test.serial('with several nodes all of them have to say that it was not used', async (t) => {
  const { agent, url, pass } = await given(t, { takes: () => ({ status: 500 }) })
  const assets = [assetOf(dollar, chain.rpcUrl, { rpcUrl: [chain.rpcUrl, 'http://127.0.0.1:9'] })]
  const buyer = await agent({ assets, caps: { day: price } })
  await buyer.buy(url)
  await pass(700)
  await refused(t, buyer.buy(new URL('/other', url)), 'budget_day_spent')
})

test.serial('who is paid at a place stays the same unless the owner says so', async (t) => {
  const { agent, url, seller, disk } = await given(t)
  await (await agent()).buy(url)
  const other = `0x${'d4'.repeat(20)}`
  seller.script = { asks: asks(offer({ payTo: other })), takes: settles }
  const next = await agent({}, disk.killed())
  await refused(t, next.buy(url), 'receiver_changed', /until now/)
  const plan = { dialects: ['x402'], payTo: seller.offered[0]?.payload.authorization.to } as const
  await refused(
    t,
    next.buy(url, { plan: { ...plan } as never }),
    'receiver_changed',
    /configuration/,
  )
  const receivers = [assetOf(dollar, '').address]
  await refused(t, (await agent({ receivers })).buy(url), 'receiver_not_allowed')
  t.is(seller.offered.length, 1)
})

test.serial('a caller that records payments asks for the answer with the same one', async (t) => {
  const { agent, url, seller, disk, paid } = await given(t, { takes: () => 'lose' })
  const buyer = await agent({ repeats: 0 })
  const recorded: SentPayment[] = []
  const onPayment = (payment: SentPayment) => void recorded.push(payment)
  await refused(t, buyer.buy(url, { onPayment }), 'answer_lost')
  const [payment] = recorded
  if (payment === undefined) return t.fail()
  seller.script = { ...seller.script, takes: settles }
  const next = await agent({}, disk.killed())
  t.is((await next.repeat(url, payment)).answer.status, 200)
  t.is(await paid(), 1)
  await refused(t, next.repeat(url, payment), 'payment_spent')
  const refusing = await agent({}, testDisk())
  await t.throwsAsync(
    refusing.buy(url, {
      onPayment: () => {
        throw new Error('no room')
      },
    }),
    { message: 'no room' },
  )
  t.is(refusing.spent(), 0n, 'nothing has left')
})

test.serial('a seller that is not there has cost nothing', async (t) => {
  const { agent, url, seller } = await given(t)
  const buyer = await agent()
  const { asks: usual } = seller.script
  await refused(t, buyer.buy(new URL('http://127.0.0.1:9/')), 'receiver_unreachable')
  seller.script = { asks: usual, takes: settles }
  await buyer.buy(url)
  t.is(buyer.spent(), price)
})

test.serial('what is free is not paid, and a 402 in no known words is refused', async (t) => {
  const { agent, url, seller } = await given(t, { asks: () => ({ status: 200 }) })
  const buyer = await agent()
  t.is((await buyer.buy(url)).payment, undefined)
  seller.script = { asks: () => ({ status: 402, body: 'pay me' }), takes: settles }
  await refused(t, buyer.buy(url), 'terms_unreadable', /no dialect/)
  const headers = { 'PAYMENT-REQUIRED': 'eyJ9' }
  seller.script = { asks: () => ({ status: 402, headers }), takes: settles }
  await refused(t, buyer.buy(url), 'terms_unreadable')
})

test('the hook that decides on each payment decides on these, before anything is counted', async (t) => {
  const { agent, seller, url, paid } = await given(t)
  const seen: unknown[] = []
  let answer: { readonly refuse: string } | undefined = { refuse: 'not today' }
  const { buy, spent } = await agent({
    hooks: {
      beforePayment: ({ terms, request }) => {
        seen.push([terms, request?.url.href])
        return answer
      },
    },
  })
  await refused(t, buy(url), 'stopped_by_hook', /not today/)
  t.deepEqual([seller.offered.length, spent()], [0, 0n])
  const terms = {
    receiver: parseAddress(shop),
    price,
    contract: dollar.address,
    token: dollar.address,
  }
  t.deepEqual(seen, [[terms, url.href]])
  answer = undefined
  t.is((await buy(url)).answer.status, 200)
  t.is(await paid(), 1)
})

test('sellers that never say what became of payments do not end all buying', async (t) => {
  const { agent, url, pass } = await given(t, { takes: () => ({ status: 200 }) })
  const { buy, spent } = await agent()
  const at = (number: number) => new URL(`?${number}`, url)
  for (let bought = 0; bought < 200; bought++) await buy(at(bought))
  await refused(t, buy(at(200)), 'authorizations_unsettled')
  await pass(601)
  // All of them have expired unused by now, and some are looked up.
  t.is((await buy(at(200))).answer.status, 200)
  t.true(spent() < 200n * price)
})
