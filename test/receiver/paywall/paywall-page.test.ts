// The decisions of the paywall page, without a browser.
import test from 'ava'
import type { ChannelView } from '../../../browser/index.ts'
import { parseAddress, parseSignature } from '../../../protocol/index.ts'
import type { PurchaseFacts } from '../../../receiver/web/pages/paywall/facts.ts'
import { fileName, goodsOf } from '../../../receiver/web/pages/paywall/goods.ts'
import {
  depositNote,
  isOverheard,
  type Screen,
  type Situation,
  screenOf,
  suggestedDeposit,
} from '../../../receiver/web/pages/paywall/screen.ts'
import { givenChannel } from '../../support/channel.ts'

const mb = 1 << 20
const shown: readonly (readonly [string, string, number, boolean, ReturnType<typeof goodsOf>])[] = [
  ['application/json; charset=utf-8', '', 20, true, 'text'],
  ['application/ld+json', '', 20, true, 'text'],
  ['text/plain', '', mb, true, 'text'],
  ['text/plain', '', mb + 1, true, 'download'],
  ['text/csv', 'attachment; filename=a.csv', 20, true, 'download'],
  ['text/html', '', 20, true, 'reload'],
  ['text/html', '', mb, true, 'reload'],
  ['text/html', '', mb + 1, true, 'download'],
  ['text/html', '', 20, false, 'document'],
  ['text/html', '', mb + 1, false, 'download'],
  ['application/pdf', '', 20, false, 'download'],
  ['application/pdf', '', 20, true, 'reload'],
  ['image/png', '', 20, true, 'image'],
  ['Audio/OGG', '', 20, true, 'audio'],
  ['video/mp4', '', 20, true, 'video'],
  ['application/octet-stream', '', 20, true, 'download'],
  ['', '', 20, true, 'download'],
]
for (const [type, disposition, bytes, canReload, goods] of shown) {
  test(`${type || 'no type'} ${disposition} of ${bytes} bytes, ${canReload}: ${goods}`, (t) => {
    t.is(goodsOf({ type, disposition, bytes, canReload }), goods)
  })
}

test('a file is saved under the server’s name for it, never under a path', (t) => {
  t.is(fileName('attachment; filename="a b.csv"', '/x'), 'a b.csv')
  t.is(fileName('attachment; filename="../../etc/passwd"', '/x'), '.._.._etc_passwd')
  t.is(fileName('', '/archive/2024.zip'), '2024.zip')
  t.is(fileName('', '/%E0%A4%A'), '_E0_A4_A')
  t.is(fileName('', '/'), 'download')
})

const someone = parseAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3')
const facts: PurchaseFacts = {
  price: 5n,
  token: { symbol: 'TKN', decimals: 0 },
  receiver: someone,
  contract: someone,
  chainId: 1n,
  api: '/api/1',
  code: 'payment_required',
  idempotency: true,
  relay: false,
}
const chainFacts = { deposit: 20n, settleBlock: 0, closingBalance: 0n, withdrawn: 0n }
const channel: ChannelView = {
  sender: someone,
  receiver: someone,
  openBlock: 7,
  balance: 5n,
  recovered: false,
  facts: chainFacts,
}
const situation: Situation = {
  tokens: 100n,
  lacksEther: false,
  block: 100,
  challengePeriod: 500,
  blockTime: undefined,
  channel,
  opening: false,
  canBuyTokens: false,
}
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const pending = { balance: 20n, price: 5n, signature, key: '' }

const steps: readonly (readonly [string, Partial<Situation>, Partial<Screen>])[] = [
  ['no channel', { channel: undefined }, { step: 'open', canClose: false }],
  ['an opening under way', { channel: undefined, opening: true }, { step: 'opening' }],
  [
    'enough left',
    {},
    { step: 'pay', share: 0.75, channel: '15 TKN of 20 TKN left: 3 more purchases.' },
  ],
  [
    'just enough left',
    { channel: { ...channel, balance: 15n } },
    { step: 'pay', channel: '5 TKN of 20 TKN left: one more purchase.' },
  ],
  ['one unit short', { channel: { ...channel, balance: 16n } }, { step: 'top-up' }],
  [
    'a payment on its way takes no more',
    { channel: { ...channel, balance: 15n, pending } },
    { step: 'pay' },
  ],
  [
    'a pending payment of another price',
    { channel: { ...channel, balance: 15n, pending: { ...pending, price: 4n } } },
    { step: 'top-up' },
  ],
  [
    'a close was asked for',
    { channel: { ...channel, closing: true } },
    { step: 'closing', canClose: true },
  ],
  ['never paid', { channel: { ...channel, balance: 0n } }, { neverPaid: true, canClose: true }],
  [
    'found on the chain',
    { channel: { ...channel, balance: 0n, recovered: true } },
    { neverPaid: false, step: 'pay' },
  ],
  ['closed', { channel: { ...channel, facts: undefined } }, { step: 'closed', canClose: false }],
  [
    'closing',
    { channel: { ...channel, facts: { ...chainFacts, settleBlock: 101 } } },
    {
      step: 'closing',
      channel: 'Your channel is being closed: it can be settled after block 101.',
    },
  ],
  [
    'closing, on a chain whose blocks are known to take 12 s',
    { blockTime: 12, channel: { ...channel, facts: { ...chainFacts, settleBlock: 599 } } },
    {
      channel:
        'Your channel is being closed: it can be settled after block 599, about 1.7 hours from now.',
    },
  ],
  [
    'the last block of the period',
    { channel: { ...channel, facts: { ...chainFacts, settleBlock: 100 } } },
    { step: 'closing' },
  ],
  [
    'the block after it',
    { channel: { ...channel, facts: { ...chainFacts, settleBlock: 99 } } },
    { step: 'settle' },
  ],
]
for (const [name, change, expected] of steps) {
  test(`what is offered: ${name}`, (t) => {
    t.like(screenOf(facts, { ...situation, ...change }), expected)
  })
}

test('what a deposit takes depends on the account’s ether and on the server', (t) => {
  const poor = { ...situation, lacksEther: true }
  t.regex(depositNote(facts, situation), /^One transaction/)
  t.regex(depositNote({ ...facts, relay: true }, situation), /^One transaction/)
  t.regex(depositNote({ ...facts, relay: true }, poor), /the server sends it: you sign twice/)
  t.regex(depositNote(facts, poor), /send some ether/)
})

test('a page says that others may change it, where they may', (t) => {
  const from = (protocol: string, hostname: string) => isOverheard({ protocol, hostname })
  t.true(from('http:', 'shop.local'))
  t.true(from('http:', '192.168.1.20'))
  t.true(from('http:', '127.0.0.1.example'))
  t.false(from('https:', 'shop.local'))
  for (const own of ['127.0.0.1', 'localhost', '[::1]']) t.false(from('http:', own))
})

test('ten purchases are suggested as a deposit, or what the account can pay', (t) => {
  t.is(suggestedDeposit(facts, 50n), 50n)
  t.is(suggestedDeposit(facts, 49n), 45n)
  t.is(suggestedDeposit(facts, 4n), 5n)
})

test('a browser repeats a paid request by cookie, and it costs nothing', async (t) => {
  let served = 0
  const price = 5n
  const resources = [{ path: '/reading', price, handler: () => ({ reading: ++served }) }]
  const { pay, base, channel: own, sign, receiver } = await givenChannel(t, { resources })
  const bought = await pay(price, { 'idempotency-key': 'k' })
  const cookies = {
    'RDN-Sender-Address': own.sender,
    'RDN-Open-Block': `${own.openBlock}`,
    'RDN-Sender-Balance': `${price}`,
    'RDN-Balance-Signature': sign(price),
  }
  const reload = (more: object) => {
    const cookie = Object.entries({ ...cookies, ...more }).map(
      ([name, value]) => `${name}=${value}`,
    )
    return fetch(`${base}/reading`, { headers: { cookie: cookie.join('; '), accept: 'text/html' } })
  }
  const again = await reload({ 'RDN-Idempotency-Key': 'k' })
  t.deepEqual([again.status, await again.json()], [200, await bought.json()])
  t.deepEqual([served, receiver.book.unsettled()], [1, price])
  t.is((await reload({ 'RDN-Idempotency-Key': 'other' })).status, 402)
  t.is((await reload({})).status, 402)
})
