// A facilitator settles: what it says is believed where the chain says the same.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { until } from '../../support/until.ts'
import { dollarPrice, startX402System } from '../../support/x402.ts'

interface Question {
  readonly x402Version: number
  readonly paymentPayload: {
    readonly payload: { readonly authorization: Record<string, string>; readonly signature: string }
  }
  readonly paymentRequirements: Record<string, unknown>
}

/** `never`: the connection stays open. `broken`: it does not. */
type Answer = object | string | 'never' | 'broken'

/** What it answers, and what it does. */
interface Behaviour {
  readonly verify?: (asked: Question) => Answer
  readonly settle: (asked: Question, send: () => Promise<string>) => Promise<Answer>
}

async function given(
  t: ExecutionContext,
  behaviour: Behaviour,
  more: { readonly trust?: 'chain' | 'facilitator'; readonly waits?: 'little' } = {},
) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const question: Question = JSON.parse(Buffer.concat(parts).toString())
    asked.push(request.url ?? '')
    const answer = request.url?.endsWith('/verify')
      ? (behaviour.verify?.(question) ?? { isValid: true })
      : await behaviour.settle(question, () => send(question))
    if (answer === 'never') return
    if (answer === 'broken') return void request.socket.destroy()
    response.setHeader('content-type', 'application/json')
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x402/`
  const warned: object[] = []
  const { trust, waits } = more
  const patience = waits === 'little' ? 200 : 120_000
  const system = await startX402System(t, {
    x402: {
      patience,
      facilitator: { url, timeout: waits === 'little' ? 2000 : 120_000, ...(trust && { trust }) },
    },
    receiver: {
      log: { info: () => undefined, warn: (facts, message) => warned.push({ ...facts, message }) },
    },
  })
  const { dollar } = system
  const send = async ({ paymentPayload: { payload } }: Question): Promise<string> => {
    const { from, to, value, validAfter, validBefore, nonce } = payload.authorization
    const transfer = dollar.contract.getFunction(
      'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
    )
    const sent = await transfer(from, to, value, validAfter, validBefore, nonce, payload.signature)
    await sent.wait()
    return sent.hash
  }
  const income = () => dollar.balance(system.receiverAccount.address)
  return { ...system, asked, warned, income }
}

const settled = (transaction: string) => ({
  ...{ success: true, transaction, network: 'eip155:31337' },
})
const nowhere = `0x${'ab'.repeat(32)}`
const lies = { message: 'the facilitator says what the chain does not' }

test('it is asked to verify and to settle, with what was asked for and what was sent', async (t) => {
  const questions: Question[] = []
  const { buyer, asked, income, served } = await given(t, {
    settle: async (question, send) => {
      questions.push(question)
      return settled(await send())
    },
  })
  const paid = await buyer.buy()
  t.is(paid.status, 200)
  t.like(paid.settlement, { success: true, amount: `${dollarPrice}` })
  t.deepEqual(asked, ['/x402/verify', '/x402/settle'])
  t.like(questions[0], { x402Version: 2 })
  t.deepEqual(questions[0]?.paymentRequirements, await buyer.offer())
  t.is(await income(), dollarPrice)
  t.is(served.length, 1)
})

test('what it does not verify is refused with its reason, and is never settled', async (t) => {
  const { buyer, asked } = await given(t, {
    verify: () => ({ isValid: false, invalidReason: 'it rains\u0007' }),
    settle: async () => settled(nowhere),
  })
  const refused = await buyer.buy()
  t.is(refused.status, 402)
  t.regex(JSON.parse(refused.text).detail, /The facilitator refuses it: it rains/)
  t.false(refused.text.includes('\u0007'))
  t.deepEqual(asked, ['/x402/verify'])
})

test('a lie that it is settled serves nothing, and is told', async (t) => {
  const { buyer, served, warned } = await given(
    t,
    { settle: async () => settled(nowhere) },
    { waits: 'little' },
  )
  const payment = await buyer.sign(await buyer.offer())
  const refused = await buyer.offerPayment(payment)
  t.is(refused.status, 503)
  t.like(JSON.parse(refused.text), { code: 'x402_unsettled' })
  t.is(served.length, 0)
  await until(() => warned.some((each) => (each as typeof lies).message === lies.message))
})

test('a transaction of another payment is no settlement of this one', async (t) => {
  let first = ''
  const { buyer, served } = await given(
    t,
    {
      settle: async (_, send) => {
        first ||= await send()
        return settled(first)
      },
    },
    { waits: 'little' },
  )
  const payment = await buyer.sign(await buyer.offer())
  await until(async () => (await buyer.offerPayment(payment)).status === 200)
  t.is((await buyer.buy()).status, 503)
  t.is(served.length, 1)
})

test('a lie that it failed loses nobody’s money: the payment is served', async (t) => {
  const { buyer, served, warned, income } = await given(t, {
    settle: async (_, send) => {
      await send()
      return { success: false, errorReason: 'no', transaction: '', network: '' }
    },
  })
  t.is((await buyer.buy()).status, 200)
  t.is(served.length, 1)
  t.is(await income(), dollarPrice)
  t.true(warned.some((each) => (each as typeof lies).message === lies.message))
})

test('a failure is a failure, and the same payment may be tried again', async (t) => {
  let fails = true
  const { buyer, served } = await given(t, {
    settle: async (_, send) =>
      fails
        ? { success: false, errorReason: 'busy', transaction: '', network: '' }
        : settled(await send()),
  })
  const payment = await buyer.sign(await buyer.offer())
  const failed = await buyer.offerPayment(payment)
  t.is(failed.status, 402)
  t.like(failed.settlement, { success: false })
  fails = false
  t.is((await buyer.offerPayment(payment)).status, 200)
  t.is(served.length, 1)
})

test('an answer that does not come says nothing: the chain does, also after a restart', async (t) => {
  let isSent = false
  const { buyer, served, restart, income, asked } = await given(
    t,
    {
      settle: async (_, send) => {
        if (!isSent) return 'broken'
        await send()
        return 'broken'
      },
    },
    { waits: 'little' },
  )
  const payment = await buyer.sign(await buyer.offer())
  const late = await buyer.offerPayment(payment)
  t.is(late.status, 503)
  t.like(JSON.parse(late.text), { code: 'x402_unsettled' })
  await until(() => asked.includes('/x402/settle'))
  await restart()
  isSent = true
  await until(async () => (await buyer.offerPayment(payment)).status === 200)
  t.is(served.length, 1)
  t.is(await income(), dollarPrice)
})

test('an answer that is late is none: it may still be sent', async (t) => {
  const { buyer } = await given(t, { settle: async () => 'never' }, { waits: 'little' })
  t.like(JSON.parse((await buyer.buy()).text), { code: 'x402_unsettled' })
})

test('while it does not verify nothing has left, and that is said', async (t) => {
  const { buyer, dollar, payer } = await given(t, {
    verify: () => 'broken',
    settle: async () => settled(nowhere),
  })
  const refused = await buyer.buy()
  t.is(refused.status, 503)
  t.like(JSON.parse(refused.text), { code: 'x402_unable' })
  t.deepEqual(await dollar.used(payer.address), [])
})

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['too much', JSON.stringify({ success: true, transaction: nowhere, pad: 'x'.repeat(100_000) })],
  ['neither true nor false', '{"success":"yes"}'],
] as const) {
  test(`an answer that is ${what} is none`, async (t) => {
    const { buyer, served } = await given(t, { settle: async () => text }, { waits: 'little' })
    t.is((await buyer.buy()).status, 503)
    t.is(served.length, 0)
  })
}

test('where its word is to count it counts, and the owner is told so', async (t) => {
  const { buyer, served, warned } = await given(
    t,
    { settle: async () => settled(nowhere) },
    { trust: 'facilitator' },
  )
  t.is((await buyer.buy()).status, 200)
  t.is(served.length, 1)
  t.true(warned.some((each) => /not looked up/.test((each as { message: string }).message)))
})
