// The attacks of bound-requests.md that are decided by what a message says. Every one starts from a
// message of the vectors, which is right, and changes it as somebody between could.
import test from 'ava'
import {
  type AnswerMessage,
  type BoundKeys,
  deriveBoundKeys,
  type FieldLines,
  hmacSha256,
  parseBoundAnswer,
  parseBoundPayment,
  parseBoundRequest,
  type RequestChecks,
  type RequestMessage,
  signAnswer,
  signRequest,
  verifyAnswer,
  verifyRequest,
} from '../../../protocol/bound/index.ts'
import {
  answerOf,
  answerVector,
  binding,
  bytes,
  keys,
  macOf,
  requestOf,
  requestVector,
  unsigned,
  vectorKeys,
} from './vectors.ts'

const payment = requestOf(requestVector('payment'))
const paymentMac = macOf(requestVector('payment'))
const put = requestOf(requestVector('put request key'))
const putMac = macOf(requestVector('put request key'))
const paid = answerOf(answerVector('payment: answer'))

function adding(fields: FieldLines, ...more: FieldLines): FieldLines {
  return [...fields, ...more]
}

function without(fields: FieldLines, ...names: readonly string[]): FieldLines {
  return fields.filter(([name]) => !names.includes(name))
}

function replacing(fields: FieldLines, field: string, value: string): FieldLines {
  return fields.map(([name, before]) => [name, name === field ? value : before])
}

function valueIn(fields: FieldLines, field: string): string {
  return fields.find(([name]) => name === field)?.[1] ?? ''
}

/** What a receiver makes of a request. */
function judge(message: RequestMessage, checks?: RequestChecks, known: BoundKeys = keys): string {
  const claimed = parseBoundRequest(message)
  if (claimed === undefined) return 'unbound'
  if (!claimed.ok) return claimed.code
  const verified = verifyRequest(claimed.value, known, checks)
  return verified.ok ? 'ok' : verified.code
}

/** What an agent makes of an answer to the payment. */
function believe(answer: AnswerMessage, requestMac = paymentMac, known: BoundKeys = keys): string {
  const claimed = parseBoundAnswer(answer, { requestMac })
  if (!claimed.ok) return claimed.code
  const verified = verifyAnswer(claimed.value, known)
  return verified.ok ? 'ok' : verified.code
}

test('the messages themselves are right', (t) => {
  t.is(judge(payment), 'ok')
  t.is(judge(put), 'ok')
  t.is(believe(paid), 'ok')
})

interface RequestAttack {
  readonly what: string
  readonly request: RequestMessage
  readonly becomes: string
}

const { fields } = payment

/** The signature says that it covers less than it does. */
function uncovering(name: string): RequestMessage {
  const less = valueIn(fields, 'Signature-Input').replace(`"${name}" `, '')
  return { ...payment, fields: replacing(fields, 'Signature-Input', less) }
}

const requestAttacks: readonly RequestAttack[] = [
  {
    what: '1: the signature is taken off, so that the proof may be used elsewhere',
    request: { ...payment, fields: unsigned(fields) },
    becomes: 'unbound',
  },
  {
    what: '1: half of the signature is taken off',
    request: { ...payment, fields: without(fields, 'Signature') },
    becomes: 'request_altered',
  },
  {
    what: '1: the other half of the signature is taken off',
    request: { ...payment, fields: without(fields, 'Signature-Input') },
    becomes: 'request_altered',
  },
  {
    what: '1: the payment is used for another path',
    request: { ...payment, path: '/weather/paris' },
    becomes: 'request_altered',
  },
  {
    what: '1: the payment is used for another query',
    request: { ...payment, query: '?unit=f' },
    becomes: 'request_altered',
  },
  {
    what: '1: the payment is used with another method',
    request: { ...payment, method: 'POST' },
    becomes: 'request_altered',
  },
  {
    what: '1: a method in another case is another method',
    request: { ...payment, method: 'get' },
    becomes: 'request_altered',
  },
  {
    what: '3: another balance is added beside the covered one',
    request: { ...payment, fields: adding(fields, ['RDN-Sender-Balance', '14000']) },
    becomes: 'request_altered',
  },
  {
    what: '3: a second line of a covered RDN field',
    request: { ...payment, fields: adding(fields, ['rdn-balance', '13000']) },
    becomes: 'request_altered',
  },
  {
    what: '3: an RDN field that is not known yet',
    request: { ...payment, fields: adding(fields, ['rDN-tICK', '0x00']) },
    becomes: 'request_altered',
  },
  {
    what: '3: an Idempotency-Key is added',
    request: { ...payment, fields: adding(fields, ['Idempotency-Key', 'x']) },
    becomes: 'request_altered',
  },
  {
    what: '4: a covered field is changed',
    request: { ...payment, fields: replacing(fields, 'Accept', 'text/html') },
    becomes: 'request_altered',
  },
  {
    what: '4: a second line is added to a covered field',
    request: { ...payment, fields: adding(fields, ['Accept', 'text/html']) },
    becomes: 'request_altered',
  },
  {
    what: '4: a covered field is taken away',
    request: { ...payment, fields: without(fields, 'Accept') },
    becomes: 'request_altered',
  },
  {
    what: '5: content is added to a request that has none',
    request: { ...payment, fields: adding(fields, ['Content-Length', '5']) },
    becomes: 'request_altered',
  },
  {
    what: '5: content of unknown length is added',
    request: { ...payment, fields: adding(fields, ['Transfer-Encoding', 'chunked']) },
    becomes: 'request_altered',
  },
  {
    what: '5: content is added with a digest that nobody covers',
    request: {
      ...payment,
      fields: adding(
        fields,
        ['Content-Length', '5'],
        ['Content-Digest', 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'],
      ),
    },
    becomes: 'request_altered',
  },
  {
    what: '5: the digest is that of other content',
    request: {
      ...put,
      fields: replacing(
        put.fields,
        'Content-Digest',
        'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
      ),
    },
    becomes: 'request_altered',
  },
  {
    what: '5: a second digest',
    request: {
      ...put,
      fields: adding(put.fields, [
        'Content-Digest',
        'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
      ]),
    },
    becomes: 'request_altered',
  },
  {
    what: '5: the digest is taken away',
    request: { ...put, fields: without(put.fields, 'Content-Digest') },
    becomes: 'request_altered',
  },
  {
    what: '7: the MAC of an answer is sent as that of a request',
    request: {
      ...payment,
      fields: replacing(fields, 'Signature', valueIn(paid.fields, 'Signature')),
    },
    becomes: 'request_altered',
  },
  {
    what: '7: the whole signature of an answer is sent with a request',
    request: {
      ...payment,
      fields: adding(
        unsigned(fields),
        ...paid.fields.filter(([name]) => name.startsWith('Signature')),
      ),
    },
    becomes: 'request_altered',
  },
  ...['@method', '@path', '@query', 'accept', 'rdn-origin', 'rdn-balance'].map((name) => ({
    what: `the signature no longer covers ${name}`,
    request: uncovering(name),
    becomes: 'request_altered',
  })),
]

for (const { what, request, becomes } of requestAttacks) {
  test(what, (t) => {
    t.is(judge(request), becomes)
  })
}

test('3: a balance in a cookie is no balance', (t) => {
  const cookie = ['Cookie', 'RDN-Sender-Balance=14000; RDN-Idempotency-Key=x'] as const
  const claimed = parseBoundRequest({ ...payment, fields: adding(fields, cookie) })
  if (!claimed?.ok) return t.fail()
  t.is(parseBoundPayment(claimed.value.covered)?.balance, 13000n)
  t.is(claimed.value.covered('RDN-Sender-Balance'), undefined)
  t.deepEqual(claimed.value.drop, ['cookie'])
})

const choosing: readonly string[] = [
  'Accept-Language',
  'Authorization',
  'Content-Encoding',
  'Content-Type',
  'Cookie',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'Prefer',
  'Range',
  'X-HTTP-Method',
  'X-HTTP-Method-Override',
  'X-Method-Override',
]

for (const name of choosing) {
  test(`4: ${name} is added: nobody may see it`, (t) => {
    const more = adding(fields, [name, 'x'])
    t.is(judge({ ...payment, fields: more }), 'ok')
    const claimed = parseBoundRequest({ ...payment, fields: more })
    t.deepEqual(claimed?.ok && claimed.value.drop, [name.toLowerCase()])
    t.is(claimed?.ok && claimed.value.covered(name), undefined)
  })

  test(`4: ${name} of the sender is covered, and stays`, (t) => {
    const more = adding(unsigned(fields), [name, 'x'])
    const signed = signRequest({ ...payment, fields: more }, keys)
    const sent = { ...payment, fields: adding(more, ...Object.entries(signed.fields)) }
    t.is(judge(sent), 'ok')
    const claimed = parseBoundRequest(sent)
    t.deepEqual(claimed?.ok && claimed.value.drop, [])
    t.is(claimed?.ok && claimed.value.covered(name), 'x')
    t.is(judge({ ...sent, fields: replacing(sent.fields, name, 'y') }), 'request_altered')
    t.is(judge({ ...sent, fields: without(sent.fields, name) }), 'request_altered')
  })
}

test('what gateways add and change is no attack', (t) => {
  const gateway = adding(
    replacing(replacing(fields, 'Host', 'up'), 'Accept-Encoding', 'gzip'),
    ['X-Forwarded-For', '192.168.1.7'],
    ['Via', '1.1 gateway'],
    ['Connection', 'close'],
    ['Content-Length', '0'],
  )
  t.is(judge({ ...payment, fields: gateway }), 'ok')
  const folded = fields.map(([name, value]) => [name.toUpperCase(), ` ${value}\t`] as const)
  t.is(judge({ ...payment, fields: folded.toReversed() }), 'ok')
})

test('5: without a covered digest not one byte of content may come', (t) => {
  const claimed = parseBoundRequest(payment)
  t.is(claimed?.ok && claimed.value.contentDigest, undefined)
})

test('6: the answer to another request of the same interval is not believed', (t) => {
  const same = signRequest({ ...payment, query: '?unit=f', fields: unsigned(fields) }, keys)
  t.is(believe(paid, same.mac), 'answer_altered')
  t.is(believe(paid, putMac), 'answer_altered')
})

test('7: the MAC of a request is sent back as that of the answer', (t) => {
  const signature = valueIn(fields, 'Signature')
  t.is(
    believe({ ...paid, fields: replacing(paid.fields, 'Signature', signature) }),
    'answer_altered',
  )
  const reflected = fields.filter(([name]) => name.startsWith('Signature'))
  t.is(believe({ ...paid, fields: adding(unsigned(paid.fields), ...reflected) }), 'answer_altered')
})

test('8: messages of one direction are not those of the other one', (t) => {
  const { channel, senderKey, receiverKey } = binding
  const back = deriveBoundKeys(bytes(vectorKeys.Z), {
    ...binding,
    channel: { ...channel, sender: channel.receiver, receiver: channel.sender },
    senderKey: receiverKey,
    receiverKey: senderKey,
  })
  t.is(judge(payment, {}, back), 'request_key_unknown')
  t.is(judge(payment, {}, { ...back, keyid: keys.keyid }), 'request_key_unknown')
  t.is(believe(paid, paymentMac, back), 'answer_key_unknown')
  t.is(believe(paid, paymentMac, { ...back, keyid: keys.keyid }), 'answer_altered')
})

test('keys of one’s own channel are none for somebody else’s', (t) => {
  const own = deriveBoundKeys(bytes(vectorKeys.Z), {
    ...binding,
    channel: { ...binding.channel, openBlock: 8 },
  })
  const bare = { ...payment, fields: unsigned(fields) }
  t.throws(() => signRequest(bare, own), { code: 'unsignable_request' })
  // Signed all the same, as a thief's own program would.
  const signed = signRequest(bare, { ...own, binding })
  const sent = { ...payment, fields: adding(bare.fields, ...Object.entries(signed.fields)) }
  t.is(judge(sent, {}, own), 'request_key_unknown')
  t.is(judge(sent, {}, keys), 'request_key_unknown')
})

test('10: a request for another origin is refused where origins are told, after its MAC', (t) => {
  t.is(judge(payment, { origins: ['http://192.168.1.20:5000'] }), 'ok')
  t.is(judge(payment, { origins: ['http://192.168.1.21:5000'] }), 'other_origin')
  t.is(judge(payment, { origins: [] }), 'other_origin')
  const elsewhere = replacing(fields, 'RDN-Origin', 'http://192.168.1.21:5000')
  t.is(
    judge({ ...payment, fields: elsewhere }, { origins: ['http://192.168.1.21:5000'] }),
    'request_altered',
  )
})

/** The base of a message as if it did not cover this component. */
function baseWithout(base: string, identifier: string): string {
  const lines = base.split('\n').filter((line) => !line.startsWith(`${identifier}: `))
  const list = (lines.pop() ?? '').replace(`${identifier} `, '').replace(` ${identifier})`, ')')
  return [...lines, list].join('\n')
}

/** The signature of a base, as whoever has the key can make it. */
function signatureOf(base: string, key: Uint8Array): FieldLines {
  const input = base.slice(base.lastIndexOf('\n')).replace('\n"@signature-params": ', 'rdn=')
  const mac = Buffer.from(hmacSha256(key, base)).toString('base64')
  return [
    ['Signature-Input', input],
    ['Signature', `rdn=:${mac}:`],
  ]
}

const requestCoverage: readonly string[] =
  requestVector('payment').base.match(/^"[^"]+"(?=: )/gm) ?? []
const answerCoverage: readonly string[] =
  answerVector('payment: answer').base.match(/^"[^"]+"\S*?(?=: )/gm) ?? []

test('a signature that covers too little counts for nothing, though its MAC is right', (t) => {
  const { base } = requestVector('payment')
  const bare = unsigned(fields)
  const kept = { ...payment, fields: adding(bare, ...signatureOf(base, keys.requests)) }
  t.is(judge(kept), 'ok')
  for (const identifier of requestCoverage.filter((one) => !/accept|params/.test(one))) {
    const less = signatureOf(baseWithout(base, identifier), keys.requests)
    t.is(judge({ ...payment, fields: adding(bare, ...less) }), 'request_altered', identifier)
  }
  t.true(requestCoverage.length > 10)
})

test('an answer that covers too little counts for nothing, though its MAC is right', (t) => {
  const { base } = answerVector('payment: answer')
  const bare = unsigned(paid.fields)
  t.is(believe({ ...paid, fields: adding(bare, ...signatureOf(base, keys.answers)) }), 'ok')
  for (const identifier of answerCoverage.filter((one) => !/content|params/.test(one))) {
    const less = signatureOf(baseWithout(base, identifier), keys.answers)
    t.is(believe({ ...paid, fields: adding(bare, ...less) }), 'answer_altered', identifier)
  }
  t.true(answerCoverage.includes('"signature";req;key="rdn"'))
})

interface AnswerAttack {
  readonly what: string
  readonly answer: AnswerMessage
  readonly becomes: string
}

const digest = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'

const answerAttacks: readonly AnswerAttack[] = [
  {
    what: '2: a forged refusal without a signature',
    answer: { status: 402, fields: [['RDN-Price', '1500']] },
    becomes: 'answer_unsigned',
  },
  {
    what: '2: a forged refusal with the signature of the answer',
    answer: { status: 402, fields: replacing(paid.fields, 'RDN-Price', '1500') },
    becomes: 'answer_altered',
  },
  {
    what: '2: another status',
    answer: { ...paid, status: 404 },
    becomes: 'answer_altered',
  },
  {
    what: '2: another price',
    answer: { ...paid, fields: replacing(paid.fields, 'RDN-Price', '1') },
    becomes: 'answer_altered',
  },
  {
    what: '2: a reason is added',
    answer: { ...paid, fields: adding(paid.fields, ['RDN-Nonexisting-Channel', '1']) },
    becomes: 'answer_altered',
  },
  {
    what: '2: a cost is added beside the covered one',
    answer: { ...paid, fields: adding(paid.fields, ['rdn-cost', '0']) },
    becomes: 'answer_altered',
  },
  {
    what: '12: the digest is replaced',
    answer: { ...paid, fields: replacing(paid.fields, 'Content-Digest', digest) },
    becomes: 'answer_altered',
  },
  {
    what: '12: the digest is taken away',
    answer: { ...paid, fields: without(paid.fields, 'Content-Digest') },
    becomes: 'answer_altered',
  },
  {
    what: '12: the content is said to be covered later',
    answer: { ...paid, fields: adding(paid.fields, ['RDN-Body', 'later']) },
    becomes: 'answer_altered',
  },
  {
    what: 'an interim answer is none',
    answer: { ...paid, status: 100 },
    becomes: 'answer_altered',
  },
]

for (const { what, answer, becomes } of answerAttacks) {
  test(what, (t) => {
    t.is(believe(answer), becomes)
  })
}

for (const name of [
  'Accept-Signature',
  'Content-Encoding',
  'Content-Range',
  'Location',
  'Retry-After',
]) {
  test(`${name} is added to an answer: not acted on`, (t) => {
    const answer = { ...paid, fields: adding(paid.fields, [name, 'x']) }
    t.is(believe(answer), 'ok')
    const claimed = parseBoundAnswer(answer, { requestMac: paymentMac })
    t.deepEqual(claimed.ok && claimed.value.drop, [name.toLowerCase()])
    t.is(claimed.ok && claimed.value.covered(name), undefined)
  })

  test(`${name} of the receiver is covered`, (t) => {
    const more = adding(unsigned(paid.fields), [name, 'x'])
    const signed = signAnswer({ ...paid, fields: more }, keys, { requestMac: paymentMac })
    const sent = { ...paid, fields: adding(more, ...Object.entries(signed.fields)) }
    t.is(believe(sent), 'ok')
    t.is(believe({ ...sent, fields: replacing(sent.fields, name, 'y') }), 'answer_altered')
    t.is(believe({ ...sent, fields: without(sent.fields, name) }), 'answer_altered')
  })
}

test('an answer that has no digest and is not later brings no byte', (t) => {
  const signed = signAnswer({ status: 204, fields: [] }, keys, { requestMac: paymentMac })
  const answer = { status: 204, fields: Object.entries(signed.fields) }
  const claimed = parseBoundAnswer(answer, { requestMac: paymentMac })
  t.deepEqual(claimed.ok && claimed.value.content, { kind: 'none' })
  // A digest that nobody covers changes nothing.
  const added = { ...answer, fields: adding(answer.fields, ['Content-Digest', digest]) }
  const again = parseBoundAnswer(added, { requestMac: paymentMac })
  t.deepEqual(again.ok && again.value.content, { kind: 'none' })
})
