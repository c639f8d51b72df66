// The paywall's decisions that need no chain: prices, bodies, outages, replies.
import test from 'ava'
import { addressOfKey, fromHex, refusal, type Signature } from '../../../protocol/index.ts'
import type { ReplyDisk, SeenContent } from '../../../receiver/channels/store.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { collectBody } from '../../../receiver/http/kept-reply.ts'
import { wantedBody } from '../../../receiver/paywall/accept.ts'
import { type ChainHealth, decideOutage } from '../../../receiver/paywall/outage.ts'
import { plainPage, readPaywallPage } from '../../../receiver/paywall/page.ts'
import { createPricer } from '../../../receiver/paywall/price.ts'
import {
  createReplyRoom,
  isAnswerTo,
  openReplies,
  type Replies,
  replyId,
} from '../../../receiver/paywall/replies.ts'
import { temporaryFolder } from '../../support/folder.ts'

const token = { symbol: 'TKN', decimals: 3 }

test('a price is one amount, a function, or a table whose first match counts', async (t) => {
  const table = createPricer<{ fee: bigint }>(
    {
      'GET /echodyn/:n': (_, { n = '' }) => BigInt(n),
      'POST /echodyn/:n': '0.002 TKN',
      '/files/free.txt': 0n,
      '/files/*': 7n,
      '/fee': ({ fee }) => fee,
      '*': 1n,
    },
    token,
  )
  if (typeof table !== 'function') return t.fail()
  const cases: readonly (readonly [string, string, bigint])[] = [
    ['GET', '/echodyn/5', 5n],
    ['GET', '/echodyn/5/', 5n],
    ['GET', '/echodyn/5?x=/files/free.txt', 5n],
    ['POST', '/echodyn/5', 2n],
    ['PUT', '/echodyn/5', 1n],
    ['GET', '/echodyn', 1n],
    ['GET', '/files', 7n],
    ['GET', '/files/a/b', 7n],
    ['GET', '/files/free.txt', 0n],
    ['GET', '/fee', 9n],
    ['GET', '/', 1n],
    // None of these gets round the price of /files/*.
    ['GET', '/FILES/a', 7n],
    ['GET', '//files//a', 7n],
    ['GET', '/%66iles/a', 7n],
    ['GET', '/files/free.txt/../a', 7n],
    ['GET', '/x/%2e%2e/files/a', 7n],
    ['GET', '/files/%zz', 7n],
  ]
  for (const [method, url, expected] of cases) {
    t.is(await table({ method, url }, { fee: 9n }), expected, `${method} ${url}`)
  }
  t.is(createPricer('0.005 TKN', token), 5n)
})

test('a price table that leaves requests without a price, or cannot be read, stops the start', (t) => {
  t.throws(() => createPricer({ '/a': 1n }, token), { code: 'price_missing' })
  t.throws(() => createPricer({ a: 1n, '*': 1n }, token), { code: 'bad_price_pattern' })
  t.throws(() => createPricer('5 EUR', token), { code: 'wrong_token' })
})

test('a browser gets a page, a program that names JSON gets JSON, a person at a terminal a line', (t) => {
  const cases = {
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8': 'html',
    'text/html;q=0.5, application/json': 'json',
    'application/problem+json': 'json',
    'application/json, text/html': 'json',
    '*/*': 'text',
    '*/*, text/html;q=0.9': 'text',
    'text/html;q=0': 'none',
    'text/plain': 'text',
    'text/*;q=0.1, image/png': 'text',
    'image/png': 'none',
    '': 'text',
  }
  for (const [accept, expected] of Object.entries(cases))
    t.true(wantedBody(accept) === expected, accept)
})

test('the page names the price and the terms, and foreign text in it is text', async (t) => {
  const { html: page } = plainPage({
    chainId: 1n,
    refusal: refusal('malformed_payment', 'RDN-Balance: "<script>" is no amount.'),
    sold: { title: 'Rain & <b>wind</b>' },
    seller: 'Ann',
    price: 5n,
    token,
    headers: { 'RDN-Price': '5', 'content-type': 'text/html' },
  })
  t.true(page.includes('0.005 TKN'))
  t.true(page.includes('RDN-Price'))
  t.true(page.includes('<p>Rain &amp; &lt;b&gt;wind&lt;/b&gt;<br>Sold by Ann.</p>'))
  t.false(page.includes('<script>'))
  t.false(page.includes('content-type'))
  await t.throwsAsync(readPaywallPage('/nowhere'), { code: 'paywall_page_missing' })
})

const healthy: ChainHealth = {
  nodeAnswers: true,
  age: 0,
  ether: 10n ** 8n,
  due: 0n,
  payment: undefined,
}
const raise = (before: bigint, after: bigint) => ({ payment: { before, after } })
const limits = { longest: 1000, mostPerChannel: 50n, mostInAll: 100n }
const away = { nodeAnswers: false }

for (const [given, change, expected] of [
  ['all is well', {}, undefined],
  ['large balances while the node answers', { ...raise(0n, 51n), due: 1000n }, undefined],
  ['the node is away for as long as allowed', { ...away, age: 1000 }, undefined],
  ['the node is away for longer', { ...away, age: 1001 }, 'chain_unavailable'],
  ['the chain was never read', { age: Number.POSITIVE_INFINITY }, 'chain_unavailable'],
  ['the node is away, the channel at its limit', { ...away, ...raise(45n, 50n) }, undefined],
  ['… over its limit', { ...away, ...raise(45n, 51n) }, 'chain_unavailable'],
  ['… all at the limit with it', { ...away, due: 95n, ...raise(5n, 10n) }, undefined],
  ['… all over the limit with it', { ...away, due: 95n, ...raise(5n, 11n) }, 'chain_unavailable'],
  ['… a replay, all at the limit', { ...away, due: 100n, ...raise(9n, 9n) }, undefined],
  ['… only asked, room is left', { ...away, due: 99n }, undefined],
  ['… only asked, no room is left', { ...away, due: 100n }, 'chain_unavailable'],
  ['just enough ether', { ether: 10n ** 8n }, undefined],
  ['too little ether', { ether: 10n ** 8n - 1n }, 'receiver_lacks_ether'],
  ['ether not looked at yet', { ether: undefined }, undefined],
] as const) {
  test(`outage: ${given}: ${expected ?? 'payments are taken'}`, (t) => {
    t.is(decideOutage(limits, { ...healthy, ...change }), expected)
  })
}

const noDisk: ReplyDisk = {
  load: async () => new Map(),
  save: async () => undefined,
  remove: async () => undefined,
  unanswered: async () => new Map(),
  answered: async () => undefined,
}
const small = { lifetime: 1000, mostBytes: 5000, largestBody: 3000, largestOnDisk: 100 }
const reply = (size: number) => ({
  status: 200,
  headers: { a: 'b' },
  content: 'none' as const,
  body: Buffer.alloc(size, 'x'),
})

async function answer(
  replies: Replies,
  id: string,
  size: number,
  content: SeenContent | 'none' = 'none',
): Promise<void> {
  const turn = await replies.take(id)
  if (turn.kind === 'ours') await turn.finish({ ...reply(size), content })
}

async function isKept(replies: Replies, id: string): Promise<boolean> {
  const turn = await replies.take(id)
  if (turn.kind === 'ours') await turn.finish()
  return turn.kind === 'kept'
}

test('replies are bounded in time, in size, and in all; the oldest goes first', async (t) => {
  let now = 0
  const replies = await openReplies(noDisk, small, () => now)
  await answer(replies, 'at-limit', 3000)
  await answer(replies, 'too-large', 3001)
  t.true(await isKept(replies, 'at-limit'))
  t.false(await isKept(replies, 'too-large'))
  now = 10
  await answer(replies, 'next', 0)
  t.false(await isKept(replies, 'at-limit'))
  now = 1009
  t.true(await isKept(replies, 'next'))
  now = 1010
  t.false(await isKept(replies, 'next'))
})

test('bodies that are collected have room together, and give it back', (t) => {
  const room = createReplyRoom({ largestBody: 3000, mostBytes: 5000 })
  const first = collectBody(room)
  first.add(Buffer.alloc(3000))
  const tooLong = collectBody(room)
  tooLong.add(Buffer.alloc(1500))
  tooLong.add(Buffer.alloc(1501))
  t.is(tooLong.all(), undefined)
  const last = collectBody(room)
  last.add(Buffer.alloc(2000))
  const none = collectBody(room)
  none.add(Buffer.alloc(1))
  t.is(none.all(), undefined)
  t.deepEqual([first.all()?.length, last.all()?.length], [3000, 2000])
  // Once only, however often it is asked.
  t.is(first.all(), undefined)
  t.true(room.take(5000))
  t.false(room.take(1))
})

test('empty replies take room too, so their number is bounded', async (t) => {
  const replies = await openReplies(noDisk, small, () => 0)
  for (let i = 0; i < 10; i++) await answer(replies, `${i}`, 0)
  const kept = await Promise.all(Array.from({ length: 10 }, (_, i) => isKept(replies, `${i}`)))
  t.is(kept.filter(Boolean).length, 4)
  t.true(kept[9])
})

test('a reply that goes costs a write only when it is on the disk', async (t) => {
  const removed: string[] = []
  const disk: ReplyDisk = {
    ...noDisk,
    load: async () => new Map([['of before', { ...reply(10), expires: 999 }]]),
    remove: async (ids) => void removed.push(...ids),
  }
  const replies = await openReplies(disk, small, () => 0)
  const keep = async (id: string, keeping: 'disk' | 'memory', size = 10) => {
    const turn = await replies.take(id, keeping)
    if (turn.kind === 'ours') await turn.finish(reply(size))
  }
  for (let index = 0; index < 20; index++) await keep(`in memory ${index}`, 'memory')
  t.deepEqual(removed, ['of before'])
  await keep('on disk', 'disk')
  await keep('too long for it', 'disk', 101)
  for (let index = 20; index < 40; index++) await keep(`in memory ${index}`, 'memory')
  t.deepEqual(removed, ['of before', 'on disk'])
})

test('small replies survive a restart, until their time is over; large ones do not', async (t) => {
  const account = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
  const owner = { chainId: 1n, contract: account, account }
  const folder = await temporaryFolder(t)
  const before = await openStore(folder, owner)
  const first = await openReplies(before.replies, small, () => 0)
  await answer(first, 'small', 100)
  await answer(first, 'large', 101)
  await before.close()

  const after = await openStore(folder, owner)
  const second = await openReplies(after.replies, small, () => 999)
  const turn = await second.take('small')
  t.like(turn, { kind: 'kept', reply: reply(100) })
  t.false(await isKept(second, 'large'))
  const third = await openReplies(after.replies, small, () => 1000)
  t.false(await isKept(third, 'small'))
  t.is((await after.replies.load()).size, 0)
  await after.close()
})

test('after a restart, too, a reply answers the content that it answered, and no other', async (t) => {
  const account = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
  const folder = await temporaryFolder(t)
  const open = () => openStore(folder, { chainId: 1n, contract: account, account })
  const before = await open()
  const seen = { bytes: 3, digest: 'abc', whole: true }
  const first = await openReplies(before.replies, small, () => 0)
  await answer(first, 'with', 1, seen)
  await answer(first, 'without', 1)
  // As a version wrote it that did not look at content.
  await before.replies.save('old', { status: 200, headers: {}, body: Buffer.of(1), expires: 999 })
  await before.close()

  const after = await open()
  t.teardown(() => after.close())
  const replies = await openReplies(after.replies, small, () => 1)
  const isAnswered = async (id: string, given?: SeenContent) => {
    const turn = await replies.take(id)
    if (turn.kind !== 'kept') return t.fail()
    const content = given && {
      seen: () => given,
      isLike: async (kept: SeenContent) => kept.digest === given.digest,
    }
    return isAnswerTo(turn.reply, content)
  }
  t.true(await isAnswered('with', seen))
  t.false(await isAnswered('with', { ...seen, digest: 'abd' }))
  t.false(await isAnswered('with'))
  t.true(await isAnswered('without'))
  t.false(await isAnswered('without', seen))
  t.true(await isAnswered('old'))
  t.true(await isAnswered('old', seen))
})

test('who asks while the same request is answered waits for that answer, or for its failure', async (t) => {
  const replies = await openReplies(noDisk, small, () => 0)
  const first = await replies.take('a')
  const second = replies.take('a')
  if (first.kind !== 'ours') return t.fail()
  await first.finish(reply(1))
  t.is((await second).kind, 'kept')

  const failing = await replies.take('b')
  const waiting = replies.take('b')
  if (failing.kind !== 'ours') return t.fail()
  await failing.finish()
  t.is((await waiting).kind, 'ours')
})

test('another proof, key, path or method is another reply', (t) => {
  const source = { header: () => undefined, cookie: () => undefined }
  const request = { ...source, method: 'GET', url: '/a' }
  const sender = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
  const payment = { sender, openBlock: 1, balance: 5n, signature: '0x01' as Signature }
  const ids = [
    replyId(request, payment, 'k'),
    replyId({ ...request, method: 'POST' }, payment, 'k'),
    replyId({ ...request, url: '/b' }, payment, 'k'),
    replyId(request, payment, 'l'),
    replyId(request, { ...payment, balance: 6n }, 'k'),
    replyId(request, { ...payment, openBlock: 2 }, 'k'),
    replyId(request, { ...payment, signature: '0x02' as Signature }, 'k'),
  ]
  t.is(new Set(ids).size, ids.length)
  t.true(ids[0] === replyId(request, payment, 'k'))
})
