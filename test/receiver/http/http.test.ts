// What the receiver answers over HTTP, as wire-protocol.md sections 2, 3 and 5 have it.
import { Point } from '@noble/secp256k1'
import test, { type ExecutionContext } from 'ava'
import {
  closingAgreementDigest,
  type Hex,
  parseSignature,
  recoverSigner,
} from '../../../protocol/index.ts'
import { readChain } from '../../support/chain-read.ts'
import { deposit, givenChannel } from '../../support/channel.ts'
import { price } from '../../support/system.ts'

const given = (t: ExecutionContext, confirmations = 1) =>
  givenChannel(t, { receiver: { confirmations } })

test('an unpaid request gets 402 with all terms, and a line of text unless JSON is asked for', async (t) => {
  const { base, contract, receiver } = await given(t)
  const answer = await fetch(`${base}/reading`)
  t.is(answer.status, 402)
  const expected = {
    'rdn-gateway-path': '/api/1',
    'rdn-receiver-address': receiver.address,
    'rdn-contract-address': contract,
    'rdn-token-address': receiver.token.address,
    'rdn-price': `${price}`,
    'rdn-features': 'parallel, idempotency, eip712',
  }
  for (const [name, value] of Object.entries(expected)) t.is(answer.headers.get(name), value)
  t.is(answer.headers.get('rdn-sender-address'), null)
  t.is(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
  t.regex(await answer.text(), /^Payment required: 0\.0{17}5 TKN\. Pay with an agent: [^\n]*\n$/)
  const image = await fetch(`${base}/reading`, { headers: { accept: 'image/png' } })
  t.is(image.headers.get('content-type'), 'application/json')
  t.is(await image.text(), '')

  const asked = await fetch(`${base}/reading`, { headers: { accept: 'application/problem+json' } })
  t.like(await asked.json(), { status: 402, code: 'payment_required' })
  t.regex(asked.headers.get('content-type') ?? '', /^application\/problem\+json/)
})

test('a browser gets a page with 402, and each term as a cookie too', async (t) => {
  const { base, pay } = await given(t)
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  const answer = await fetch(`${base}/reading`, { headers: { accept } })
  t.is(answer.status, 402)
  t.regex(answer.headers.get('content-type') ?? '', /^text\/html/)
  const cookies = new Map(
    answer.headers.getSetCookie().map((text) => text.split(';')[0]?.split('=') as [string, string]),
  )
  for (const [name, value] of cookies) t.is(answer.headers.get(name), value)
  t.is(cookies.get('RDN-Price'), `${price}`)
  t.true((await answer.text()).includes('Payment required'))
  // With the page only: as cookies of a paid answer they would speak for the next request.
  t.deepEqual((await pay(5n)).headers.getSetCookie(), [])
  t.deepEqual((await pay(10n, { accept })).headers.getSetCookie(), [])
})

test('a paid request is served, in both forms of the signature, under both names of the balance', async (t) => {
  const { channel, sign, headers, pay, base } = await given(t)
  const first = await pay(5n)
  t.is(first.status, 200)
  t.deepEqual(await first.json(), { celsius: 21.4 })
  t.is(first.headers.get('rdn-sender-address'), channel.sender)
  t.is(first.headers.get('rdn-sender-balance'), '5')
  t.is((await pay(10n, { 'RDN-Balance-Signature': sign(10n, undefined, 'seed') })).status, 200)
  const { 'RDN-Balance': _, ...withoutName } = headers(15n)
  const bare = Object.fromEntries(
    Object.entries(headers(20n)).map(([name, value]) => [name, value.replace(/^0x/, '')]),
  )
  const documented = { ...withoutName, 'RDN-Sender-Balance': '15' }
  t.is((await fetch(`${base}/reading`, { headers: documented })).status, 200)
  // Addresses and signatures without 0x, as servers of the original take them.
  t.is((await fetch(`${base}/reading`, { headers: bare })).status, 200)
})

interface Refused {
  readonly when: string
  readonly balance: bigint
  readonly more?: Record<string, string>
  readonly status: number
  readonly header?: string
  readonly code: string
}

const strangersKey: Hex = `0x${'77'.repeat(32)}`

const refusals: readonly Refused[] = [
  { when: 'a replay', balance: 10n, status: 402, code: 'balance_spent' },
  {
    when: 'a lower balance',
    balance: 9n,
    status: 402,
    header: 'rdn-invalid-amount',
    code: 'invalid_amount',
  },
  {
    when: 'a lower balance that says what it pays',
    balance: 9n,
    more: { 'RDN-Payment': '5' },
    status: 402,
    code: 'balance_spent',
  },
  {
    when: 'one unit too little',
    balance: 14n,
    status: 402,
    header: 'rdn-invalid-amount',
    code: 'invalid_amount',
  },
  {
    when: 'one unit too much',
    balance: 16n,
    status: 402,
    header: 'rdn-invalid-amount',
    code: 'invalid_amount',
  },
  {
    when: 'a stated payment that is not the price',
    balance: 15n,
    more: { 'RDN-Payment': '4' },
    status: 402,
    header: 'rdn-invalid-amount',
    code: 'invalid_amount',
  },
  {
    when: 'a balance over the deposit',
    balance: deposit + 1n,
    status: 402,
    header: 'rdn-invalid-balance-proof',
    code: 'balance_over_deposit',
  },
  {
    when: 'another channel',
    balance: 15n,
    more: { 'RDN-Open-Block': '1' },
    status: 402,
    header: 'rdn-nonexisting-channel',
    code: 'nonexisting_channel',
  },
  {
    when: 'another contract',
    balance: 15n,
    more: { 'RDN-Contract-Address': `0x${'12'.repeat(20)}` },
    status: 402,
    code: 'wrong_contract',
  },
  {
    when: 'a malformed balance',
    balance: 15n,
    more: { 'RDN-Balance': '-5' },
    status: 409,
    code: 'malformed_payment',
  },
  {
    when: 'balances that contradict each other',
    balance: 15n,
    more: { 'RDN-Sender-Balance': '14' },
    status: 409,
    code: 'malformed_payment',
  },
  {
    when: 'a signature of 64 bytes',
    balance: 15n,
    more: { 'RDN-Balance-Signature': `0x${'11'.repeat(64)}` },
    status: 409,
    code: 'malformed_payment',
  },
  {
    when: 'a spent balance beside a cookie with a higher one',
    balance: 10n,
    more: { cookie: 'theme=dark; RDN-Sender-Balance=15' },
    status: 402,
    code: 'balance_spent',
  },
]

test('a payment that is not good is refused with its own answer, and changes nothing', async (t) => {
  const { pay, sign, channel, api } = await given(t)
  await pay(5n)
  await pay(10n)
  for (const { when, balance, more, status, header, code } of refusals) {
    const answer = await pay(balance, { accept: 'application/json', ...more })
    t.is(answer.status, status, when)
    t.like(await answer.json(), { status, code }, when)
    const reasons = [...answer.headers.keys()].filter((name) =>
      /^rdn-(?:nonexisting|insufficient|invalid)/.test(name),
    )
    t.deepEqual(reasons, header ? [header] : [], when)
  }
  const forged = await pay(15n, { 'RDN-Balance-Signature': sign(15n, strangersKey) })
  t.is(forged.headers.get('rdn-invalid-balance-proof'), '1')
  // Who only knows the channel is not told where it stands, whatever the balance is that it names.
  for (const balance of [5n, 15n, 1000n]) {
    const rubbish = await pay(balance, { 'RDN-Balance-Signature': sign(balance, strangersKey) })
    t.is(rubbish.headers.get('rdn-sender-balance'), null)
    t.is(rubbish.headers.get('rdn-balance-signature'), null)
  }
  const own = await pay(1000n)
  t.is(own.headers.get('rdn-sender-balance'), '10')
  t.true(own.headers.get('rdn-balance-signature') === sign(10n))

  const shown = await api(`/channels/${channel.sender}/${channel.openBlock}`)
  t.like(await shown.json(), { balance: '10' })
  t.is((await pay(15n)).status, 200)
})

test('the other signature that anybody can compute from a good one is an invalid proof', async (t) => {
  const { pay, sign } = await given(t)
  const good = sign(5n)
  const s = (Point.CURVE().n - BigInt(`0x${good.slice(66, 130)}`)).toString(16).padStart(64, '0')
  const v = good.endsWith('1b') ? '1c' : '1b'
  const answer = await pay(5n, { 'RDN-Balance-Signature': `${good.slice(0, 66)}${s}${v}` })
  t.is(answer.status, 402)
  t.is(answer.headers.get('rdn-invalid-balance-proof'), '1')
})

test('of many requests at once with the same proof exactly one is served', async (t) => {
  const { pay } = await given(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => pay(5n)))
  t.is(answers.filter(({ status }) => status === 200).length, 1)
  t.is(answers.filter(({ status }) => status === 402).length, 19)
})

test('parallel requests may overtake each other when they say what they pay', async (t) => {
  const { pay } = await given(t)
  const stated = { 'RDN-Payment': `${price}` }
  t.is((await pay(15n)).status, 402)
  t.is((await pay(15n, stated)).status, 200)
  t.is((await pay(5n, stated)).status, 200)
  t.is((await pay(10n, stated)).status, 200)
  t.is((await pay(10n, stated)).status, 402)
})

test('a channel that is not confirmed yet says so, and pays when it is', async (t) => {
  const { pay, chain, receiver } = await given(t, 3)
  const early = await pay(5n)
  t.is(early.status, 402)
  t.is(early.headers.get('rdn-insufficient-confirmations'), '1')
  t.is(early.headers.get('retry-after'), '1')
  await chain.mine(1)
  await readChain(receiver)
  t.is((await pay(5n)).status, 402)
  await chain.mine(1)
  await readChain(receiver)
  t.is((await pay(5n)).status, 200)
})

test('channels and statistics are shown as documented', async (t) => {
  const { api, base, pay, channel, contract, receiver, token } = await given(t)
  await pay(5n)
  const shown = {
    sender_address: channel.sender,
    open_block: `${channel.openBlock}`,
    balance: '5',
    deposit: '100',
    state: 'open',
  }
  t.deepEqual(await (await api('/channels')).json(), [shown])
  t.deepEqual(await (await api('/channels/')).json(), [shown])
  t.deepEqual(await (await api(`/channels/${channel.sender.toLowerCase()}`)).json(), [shown])
  t.deepEqual(await (await api(`/channels/${channel.sender}/${channel.openBlock}`)).json(), shown)
  t.deepEqual(await (await api('/channels?status=closed')).json(), [])
  // As the original has it.
  t.deepEqual(await (await api('/channels?status=opened')).json(), [shown])
  const unprefixed = channel.sender.slice(2)
  t.deepEqual(await (await api(`/channels/${unprefixed}`)).json(), [shown])
  t.deepEqual(await (await api(`/channels/${unprefixed}/${channel.openBlock}`)).json(), shown)
  for (const wrong of ['limit=0', 'limit=1001', 'limit=x', 'cursor=x', 'limit=5&limit=6']) {
    t.is((await api(`/channels?${wrong}`)).status, 400, wrong)
  }
  t.is((await api(`/channels/${channel.sender}/1`)).status, 404)
  t.is((await api('/channels/nobody')).status, 400)
  t.is((await api('/channels?status=half')).status, 400)
  t.like(await (await api('/stats')).json(), {
    deposit_sum: '100',
    open_channels: 1,
    pending_channels: 0,
    balance_sum: '5',
    unique_senders: 1,
    liquid_balance: '0',
    token_address: token,
    contract_address: contract,
    receiver_address: receiver.address,
    // Where a page of the original begins to look for its channel.
    sync_block: 0,
  })
  t.is(await (await fetch(`${base}/cm`)).text(), 'OK')
})

test('the receiver agrees to close at the latest balance only, and takes no payment after', async (t) => {
  const { api, pay, channel, domain, receiver } = await given(t)
  const path = `/channels/${channel.sender}/${channel.openBlock}`
  const close = (balance: unknown, init: RequestInit = {}) =>
    api(path, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ balance }),
      ...init,
    })
  t.like(await (await close('0')).json(), { code: 'never_paid' })
  await pay(5n)
  for (const [balance, code] of [
    ['4', 'not_latest_balance'],
    [6, 'not_latest_balance'],
    [-5, 'not_an_integer'],
    [5.5, 'balance_missing'],
    [undefined, 'balance_missing'],
  ] as const) {
    const answer = await close(balance)
    t.is(answer.status, 400)
    t.like(await answer.json(), { code })
  }
  t.is((await pay(10n)).status, 200)

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const answers = [
    await close('10'),
    await close(10),
    await close('', { headers: form, body: 'balance=10' }),
    await api(`${path}?balance=10`, { method: 'DELETE' }),
  ]
  const digest = closingAgreementDigest('eip712', domain, channel.sender)(channel.openBlock, 10n)
  for (const answer of answers) {
    t.is(answer.status, 200)
    const { close_signature: text } = (await answer.json()) as { close_signature: string }
    t.is(recoverSigner(digest, parseSignature(text)), receiver.address)
  }
  const late = await pay(15n)
  t.is(late.status, 402)
  t.is(late.headers.get('rdn-nonexisting-channel'), '1')
})

test('a requested close ends payments; a top-up raises what can be paid', async (t) => {
  const { pay, transactions, client, token, channel, receiver, api } = await given(t)
  t.is((await pay(deposit + 5n, { 'RDN-Payment': `${price}` })).status, 402)
  await transactions.send(client.calls.topUpErc223(token, channel, 10n))
  await readChain(receiver)
  t.is((await pay(deposit + 5n, { 'RDN-Payment': `${price}` })).status, 200)
  await transactions.send(client.calls.uncooperativeClose(channel, deposit + 5n))
  await readChain(receiver)
  const late = await pay(deposit + 10n)
  t.is(late.headers.get('rdn-nonexisting-channel'), '1')
  t.like(await (await api('/stats')).json(), { open_channels: 0, pending_channels: 1 })
})
