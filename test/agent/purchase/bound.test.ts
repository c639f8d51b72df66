// Bound purchases: an honest receiver is paid as always, and whoever stands between buys nothing and changes
// nothing unnoticed.
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { openLedger } from '../../../agent/channels/ledger.ts'
import type { SentPayment } from '../../../agent/index.ts'
import type { UraidenError } from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import {
  type Asked,
  between,
  boundReceiver,
  field,
  forward,
  type Meddling,
  type Said,
  withFields,
} from '../../support/bound-receiver.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { noon } from '../../support/ledger.ts'
import {
  agentOn,
  agentWithChannel,
  chainId,
  channel,
  contract,
  receiverKey,
  sender,
  senderKey,
  terms,
  token,
} from '../../support/lying-receiver.ts'

const required = { bound: 'require' } as const

test('a bound purchase is authentic, and its channel is bound before the first payment', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, required)
  for (const number of [1, 2, 3]) {
    const answer = await agent.get(url)
    t.is(answer.text(), `/data ${number}`)
    t.true(answer.payment?.authentic)
  }
  t.deepEqual(
    books.asked.map(({ method, path }) => `${method} ${path.replace(/0x[0-9a-fA-F]+/, 'S')}`),
    [
      'GET /data',
      'GET /api/1/request-key',
      'PUT /api/1/channels/S/7/request-key',
      'GET /data',
      'GET /data',
      'GET /data',
    ],
  )
  t.is(books.highest, 15n)
})

interface Attack {
  readonly name: string
  readonly meddling: (isPayment: (asked: Asked) => boolean) => Meddling
  /** The code of the agent's error; undefined where the honest answer still comes. */
  readonly code: string | undefined
  /** The text that the agent hands out, where that is not `/data 1`. */
  readonly text?: string
  /** How many resources the receiver serves. Default: the one that was asked for. */
  readonly served?: number
}

const evil: Said = {
  status: 200,
  fields: [['Content-Type', 'text/plain']],
  body: Buffer.from('of the man in the middle'),
}

const unsigned = { Signature: undefined, 'Signature-Input': undefined }

/** Of payments: the answer that `change` makes of the receiver's. */
function answering(change: (said: Said, asked: Asked) => Said | undefined) {
  return (isPayment: (asked: Asked) => boolean): Meddling => ({
    answer: (said, asked) => (isPayment(asked) ? change(said, asked) : said),
  })
}

/** Of payments: what `change` makes of the agent's request. */
function asking(change: (asked: Asked) => Asked | Said) {
  return (isPayment: (asked: Asked) => boolean): Meddling => ({
    request: (asked) => (isPayment(asked) ? change(asked) : asked),
  })
}

const refusal = (fields: { readonly [name: string]: string }): Said =>
  withFields({ status: 402, fields: [], body: Buffer.of() }, fields)

const attacks: readonly Attack[] = [
  {
    name: 'the request’s signature is taken off and the proof kept',
    meddling: asking((asked) => withFields(asked, unsigned)),
    code: 'answer_lost',
    served: 0,
  },
  {
    name: 'a 402 is forged: another price',
    meddling: asking(() => refusal({ 'RDN-Price': '500', 'RDN-Invalid-Amount': '1' })),
    code: 'answer_lost',
    served: 0,
  },
  {
    name: 'a 402 is forged: the channel is gone',
    meddling: asking(() => refusal({ 'RDN-Price': '5', 'RDN-Nonexisting-Channel': '1' })),
    code: 'answer_lost',
    served: 0,
  },
  {
    name: 'a 402 is forged: another balance',
    meddling: asking(() => refusal({ 'RDN-Price': '5', 'RDN-Sender-Balance': '0' })),
    code: 'answer_lost',
    served: 0,
  },
  {
    name: 'the price of a request is changed',
    meddling: asking((asked) => withFields(asked, { 'RDN-Payment': '1' })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'another resource is asked for with the payment',
    meddling: asking((asked) => ({ ...asked, path: '/dear' })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'a field that chooses what is served is changed',
    meddling: asking((asked) => withFields(asked, { accept: 'text/html' })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'an RDN field is added',
    meddling: asking((asked) => withFields(asked, { 'RDN-Tick': '7' })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'a body is added to a request without one',
    meddling: asking((asked) => ({
      ...withFields(asked, { 'Content-Length': '4' }),
      body: Buffer.from('more'),
    })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'cookies that pay are added: nothing is read from them',
    meddling: asking((asked) => withFields(asked, { Cookie: 'RDN-Sender-Balance=900' })),
    code: undefined,
  },
  {
    name: 'the answer is another one, unsigned',
    meddling: answering(() => evil),
    code: 'answer_lost',
  },
  {
    name: 'the answer has another body',
    meddling: answering((said) => ({ ...said, body: Buffer.from('/data 2') })),
    code: 'answer_lost',
  },
  {
    name: 'the answer’s body is cut',
    meddling: answering((said) => ({ ...said, body: said.body.subarray(0, 3) })),
    code: 'answer_lost',
  },
  {
    name: 'the answer’s body is lengthened',
    meddling: answering((said) => ({ ...said, body: Buffer.concat([said.body, said.body]) })),
    code: 'answer_lost',
  },
  {
    name: 'the answer has another status',
    meddling: answering((said) => ({ ...said, status: 201 })),
    code: 'answer_lost',
  },
  {
    name: 'the answer costs nothing, it says',
    meddling: answering((said) => withFields(said, { 'RDN-Cost': '0' })),
    code: 'answer_lost',
  },
  {
    name: 'the answer is called another kind of content',
    meddling: answering((said) => withFields(said, { 'Content-Type': 'text/html' })),
    code: 'answer_lost',
  },
  {
    name: 'a second digest is added for another body',
    meddling: answering((said) => ({
      ...said,
      fields: [...said.fields, ['Content-Digest', field(said, 'content-digest')]],
    })),
    code: 'answer_lost',
  },
  {
    name: 'the answer’s signature is the request’s',
    meddling: answering((said, asked) =>
      withFields(said, {
        Signature: field(asked, 'signature'),
        'Signature-Input': field(asked, 'signature-input'),
      }),
    ),
    code: 'answer_lost',
  },
  {
    name: 'the answer’s signature is made of nothing',
    meddling: answering((said) => withFields(said, { Signature: `rdn=:${'A'.repeat(43)}=:` })),
    code: 'answer_lost',
  },
  {
    name: 'a 401 says for ever that the signature does not fit',
    meddling: asking(() => ({
      ...{ status: 401, fields: [] },
      body: Buffer.from('{"code":"request_altered"}'),
    })),
    code: 'traffic_altered',
    served: 0,
  },
  {
    name: 'fields that are not signed are added: they are not handed on',
    meddling: answering((said) =>
      withFields(said, { 'Retry-After': '9', Location: 'http://evil' }),
    ),
    code: undefined,
  },
  {
    name: 'the answer says that it is compressed, and is not',
    meddling: answering((said) => withFields(said, { 'Content-Encoding': 'gzip' })),
    code: 'answer_lost',
  },
  {
    name: 'a gateway compresses: the coding is taken off',
    meddling: answering((said) => ({
      ...withFields(said, { 'Content-Encoding': 'gzip' }),
      body: gzipSync(said.body),
    })),
    code: undefined,
  },
]

for (const { name, meddling, code, text = '/data 1', served = 1 } of attacks) {
  test(`in the middle: ${name}`, async (t) => {
    const { origin, books } = await boundReceiver(t)
    const isPayment = (asked: Asked) => field(asked, 'rdn-balance') !== ''
    const middle = await between(t, origin, meddling(isPayment))
    const agent = await agentWithChannel(t, required)
    if (code === undefined) {
      const answer = await agent.get(middle.url, { headers: { accept: 'text/plain' } })
      t.is(answer.text(), text)
      t.is(answer.answer.headers['retry-after'], undefined)
      t.is(answer.answer.headers['content-encoding'], undefined)
    } else {
      const get = agent.get(middle.url, { headers: { accept: 'text/plain' } })
      await t.throwsAsync(get, { code })
    }
    t.is(books.served.length, served)
    t.deepEqual(
      books.served.filter((each) => each !== 'GET /data'),
      [],
    )
    // One price was signed, however often it was asked for, and all that is seen is that.
    const signed = middle.seen.map(({ asked }) => Number(field(asked, 'rdn-balance') || 0))
    t.is(Math.max(...signed), 5)
    t.is(agent.channels()[0]?.balance, 5n)

    // Who has seen it all and replays it buys nothing more.
    for (const { asked } of middle.seen) {
      await forward(origin, asked)
      await forward(origin, withFields(asked, unsigned))
    }
    t.true(books.served.length <= 1)
    t.true(books.highest <= 5n)
    t.is(books.closedAt, undefined)
  })
}

test('before the binding is confirmed no balance signature leaves', async (t) => {
  const { origin, books } = await boundReceiver(t)
  const isPut = ({ method }: Asked) => method === 'PUT'
  const meddlings: readonly Meddling[] = [
    { answer: (said, asked) => (isPut(asked) ? { ...said, status: 201 } : said) },
    { answer: (said, asked) => (isPut(asked) ? withFields(said, unsigned) : said) },
    { answer: (said, asked) => (isPut(asked) ? evil : said) },
    {
      answer: (said, asked) =>
        isPut(asked) ? withFields(said, { 'RDN-Sender-Balance': '900' }) : said,
    },
    { request: (asked) => (isPut(asked) ? evil : asked) },
    { answer: (said, asked) => (isPut(asked) ? undefined : said) },
  ]
  for (const meddling of meddlings) {
    const middle = await between(t, origin, meddling)
    const agent = await agentWithChannel(t, required)
    await t.throwsAsync(agent.get(middle.url), { code: 'answer_lost' })
    t.true(middle.seen.every(({ asked }) => field(asked, 'rdn-balance-signature') === ''))
    t.is(agent.channels()[0]?.balance, 0n)
  }
  t.deepEqual(books.served, [])
})

test('a request key that is not the receiver’s is not taken', async (t) => {
  const { origin } = await boundReceiver(t)
  const isKey = ({ path }: Asked) => path === '/api/1/request-key'
  const other = await boundReceiver(t)
  const foreign = await forward(other.origin, {
    ...{ method: 'GET', path: '/api/1/request-key', body: Buffer.of() },
    fields: [['Host', 'receiver']],
  })
  const told = JSON.parse(foreign.body.toString())
  for (const change of [{ number: '9' }, { until: '3' }, { signature: `0x${'11'.repeat(64)}1b` }]) {
    const middle = await between(t, origin, {
      answer: (said, asked) =>
        isKey(asked)
          ? { ...said, body: Buffer.from(JSON.stringify({ ...told, ...change })) }
          : said,
    })
    const agent = await agentWithChannel(t, required)
    await t.throwsAsync(agent.get(middle.url), { code: 'receiver_key_untrusted' })
    t.true(middle.seen.every(({ asked }) => field(asked, 'rdn-balance-signature') === ''))
  }
})

test('a newer key of the receiver is taken, an older one never again', async (t) => {
  const { origin, books } = await boundReceiver(t)
  const asked: Asked = {
    ...{ method: 'GET', path: '/api/1/request-key', body: Buffer.of() },
    fields: [['Host', 'receiver']],
  }
  const old = await forward(origin, asked)
  books.rotate()
  let replaying = false
  const middle = await between(t, origin, {
    answer: (said, { path }) => (replaying && path === asked.path ? old : said),
  })
  const agent = await agentWithChannel(t, required)
  t.is((await agent.get(middle.url)).text(), '/data 1')
  books.forget()
  replaying = true
  await t.throwsAsync(agent.get(middle.url), { code: 'receiver_key_untrusted' })
  t.is(agent.channels()[0]?.balance, 10n)
  t.is(books.highest, 5n)
})

test('the receiver’s next key is taken when it does not know the old one any more', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, required)
  await agent.get(url)
  books.rotate()
  t.is((await agent.get(url)).text(), '/data 2')
  t.is(books.highest, 10n)
})

test('the answer to one request is none to another', async (t) => {
  const { origin } = await boundReceiver(t)
  let kept: Said | undefined
  const middle = await between(t, origin, {
    answer: (said, asked) => {
      if (field(asked, 'rdn-balance') === '') return said
      kept ??= said
      return kept
    },
  })
  const agent = await agentWithChannel(t, required)
  t.is((await agent.get(middle.url)).text(), '/data 1')
  await t.throwsAsync(agent.get(middle.url), { code: 'answer_lost' })
})

test('an answer that was lost is asked for again with the same request, and paid once', async (t) => {
  const { origin, books } = await boundReceiver(t)
  let lost = 0
  const middle = await between(t, origin, {
    answer: (said, asked) =>
      field(asked, 'rdn-balance') !== '' && lost++ === 0 ? undefined : said,
  })
  const agent = await agentWithChannel(t, required)
  const answer = await agent.post(middle.url, { body: 'order', headers: { 'content-type': 'a/b' } })
  t.is(answer.text(), '/data 1')
  t.deepEqual(books.served, ['POST /data'])
  const paid = middle.seen.filter(({ asked }) => field(asked, 'rdn-balance') !== '')
  t.deepEqual(new Set(paid.map(({ asked }) => field(asked, 'signature'))).size, 1)
  t.is(field(paid[0]?.asked ?? { fields: [] }, 'idempotency-key'), '')
})

test('a later process asks for a lost answer with the same request, byte for byte', async (t) => {
  const { origin, books } = await boundReceiver(t)
  let isLost = true
  const middle = await between(t, origin, {
    answer: (said, asked) => (isLost && field(asked, 'rdn-balance') !== '' ? undefined : said),
  })
  const store = join(await temporaryFolder(t), 'agent')
  const first = await agentWithChannel(t, { ...required, store })
  const sent: SentPayment[] = []
  const options = { body: 'order', headers: { 'content-type': 'a/b' } }
  const onPayment = (payment: SentPayment) => void sent.push(payment)
  await t.throwsAsync(first.post(middle.url, { ...options, onPayment }), { code: 'answer_lost' })
  await first.stop()
  isLost = false
  const later = await agentOn(t, store, required)
  const [payment] = sent
  if (payment === undefined) throw new Error('nothing was sent')
  const answer = await later.repeatPayment(middle.url, payment, { ...options, method: 'POST' })
  t.is(answer.text(), '/data 1')
  t.deepEqual(books.served, ['POST /data'])
  const paid = middle.seen.filter(({ asked }) => field(asked, 'rdn-balance') !== '')
  t.true(paid.length > 1)
  t.is(new Set(paid.map(({ asked }) => field(asked, 'signature'))).size, 1)
  t.is(new Set(paid.map(({ asked }) => field(asked, 'signature-input'))).size, 1)
  t.is(new Set(paid.map(({ asked }) => `${asked.body}`)).size, 1)
})

test('who swallows answers does not make the agent pay again for what it has paid', async (t) => {
  const isPayment = (asked: Asked) => field(asked, 'rdn-balance') !== ''
  const unknown = {
    ...{ status: 401, fields: [] },
    body: Buffer.from('{"code":"request_key_unknown"}'),
  }
  for (const instead of [undefined, unknown, evil]) {
    const { origin, books } = await boundReceiver(t, { forgets: true })
    let payments = 0
    const middle = await between(t, origin, {
      answer: (said, asked) => (isPayment(asked) && payments++ === 0 ? instead : said),
    })
    const agent = await agentWithChannel(t, required)
    await t.throwsAsync(agent.get(middle.url), { code: 'payment_spent' })
    t.is(books.offered, 5n)
    t.deepEqual(books.served, ['GET /data'])
    // What was in doubt is offered once more, and then it is known to be spent.
    t.is((await agent.get(middle.url)).payment?.balance, 10n)
  }
})

test('however much is in doubt, the next purchase finds what is not spent', async (t) => {
  const { origin, books } = await boundReceiver(t, { forgets: true })
  const many = 8
  let isAway = false
  let allAsked: () => void = () => undefined
  let left = many
  const asked = new Promise<void>((resolve) => (allAsked = resolve))
  const middle = await between(t, origin, {
    // None is lost before all are on their way.
    answer: async (said, { fields }) => {
      if (!isAway || field({ fields }, 'rdn-balance') === '') return said
      if (--left === 0) allAsked()
      await asked
      return undefined
    },
  })
  const agent = await agentWithChannel(t, required)
  await agent.get(middle.url)
  isAway = true
  const lost = Array.from({ length: many }, () => t.throwsAsync(agent.get(middle.url)))
  await Promise.all(lost)
  t.is(books.served.length, 1 + many)
  isAway = false
  t.is((await agent.get(middle.url)).payment?.balance, 5n * BigInt(1 + many + 1))
})

for (const [status, isBlamed] of [
  [200, true],
  [404, true],
  [500, false],
  [502, false],
  [503, false],
] as const) {
  const end = isBlamed ? 'the receiver is left alone' : 'as with one that is away, nobody is blamed'
  test(`six unsigned answers with ${status}: ${end}`, async (t) => {
    const { origin } = await boundReceiver(t)
    let isAway = true
    const middle = await between(t, origin, {
      request: (asked) =>
        isAway && field(asked, 'rdn-balance') !== '' ? { ...evil, status } : asked,
    })
    const agent = await agentWithChannel(t, required)
    for (let count = 0; count < 6; count++) await t.throwsAsync(agent.get(middle.url))
    isAway = false
    const after = agent.get(middle.url)
    if (isBlamed) await t.throwsAsync(after, { code: 'receiver_left_alone' })
    else t.is((await after).text(), '/data 1')
  })
}

test('a body that comes later is handed out with its receipt only', async (t) => {
  const { url } = await boundReceiver(t, { later: true })
  const honest = await agentWithChannel(t, required)
  const answer = await honest.get(url)
  t.is(answer.text(), '/data 1')
  t.is(answer.payment?.cost, 2n)

  const isPayment = (asked: Asked) => field(asked, 'rdn-balance') !== ''
  const changes: readonly ((said: Said) => Said)[] = [
    (said) => ({ ...said, body: said.body.subarray(1) }),
    (said) => ({ ...said, body: Buffer.from('/data 9') }),
    (said) => ({ ...said, body: Buffer.concat([said.body, said.body]) }),
  ]
  for (const change of changes) {
    const { origin } = await boundReceiver(t, { later: true })
    const middle = await between(t, origin, {
      answer: (said, asked) => (isPayment(asked) ? change(said) : said),
    })
    await t.throwsAsync((await agentWithChannel(t, required)).get(middle.url), {
      code: 'answer_lost',
    })
  }
})

test('a stream ends with an error when it is not what the receiver sent', async (t) => {
  for (const later of [false, true]) {
    const { url } = await boundReceiver(t, { later })
    const { origin } = await boundReceiver(t, { later })
    const honest = await agentWithChannel(t, required)
    t.is((await buffer((await honest.stream(url)).body)).toString(), '/data 1')

    const middle = await between(t, origin, {
      answer: (said, asked) =>
        field(asked, 'rdn-balance') === '' ? said : { ...said, body: Buffer.from('/data 8') },
    })
    const stream = await (await agentWithChannel(t, required)).stream(middle.url)
    // No length tells a program that it has all before the end is proven.
    if (later) t.is(stream.headers['content-length'], undefined)
    let length = 0
    stream.body.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    const error = await t.throwsAsync(finished(stream.body))
    t.is(length, later ? 7 : 0)
    t.is((error as { code?: string } | undefined)?.code, 'answer_lost')
  }
})

test('answers without content bring no byte', async (t) => {
  const { url } = await boundReceiver(t, {
    serve: () => ({ status: 204, fields: [], body: Buffer.of() }),
  })
  const agent = await agentWithChannel(t, required)
  t.is((await agent.get(url)).status, 204)
})

test('a coding that the resource has set is signed, and taken off after the check', async (t) => {
  const { url } = await boundReceiver(t, {
    serve: () => ({
      status: 200,
      fields: [
        ['Content-Encoding', 'gzip'],
        ['Content-Type', 'text/plain'],
      ],
      body: gzipSync('packed'),
    }),
  })
  const agent = await agentWithChannel(t, required)
  t.is((await agent.get(url, { headers: { 'accept-encoding': 'gzip' } })).text(), 'packed')
})

test('an error that the receiver has signed is believed', async (t) => {
  for (const status of [404, 409, 429, 500]) {
    const { url } = await boundReceiver(t, {
      serve: () => ({ status, fields: [['Retry-After', '3']], body: Buffer.from('no') }),
    })
    const answer = await (await agentWithChannel(t, required)).get(url)
    t.is(answer.status, status)
    t.true(answer.payment?.authentic)
    t.is(answer.answer.headers['retry-after'], '3')
  }
})

test('a receiver that was restored and has lost our key gets it again', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, required)
  await agent.get(url)
  books.forget()
  t.is((await agent.get(url)).text(), '/data 2')
  t.is(books.highest, 10n)
})

test('what the receiver refuses in a signed answer is paid as it says, with the same interval', async (t) => {
  const { url, books } = await boundReceiver(t, { dearer: 8n })
  const agent = await agentWithChannel(t, required)
  t.is((await agent.get(url)).payment?.price, 8n)
  t.is(books.highest, 8n)
})

test('a fresh price is not signed at each refusal: the same interval is offered, then nothing', async (t) => {
  const { url, books } = await boundReceiver(t, { refuses: () => true })
  const agent = await agentWithChannel(t, { ...required, deposit: { mostInAll: 0n } })
  for (let i = 0; i < 3; i++) await t.throwsAsync(agent.get(url), { code: 'proof_refused' })
  t.is(books.offered, 5n)
  t.is(agent.channels()[0]?.balance, 5n)
  // Retired: what comes next would need another channel.
  await t.throwsAsync(agent.get(url))
  t.is(books.offered, 5n)
})

test('after a crash or a lost card the receiver shows where the channel stands', async (t) => {
  const balance = 25n
  const signature = balanceProof({
    domain: { contract, chainId },
    ...{ receiver: terms.receiver, openBlock: 7, balance, key: senderKey },
  })
  const { url, books } = await boundReceiver(t, { stand: { balance, signature } })
  const agent = await agentWithChannel(t, required, { exact: false, bound: 1000n })
  t.is((await agent.get(url)).payment?.balance, 30n)
  t.is(books.highest, 30n)

  const forged = balanceProof({
    domain: { contract, chainId },
    ...{ receiver: terms.receiver, openBlock: 7, balance: 900n, key: receiverKey },
  })
  const lying = await boundReceiver(t, { stand: { balance: 900n, signature: forged } })
  const careful = await agentWithChannel(t, required, { exact: false, bound: 1000n })
  await t.throwsAsync(careful.get(lying.url), { code: 'balance_unproven' })
  t.is(lying.books.offered, 0n)
})

test('prefer pays unbound where nothing was ever offered, and never where it was', async (t) => {
  let offers = false
  const { url, books } = await boundReceiver(t, { offers: () => offers })
  const agent = await agentWithChannel(t, { bound: 'prefer' })
  await t.throwsAsync(agent.get(url), { code: 'payment_refused' })
  const { unbound } = books
  t.true(unbound > 0)

  offers = true
  const other = await agentWithChannel(t, { bound: 'prefer' })
  t.true((await other.get(url)).payment?.authentic)
  offers = false
  books.forget()
  await t.throwsAsync(other.get(url), { code: 'binding_refused' })
  t.is(books.unbound, unbound)

  const strict = await agentWithChannel(t, required)
  await t.throwsAsync(strict.get(url), { code: 'binding_refused' })
  t.is(books.unbound, unbound)
})

/** As the chain has said it. */
async function agentOnContract(t: ExecutionContext, contractVersion: string) {
  const store = join(await temporaryFolder(t), 'agent')
  await (await agentWithChannel(t, { store })).stop()
  const owner = { chainId, contract, account: sender }
  const readClock = () => noon
  const ledger = await openLedger({ folder: store, owner, reservation: 1, budget: {}, readClock })
  await ledger.rememberFacts({
    token: { address: token, symbol: 'T', decimals: 0 },
    contractVersion,
  })
  await ledger.close()
  return agentOn(t, store, { bound: () => undefined })
}

for (const version of ['0.3.0', '0.3.7', '0.4.0', '1.0.0']) {
  test(`contract ${version}: who hides the offer at the first contact gets no signature`, async (t) => {
    const { url, books } = await boundReceiver(t)
    const gone: Said = { status: 404, fields: [], body: Buffer.of() }
    const stripped = await between(t, url, {
      request: (asked) => (asked.path.endsWith('/request-key') ? gone : asked),
    })
    const agent = await agentOnContract(t, version)
    const error = await t.throwsAsync(agent.get(stripped.url), { code: 'binding_refused' })
    t.regex((error as UraidenError).hint, /receivers\.NAME\.bound: prefer/)
    t.is(books.unbound, 0)
    t.is(books.offered, 0n)
    t.is(agent.channels()[0]?.top, 0n)
  })
}

test('contract 0.2: a receiver that never offered it is paid unbound, one that did is not', async (t) => {
  let offers = false
  const { url, books } = await boundReceiver(t, { offers: () => offers })
  const agent = await agentOnContract(t, '0.2.0')
  await t.throwsAsync(agent.get(url), { code: 'payment_refused' })
  t.true(books.unbound > 0)

  offers = true
  const other = await agentOnContract(t, '0.2.0')
  t.true((await other.get(url)).payment?.authentic)
  offers = false
  books.forget()
  const before = books.unbound
  const error = await t.throwsAsync(other.get(url), { code: 'binding_refused' })
  t.regex(error?.message ?? '', /has offered bound requests before/)
  t.is(books.unbound, before)
})

test('that an offer was seen outlasts a restart', async (t) => {
  let offers = true
  const { url, books } = await boundReceiver(t, { offers: () => offers })
  const store = join(await temporaryFolder(t), 'agent')
  const first = await agentWithChannel(t, { store, bound: 'prefer' })
  await first.get(url)
  await first.stop()
  offers = false
  books.forget()
  const later = await agentOn(t, store, { bound: 'prefer' })
  await t.throwsAsync(later.get(url), { code: 'binding_refused' })
  t.is(books.unbound, 0)
})

test('off begins nothing bound, and a channel that is bound stays so', async (t) => {
  const { url, books } = await boundReceiver(t)
  const asksForKey = () => books.asked.filter(({ path }) => path.endsWith('/request-key')).length
  const agent = await agentWithChannel(t, { bound: 'off' })
  await t.throwsAsync(agent.get(url))
  t.true(books.unbound > 0)
  t.is(asksForKey(), 0)

  const store = join(await temporaryFolder(t), 'agent')
  const first = await agentWithChannel(t, { store, bound: 'prefer' })
  await first.get(url)
  await first.stop()
  const before = books.unbound
  const later = await agentOn(t, store, { bound: 'off' })
  t.true((await later.get(url)).payment?.authentic)
  t.is(books.unbound, before)
})

test('a receiver that offers nothing is asked once by commands that follow each other', async (t) => {
  const { url, books } = await boundReceiver(t, { offers: () => false })
  const store = join(await temporaryFolder(t), 'agent')
  await (await agentWithChannel(t, { store })).stop()
  for (let command = 0; command < 3; command++) {
    const agent = await agentOn(t, store, { bound: 'prefer' })
    await t.throwsAsync(agent.get(url))
    await agent.stop()
  }
  t.is(books.asked.filter(({ path }) => path === '/api/1/request-key').length, 1)
})

test('the policy is a receiver’s own where the program says so', async (t) => {
  const { url, books } = await boundReceiver(t, { offers: () => false })
  const agent = await agentWithChannel(t, {
    bound: (_, receiver) => (receiver === terms.receiver ? 'require' : 'off'),
  })
  await t.throwsAsync(agent.get(url), { code: 'binding_refused' })
  t.is(books.unbound, 0)
})

test('a close is asked for with a bound request, and nothing more is paid on that channel', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, { ...required, deposit: { mostInAll: 0n } })
  await agent.get(url)
  await t.throwsAsync(agent.closeChannel(channel, url), { code: 'close_refused' })
  t.is(books.closedAt, 5n)
  await t.throwsAsync(agent.get(url))
  t.is(books.highest, 5n)
})

test('what cannot be signed is not sent, and costs nothing', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, required)
  const headers = { accept: 'text/plain; name=\u00fc' }
  await t.throwsAsync(agent.get(url, { headers }), { code: 'unsignable_request' })
  t.is(agent.channels()[0]?.balance, 0n)
  t.is(books.offered, 0n)
})

test('signatures of the program’s own go on beside ours', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, required)
  const headers = { Signature: 'sig1=:AAAA:', 'signature-input': 'sig1=("@method");keyid="k"' }
  t.is((await agent.get(url, { headers })).text(), '/data 1')
  const paid = books.asked.at(-1)
  t.regex(field(paid ?? { fields: [] }, 'signature'), /^sig1=:AAAA:, rdn=:/)
})

test('a later process pays with the key of the one before, and asks for nothing', async (t) => {
  const { url, books } = await boundReceiver(t)
  const store = join(await temporaryFolder(t), 'agent')
  const first = await agentWithChannel(t, { ...required, store })
  await first.get(url)
  await first.stop()
  const asked = books.asked.length
  const later = await agentOn(t, store, required)
  t.is((await later.get(url)).text(), '/data 2')
  t.deepEqual(
    books.asked.slice(asked).map(({ method, path }) => `${method} ${path}`),
    ['GET /data', 'GET /data'],
  )
})
