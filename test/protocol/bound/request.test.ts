import test from 'ava'
import fc from 'fast-check'
import {
  type FieldLines,
  parseBoundRequest,
  type RequestMessage,
  type RequestSigning,
  signRequest,
  verifyRequest,
} from '../../../protocol/bound/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { keys, requestOf, requestVector, unsigned, vectorNonce } from './vectors.ts'

const vector = requestOf(requestVector('payment'))
const payment: RequestMessage = { ...vector, fields: unsigned(vector.fields) }
const put = requestOf(requestVector('put request key'))
const unpaid: RequestMessage = { ...put, fields: unsigned(put.fields) }

function send(request: RequestMessage, signing?: RequestSigning): RequestMessage {
  const signed = signRequest(request, keys, signing)
  return { ...request, fields: [...unsigned(request.fields), ...Object.entries(signed.fields)] }
}

function accepted(request: RequestMessage): boolean {
  const claimed = parseBoundRequest(request)
  return claimed?.ok === true && verifyRequest(claimed.value, keys).ok
}

const requests: fc.Arbitrary<RequestMessage> = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
    path: fc.stringMatching(/^\/[a-z%2F/.]{0,20}$/),
    query: fc.oneof(fc.constant(''), fc.stringMatching(/^\?[a-z=&%+]{0,20}$/)),
    more: fc.subarray<FieldLines[number]>([
      ['accept', 'text/html, */*'],
      ['Authorization', 'Bearer x'],
      ['Idempotency-Key', '"1"'],
      ['RDN-Tick', '0x00'],
      ['X-Unknown', 'whatever'],
      ['Content-Type', ''],
    ]),
  })
  .map(({ more, ...line }) => ({ ...line, fields: [...payment.fields, ...more] }))

test('what is signed is accepted', (t) => {
  fc.assert(fc.property(requests, (request) => t.true(accepted(send(request)))))
})

/** Another character than the one that is there. */
function damage(text: string, at: number, by: number): string {
  const place = at % text.length
  const code = 0x21 + ((text.charCodeAt(place) - 0x21 + 1 + by) % 0x5e)
  return text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1)
}

test('whatever one character of what is covered becomes, or of the signature, it is refused', (t) => {
  const signed = parseBoundRequest(vector)
  if (!signed?.ok) return t.fail()
  const names = vector.fields.map(([name]) => name)
  const covered = names.filter((name) => signed.value.covered(name) !== undefined)
  const places = ['method', 'path', 'query', 'Signature', 'Signature-Input', ...covered]
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.nat(),
      fc.integer({ min: 0, max: 91 }),
      (place, at, by) => {
        const change = (text: string, name: string) =>
          name === place ? damage(text, at, by) : text
        const request = {
          method: change(vector.method, 'method'),
          path: change(vector.path, 'path'),
          query: change(vector.query, 'query'),
          fields: vector.fields.map(([name, value]) => [name, change(value, name)] as const),
        }
        t.false(accepted(request))
      },
    ),
    { numRuns: 1000 },
  )
})

test('whatever comes, there is a result', (t) => {
  const names = fc.oneof(
    fc.constantFrom('Signature', 'Signature-Input', 'RDN-Balance', 'Content-Digest', 'Accept'),
    fc.string(),
  )
  const values = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('rdn', 'rdn=()'),
  )
  const lines = fc.array(fc.tuple(names, values), { maxLength: 4 })
  fc.assert(
    fc.property(lines, fc.string(), fc.string(), (more, path, query) => {
      const request = { ...vector, path, query, fields: [...vector.fields, ...more] }
      t.notThrows(() => parseBoundRequest(request))
      t.notThrows(() => parseBoundRequest({ ...request, fields: more }))
      try {
        signRequest({ ...request, fields: [...payment.fields, ...more] }, keys)
      } catch (error) {
        t.true(isUraidenError(error, 'unsignable_request'))
      }
    }),
    { numRuns: 500 },
  )
})

function without(request: RequestMessage, name: string): RequestMessage {
  return { ...request, fields: request.fields.filter(([other]) => other !== name) }
}

function adding(request: RequestMessage, ...more: FieldLines): RequestMessage {
  return { ...request, fields: [...request.fields, ...more] }
}

const unsignable: readonly (readonly [string, RequestMessage, string | undefined])[] = [
  ['without a balance and a nonce', unpaid, undefined],
  ['with a short nonce', unpaid, 'x'],
  ['with a nonce that is no base64url', unpaid, `${vectorNonce}"`],
  ['without RDN-Origin', without(payment, 'RDN-Origin'), undefined],
  ['without RDN-Receiver-Address', without(payment, 'RDN-Receiver-Address'), undefined],
  ['with content without a digest', adding(payment, ['Content-Length', '3']), undefined],
  ['with a malformed digest', adding(payment, ['Content-Digest', 'md5=:YQ==:']), undefined],
  ['with an RDN field twice', adding(payment, ['rdn-payment', '1000']), undefined],
  ['with a field that is not ASCII', adding(payment, ['Prefer', 'ü']), undefined],
  ['with a line feed in a field', adding(payment, ['Prefer', 'a\nb']), undefined],
  ['with a name that is none', adding(payment, ['If-"x"', '1']), undefined],
  ['with a path that is none', { ...payment, path: 'http://x/' }, undefined],
  ['with a query in its path', { ...payment, path: '/a?b' }, undefined],
  ['with a query that is none', { ...payment, query: 'b' }, undefined],
  ['with a fragment', { ...payment, query: '?a#b' }, undefined],
  ['with a path of several lines', { ...payment, path: '/a\n"@query": ?' }, undefined],
  ['with a Signature of an older scheme', adding(payment, ['Signature', 'keyId="x"']), undefined],
]

for (const [what, request, nonce] of unsignable) {
  test(`a request ${what} is not signed`, (t) => {
    t.throws(() => signRequest(request, keys, { nonce }), { code: 'unsignable_request' })
  })
}

test('an empty path is /, an empty query is ?', (t) => {
  const sent = send({ ...payment, path: '', query: '' })
  t.true(accepted({ ...sent, path: '/', query: '?' }))
  t.true(accepted({ ...sent, path: '/', query: '' }))
})

test('a request without a signature of ours is not bound, whatever else signs it', (t) => {
  const foreign: FieldLines = [
    ['Signature-Input', 'gw=("@method");keyid="g"'],
    ['Signature', 'gw=:YQ==:'],
  ]
  t.is(parseBoundRequest(payment), undefined)
  t.is(parseBoundRequest(adding(payment, ...foreign)), undefined)
  const older = adding(payment, ['Signature', 'keyId="x",algorithm="hmac-sha256",signature="YQ=="'])
  t.is(parseBoundRequest(older), undefined)
})

test('signatures of others stay beside ours, on one line or on several', (t) => {
  const foreign: FieldLines = [
    ['Signature-Input', 'gw=("@method");created=1;keyid="g",  z=()'],
    ['Signature', 'gw=:YQ==:, rdn=:AAAA:'],
  ]
  const signed = signRequest(adding(payment, ...foreign), keys)
  t.regex(signed.fields['Signature-Input'], /^gw=\("@method"\);created=1;keyid="g", z=\(\), rdn=\(/)
  t.regex(signed.fields.Signature, /^gw=:YQ==:, rdn=:[^:]{44}:$/)
  t.true(accepted(adding(payment, ...Object.entries(signed.fields))))

  const alone = Object.entries(signRequest(payment, keys).fields)
  const after: FieldLines = [
    ['signature', 'a=:YQ==:'],
    ['signature-input', 'a=("@status")'],
  ]
  t.true(accepted(adding(payment, ...alone, ...after)))
  t.true(accepted(adding(payment, ...after, ...alone)))
})

const otherSignatures: readonly (readonly [string, (input: string) => string])[] = [
  ['of an answer', (input) => input.replace('rdn-request-1', 'rdn-answer-1')],
  ['with an algorithm', (input) => `${input};alg="hmac-sha256"`],
  ['with a time', (input) => `${input};created=1`],
  ['with a parameter of another kind', (input) => input.replace('"rdn-request-1"', 'x')],
  ['without a keyid', (input) => input.replace(/;keyid="[^"]*"/, '')],
  ['without a tag', (input) => input.replace(/;tag="[^"]*"/, '')],
  ['with a component twice', (input) => input.replace('"accept"', '"accept" "accept"')],
  ['with another derived component', (input) => input.replace('"accept"', '"accept" "@authority"')],
  ['with a component of a request', (input) => input.replace('"accept"', '"accept";req')],
  ['with a component in strict form', (input) => input.replace('"accept"', '"accept";sf')],
  ['with a component in upper case', (input) => input.replace('"accept"', '"Accept"')],
  ['with itself', (input) => input.replace('"accept"', '"accept" "signature"')],
  ['with a request’s signature', (input) => input.replace('"accept"', '"signature";req;key="rdn"')],
  ['with a component that is no text', (input) => input.replace('"accept"', 'accept')],
  ['that is no list', () => 'rdn=1'],
  ['twice', (input) => `${input}, ${input}`],
  ['in a field that is no dictionary', (input) => `${input},`],
]

for (const [what, change] of otherSignatures) {
  test(`a signature ${what} is none of this profile`, (t) => {
    const fields = vector.fields.map(
      ([name, value]) => [name, name === 'Signature-Input' ? change(value) : value] as const,
    )
    const claimed = parseBoundRequest({ ...vector, fields })
    t.is(claimed?.ok === false && claimed.code, 'request_altered')
  })
}

for (const value of ['rdn', 'rdn="x"', 'rdn=:YQ==:', 'rdn=()', 'rdn=:YQ==:, rdn=:YQ==:']) {
  test(`Signature: ${value} has no MAC`, (t) => {
    const fields = [...without(vector, 'Signature').fields, ['Signature', value] as const]
    const claimed = parseBoundRequest({ ...vector, fields })
    t.is(claimed?.ok === false && claimed.code, 'request_altered')
  })
}

test('who has no keys for a request, or others, says so', (t) => {
  const claimed = parseBoundRequest(vector)
  if (!claimed?.ok) return t.fail()
  for (const known of [undefined, { ...keys, keyid: '0000000000000000' }]) {
    const outcome = verifyRequest(claimed.value, known)
    t.is(outcome.ok === false && outcome.code, 'request_key_unknown')
  }
})
