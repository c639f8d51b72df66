// Whatever a receiver says: it gets no more than it has earned or one price, and we get a clear error.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { AgentOptions, RequestOptions } from '../../../agent/index.ts'
import { addressOfKey, fromHex, isUraidenError } from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import {
  agentWithChannel,
  asks,
  chainId,
  channel,
  contract,
  lyingReceiver,
  receiverKey,
  type Script,
  senderKey,
  serves,
  terms,
} from '../../support/lying-receiver.ts'

const stranger = addressOfKey(fromHex(`0x${'66'.repeat(32)}`))
const proof = (balance: bigint, key = senderKey) =>
  balanceProof({
    domain: { contract, chainId },
    receiver: terms.receiver,
    openBlock: 7,
    balance,
    key,
  })

interface Lie {
  readonly when: string
  readonly script: Script
  readonly options?: Partial<AgentOptions>
  readonly request?: RequestOptions
  readonly code: string
  /** The most that it may hold a signature for afterwards. Default: nothing. */
  readonly signed?: bigint
  /** What of that counts as spent. Default: all of it. */
  readonly counted?: bigint
}

const lies: readonly Lie[] = [
  {
    when: 'it claims a lower balance than ours without a proof',
    script: ({ before }) =>
      before < 2 ? (before === 0 ? asks() : serves()) : asks({ senderBalance: 1n }),
    code: 'balance_unproven',
    signed: 10n,
  },
  {
    when: 'it claims a higher balance without a proof',
    script: ({ payment }) => asks(payment && { senderBalance: 900n }),
    code: 'balance_unproven',
    signed: 5n,
  },
  {
    when: 'it claims a higher balance with a forged signature',
    script: ({ payment }) =>
      asks(payment && { senderBalance: 900n, signature: proof(900n, receiverKey) }),
    code: 'balance_unproven',
    signed: 5n,
  },
  {
    when: 'it shows our signature over another balance than it claims',
    script: ({ payment }) => asks(payment && { senderBalance: 900n, signature: payment.signature }),
    code: 'balance_unproven',
    signed: 5n,
  },
  {
    when: 'it names a foreign contract',
    script: () => asks({ contract: stranger }),
    code: 'wrong_contract',
  },
  {
    when: 'it names a foreign token',
    script: () => asks({ token: stranger }),
    code: 'wrong_token',
  },
  {
    when: 'it names a foreign receiver',
    script: () => asks({ receiver: stranger }),
    options: { receivers: [terms.receiver] },
    code: 'receiver_not_allowed',
  },
  {
    when: 'another receiver was found under its name',
    script: () => asks(),
    options: { receiverAt: () => stranger },
    code: 'receiver_changed',
  },
  {
    when: 'it names a foreign contract in its second answer',
    script: ({ payment }) => asks(payment ? { contract: stranger, senderBalance: 0n } : {}),
    code: 'wrong_contract',
    signed: 5n,
    counted: 0n,
  },
  {
    when: 'its price is over the cap',
    script: () => asks({ price: 8n }),
    options: { budget: { request: 7n } },
    code: 'price_over_cap',
  },
  {
    when: 'its price is over the cap in the second answer',
    script: ({ payment }) =>
      asks(payment ? { price: 8n, senderBalance: 0n, reason: 'invalid_amount' } : {}),
    options: { budget: { request: 7n } },
    code: 'price_over_cap',
    signed: 5n,
    counted: 0n,
  },
  {
    when: 'its price rises with every answer',
    script: ({ before }) =>
      asks({ price: BigInt(5 + before), senderBalance: 0n, reason: 'invalid_amount' }),
    options: { budget: { total: 7n } },
    code: 'budget_total_spent',
    signed: 7n,
    counted: 0n,
  },
  {
    when: 'it refuses every payment as if it had never come',
    script: () => asks({ senderBalance: 0n, reason: 'invalid_amount' }),
    code: 'payment_refused',
    signed: 5n,
    counted: 0n,
  },
  {
    when: 'it keeps the payment and refuses the resource',
    script: ({ payment }) =>
      asks(payment && { senderBalance: payment.balance, signature: payment.signature }),
    code: 'receiver_cheats',
    // Our books may have been an old copy: once that is taken on trust.
    signed: 10n,
  },
  {
    when: 'it offers parallel payments, keeps each and refuses the resource',
    script: ({ payment }) =>
      asks({
        features: new Set(['parallel']),
        ...(payment && { senderBalance: payment.balance, signature: payment.signature }),
      }),
    code: 'receiver_cheats',
    // Beside others it can keep one before anything is judged.
    signed: 15n,
  },
  {
    when: 'it calls a good proof invalid',
    script: ({ payment }) => asks(payment && { reason: 'invalid_balance_proof' }),
    code: 'proof_refused',
    signed: 5n,
  },
  {
    when: 'it waits for confirmations for ever',
    script: ({ payment }) => asks(payment && { reason: 'insufficient_confirmations' }),
    options: { confirmTimeout: 60 },
    code: 'channel_unconfirmed',
    signed: 5n,
  },
  {
    when: 'it names another receiver in its refusal',
    script: ({ payment }) => asks(payment && { receiver: stranger }),
    code: 'receiver_changed',
    signed: 5n,
    counted: 0n,
  },
  {
    when: 'it answers 402 and no terms',
    script: () => ({ status: 402, body: 'Pay!' }),
    code: 'terms_unreadable',
  },
  {
    when: 'its price is no number',
    script: () => ({ status: 402, headers: { ...asks().headers, 'RDN-Price': '-1' } }),
    code: 'terms_unreadable',
  },
  {
    when: 'its channel API is on another host',
    script: () => ({ status: 402, headers: { ...asks().headers, 'RDN-Gateway-Path': '//evil' } }),
    code: 'terms_unreadable',
  },
  {
    when: 'its headers are huge',
    script: ({ payment }) =>
      payment ? { status: 200, headers: { 'x-long': 'x'.repeat(100_000) } } : asks(),
    code: 'answer_malformed',
    signed: 5n,
  },
  {
    when: 'its body never ends',
    script: ({ payment }, response) => {
      if (payment === undefined) return asks()
      response.writeHead(200)
      for (let i = 0; i < 5; i++) response.write('x'.repeat(1000))
      return undefined
    },
    options: { mostBody: 4000 },
    code: 'answer_too_large',
    signed: 5n,
  },
  {
    when: 'its body comes too slowly',
    script: ({ payment }, response) => {
      if (payment === undefined) return asks()
      response.writeHead(200)
      response.write('a')
      return undefined
    },
    // The terms come in that time on a busy machine too.
    request: { timeout: 3000 },
    code: 'answer_lost',
    signed: 5n,
  },
  {
    when: 'it takes the payment and hangs up',
    script: ({ payment, request }) => {
      if (payment === undefined) return asks()
      request.socket.destroy()
      return undefined
    },
    code: 'answer_lost',
    signed: 5n,
  },
]

for (const lie of lies) {
  test(`${lie.when}: ${lie.code}`, async (t) => {
    const receiver = await lyingReceiver(t, lie.script)
    const agent = await agentWithChannel(t, { repeats: 0, ...lie.options })
    let error: unknown
    for (let request = 0; error === undefined && request < 3; request++) {
      await agent.get(receiver.url, lie.request).catch((thrown) => {
        error = thrown
      })
    }
    if (!isUraidenError(error)) throw error ?? new Error('nothing was refused')
    t.is(error.code, lie.code, error.message)
    t.regex(error.message, /\.$/)
    t.true(error.hint.length > 20)
    const signed = lie.signed ?? 0n
    t.true(receiver.highest() <= signed, `signed ${receiver.highest()}`)
    t.is(agent.channels()[0]?.balance, lie.counted ?? signed)
  })
}

test('a redirect to another host is an answer like any other: no payment goes there', async (t) => {
  let asked = 0
  const other = createServer((_, response) => {
    asked++
    response.end()
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const receiver = await lyingReceiver(t, ({ payment }) =>
    payment ? { status: 307, headers: { location: `http://127.0.0.1:${port}/` } } : asks(),
  )
  const agent = await agentWithChannel(t)
  const answer = await agent.get(receiver.url)
  t.is(answer.status, 307)
  t.is(asked, 0)
})

test('a host that is not allowed gets nothing, whatever it says', async (t) => {
  const receiver = await lyingReceiver(t, () => asks())
  const agent = await agentWithChannel(t, { hosts: ['192.168.1.104:5000'] })
  await t.throwsAsync(agent.get(receiver.url), { code: 'host_not_allowed' })
  t.is(receiver.highest(), 0n)
  const { host } = new URL(receiver.url)
  const allowed = await agentWithChannel(t, { hosts: [host], budget: { request: 4n } })
  await t.throwsAsync(allowed.get(receiver.url), { code: 'price_over_cap' })
})

test('a price that jumps is refused', async (t) => {
  let price = 5n
  const receiver = await lyingReceiver(t, ({ payment }) =>
    payment && price === 5n ? serves() : asks({ price, senderBalance: payment ? 5n : 0n }),
  )
  const agent = await agentWithChannel(t, { priceJump: 2 })
  t.is((await agent.get(receiver.url)).status, 200)
  price = 11n
  await t.throwsAsync(agent.get(receiver.url), { code: 'price_jump', message: /more than 2 times/ })
})

test('a dry run signs nothing and says the price', async (t) => {
  const receiver = await lyingReceiver(t, () => asks())
  const agent = await agentWithChannel(t, { dryRun: true })
  await t.throwsAsync(agent.get(receiver.url), {
    code: 'dry_run',
    message: 'This would cost 5 TKN.',
  })
  t.is(receiver.highest(), 0n)
})

for (const [cost, charged] of [
  ['0', 0n],
  ['4', 4n],
  ['5', 5n],
  ['6', 5n],
  ['-1', 5n],
  ['free', 5n],
] as const) {
  test(`it charges "${cost}" for a price of 5: ${charged} are counted`, async (t) => {
    const receiver = await lyingReceiver(t, ({ payment }) => {
      const { headers = {} } = serves()
      return payment ? { status: 200, headers: { ...headers, 'RDN-Cost': cost } } : asks()
    })
    const agent = await agentWithChannel(t)
    const { payment } = await agent.get(receiver.url)
    t.is(payment?.cost, charged)
    t.is(agent.channels()[0]?.balance, charged)
  })
}

for (const { when, status, body, code, paysOn } of [
  {
    when: 'its closing agreement is somebody else’s',
    status: 200,
    body: { close_signature: proof(5n) },
    code: 'closing_agreement_invalid',
    paysOn: true,
  },
  {
    when: 'it does not agree to a close',
    status: 400,
    body: { detail: 'not the latest balance' },
    code: 'close_refused',
    paysOn: true,
  },
  // It may have agreed, on disk at least, and then it takes no payment any more.
  {
    when: 'it fails when it is to agree to a close',
    status: 500,
    body: {},
    code: 'close_failed',
    paysOn: false,
  },
] as const) {
  test(`${when}: ${code}, nothing goes to the chain`, async (t) => {
    const receiver = await lyingReceiver(t, ({ payment, request }) => {
      if (request.method !== 'DELETE') return payment ? serves() : asks()
      return { status, body: JSON.stringify(body) }
    })
    const agent = await agentWithChannel(t)
    await agent.get(receiver.url)
    await t.throwsAsync(agent.closeChannel(channel, receiver.url), { code })
    t.like(agent.channels()[0], { state: 'open' })
    const paying = agent.get(receiver.url)
    if (paysOn) t.is((await paying).status, 200)
    else await t.throwsAsync(paying, { code: 'chain_unavailable' })
    t.is(receiver.highest(), paysOn ? 10n : 5n)
  })
}
