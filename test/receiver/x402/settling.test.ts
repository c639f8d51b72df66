// What becomes of payments whose settlement is slow, lost, overtaken or refused by the chain.
import test, { type ExecutionContext } from 'ava'
import { toHex } from '../../../protocol/index.ts'
import type { Requirements } from '../../../protocol/x402/index.ts'
import { until } from '../../support/until.ts'
import { dollarPrice, startX402System, type X402SystemOptions } from '../../support/x402.ts'

/** Blocks come when the test says so. */
async function given(t: ExecutionContext, options: X402SystemOptions = {}) {
  const system = await startX402System(t, {
    ...options,
    x402: { patience: 300, ...options.x402 },
  })
  const { provider } = system.chain
  await provider.send('evm_setAutomine', [false])
  const pending = async (): Promise<number> => {
    const block = await provider.send('eth_getBlockByNumber', ['pending', false])
    return block.transactions.length
  }
  return {
    ...system,
    mine: () => provider.send('evm_mine', []),
    /** Waits until so many transactions wait for a block. */
    untilPending: (count: number) => until(async () => (await pending()) >= count),
  }
}

const unsettled = { code: 'x402_unsettled' }

test('a settlement that takes long is neither success nor failure, and is served when it is there', async (t) => {
  const { buyer, mine, untilPending, served, dollar, receiverAccount } = await given(t)
  const payment = await buyer.sign(await buyer.offer())
  const slow = await buyer.offerPayment(payment)
  t.is(slow.status, 503)
  t.like(JSON.parse(slow.text), unsettled)
  t.truthy(slow.headers.get('retry-after'))
  // Not even a stock client may take it for a failure.
  t.is(slow.settlement, undefined)
  t.is(served.length, 0)
  await untilPending(1)
  await mine()
  await until(async () => (await buyer.offerPayment(payment)).status === 200)
  t.is(served.length, 1)
  t.is(await dollar.balance(receiverAccount.address), dollarPrice)
})

test('a restart in between changes nothing: sent once, served once', async (t) => {
  const { buyer, mine, untilPending, served, dollar, payer, restart } = await given(t)
  const payment = await buyer.sign(await buyer.offer())
  t.is((await buyer.offerPayment(payment)).status, 503)
  await untilPending(1)
  await restart()
  t.is((await buyer.offerPayment(payment)).status, 503)
  await mine()
  await until(async () => (await buyer.offerPayment(payment)).status === 200)
  t.is(served.length, 1)
  t.is((await dollar.used(payer.address)).length, 1)
})

test('an authorization that another one has sent is paid all the same', async (t) => {
  const { buyer, mine, untilPending, served, dollar, receiverAccount } = await given(t)
  const payment = await buyer.sign(await buyer.offer())
  t.is((await buyer.offerPayment(payment)).status, 503)
  await untilPending(1)
  await overtake(dollar, payment)
  await untilPending(2)
  await mine()
  await until(async () => (await buyer.offerPayment(payment)).status === 200)
  t.is(served.length, 1)
  t.is(await dollar.balance(receiverAccount.address), dollarPrice)
})

test('a nonce that is spent elsewhere meanwhile buys nothing', async (t) => {
  const { buyer, mine, untilPending, served, dollar, payer, receiverAccount } = await given(t)
  const offer = await buyer.offer()
  const nonce = toHex(new Uint8Array(32).fill(9))
  const payment = await buyer.sign(offer, { authorization: { nonce } })
  const toItself = await buyer.sign({ ...offer, payTo: payer.address } as Requirements, {
    authorization: { nonce },
  })
  t.is((await buyer.offerPayment(payment)).status, 503)
  await untilPending(1)
  await overtake(dollar, toItself)
  await untilPending(2)
  await mine()
  await until(async () => (await buyer.offerPayment(payment)).status === 402)
  t.like(JSON.parse((await buyer.offerPayment(payment)).text), { code: 'x402_spent' })
  t.is(served.length, 0)
  t.is(await dollar.balance(receiverAccount.address), 0n)
})

test('settlements that fail on the chain are few: then nobody’s is sent for an hour', async (t) => {
  const { buyer, mine, untilPending, dollar, payer } = await given(t, {
    x402: { limits: { mostFailed: 1 } },
  })
  const offer = await buyer.offer()
  const nonce = toHex(new Uint8Array(32).fill(9))
  const payment = await buyer.sign(offer, { authorization: { nonce } })
  t.is((await buyer.offerPayment(payment)).status, 503)
  await untilPending(1)
  await overtake(
    dollar,
    await buyer.sign({ ...offer, payTo: payer.address } as Requirements, {
      authorization: { nonce },
    }),
  )
  await untilPending(2)
  await mine()
  await until(async () => (await buyer.offerPayment(payment)).status === 402)
  const refused = await buyer.buy()
  t.is(refused.status, 503)
  t.like(JSON.parse(refused.text), { code: 'x402_busy' })
})

test('one payer has few settlements under way', async (t) => {
  const { buyer, untilPending } = await given(t, { x402: { limits: { mostPerPayer: 1 } } })
  const offer = await buyer.offer()
  t.is((await buyer.offerPayment(await buyer.sign(offer))).status, 503)
  await untilPending(1)
  const refused = await buyer.offerPayment(await buyer.sign(offer))
  t.like(JSON.parse(refused.text), { code: 'x402_busy' })
})

test('gas above the limit is not paid, and the payment stays good', async (t) => {
  const { buyer, served, dollar, payer } = await given(t, {
    x402: { mostFeePerGas: 1n, patience: 120_000 },
  })
  const refused = await buyer.buy()
  t.is(refused.status, 503)
  t.like(JSON.parse(refused.text), { code: 'x402_unable' })
  t.is(served.length, 0)
  t.deepEqual(await dollar.used(payer.address), [])
})

/** Sends what a payment authorizes from another account, which pays more for its gas. */
async function overtake(
  { contract }: Awaited<ReturnType<typeof startX402System>>['dollar'],
  payment: string,
): Promise<void> {
  const { payload } = JSON.parse(Buffer.from(payment, 'base64').toString())
  const { from, to, value, validAfter, validBefore, nonce } = payload.authorization
  const name = 'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)'
  const given = [from, to, value, validAfter, validBefore, nonce, payload.signature]
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n, gasLimit: 200_000n }
  await contract.getFunction(name)(...given, fees)
}
