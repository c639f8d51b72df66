import test from 'ava'
import fc from 'fast-check'
import {
  type AnswerMessage,
  compareAnswer,
  type FieldLines,
  hmacSha256,
  parseBoundAnswer,
  signAnswer,
  verifyAnswer,
} from '../../../protocol/bound/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { answerOf, answerVector, keys, macOf, requestVector, unsigned } from './vectors.ts'

const vector = answerOf(answerVector('payment: refusal'))
const requestMac = macOf(requestVector('payment'))
const refusal: AnswerMessage = { ...vector, fields: unsigned(vector.fields) }

function accepted(answer: AnswerMessage): boolean {
  const claimed = parseBoundAnswer(answer, { requestMac })
  return claimed.ok && verifyAnswer(claimed.value, keys).ok
}

/** Another character than the one that is there. */
function damage(text: string, at: number, by: number): string {
  const place = at % text.length
  const code = 0x21 + ((text.charCodeAt(place) - 0x21 + 1 + by) % 0x5e)
  return text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1)
}

test('whatever one character of what is covered becomes, or of the signature, it is refused', (t) => {
  const signed = parseBoundAnswer(vector, { requestMac })
  if (!signed.ok) return t.fail()
  const names = vector.fields.map(([name]) => name)
  const covered = names.filter((name) => signed.value.covered(name) !== undefined)
  fc.assert(
    fc.property(
      fc.constantFrom('Signature', 'Signature-Input', ...covered),
      fc.nat(),
      fc.integer({ min: 0, max: 91 }),
      (place, at, by) => {
        const fields = vector.fields.map(
          ([name, value]) => [name, name === place ? damage(value, at, by) : value] as const,
        )
        t.false(accepted({ ...vector, fields }))
      },
    ),
    { numRuns: 1000 },
  )
})

test('whatever one byte of the request’s MAC becomes, the answer is not to it', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 31 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const other = requestMac.map((byte, index) => (index === at ? byte ^ by : byte))
      const claimed = parseBoundAnswer(vector, { requestMac: other })
      t.true(claimed.ok && !verifyAnswer(claimed.value, keys).ok)
    }),
  )
})

test('only the same status is accepted', (t) => {
  fc.assert(
    fc.property(fc.integer(), (status) => t.is(accepted({ ...vector, status }), status === 402)),
  )
})

test('whatever comes, there is a result', (t) => {
  const names = fc.oneof(fc.constantFrom('Signature', 'Signature-Input', 'RDN-Body'), fc.string())
  const values = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))
  const lines = fc.array(fc.tuple(names, values), { maxLength: 4 })
  fc.assert(
    fc.property(lines, fc.double(), (more, status) => {
      t.notThrows(() => parseBoundAnswer({ status, fields: more }, { requestMac }))
      t.notThrows(() =>
        parseBoundAnswer({ status, fields: [...vector.fields, ...more] }, { requestMac }),
      )
      try {
        signAnswer({ status, fields: [...refusal.fields, ...more] }, keys, { requestMac })
      } catch (error) {
        t.true(isUraidenError(error, 'unsignable_answer'))
      }
    }),
    { numRuns: 500 },
  )
})

function adding(answer: AnswerMessage, ...more: FieldLines): AnswerMessage {
  return { ...answer, fields: [...answer.fields, ...more] }
}

const unsignable: readonly (readonly [string, AnswerMessage])[] = [
  ['an interim status', { ...refusal, status: 103 }],
  ['a broken status', { ...refusal, status: 200.5 }],
  ['an RDN field twice', adding(refusal, ['rdn-cost', '0'])],
  ['a digest and RDN-Body', adding(refusal, ['RDN-Body', 'later'])],
  ['another RDN-Body', { status: 200, fields: [['RDN-Body', 'soon']] }],
  ['a malformed digest', { status: 200, fields: [['Content-Digest', 'md5=:YQ==:']] }],
  ['a field that is not ASCII', adding(refusal, ['Location', '/ü'])],
]

for (const [what, answer] of unsignable) {
  test(`an answer with ${what} is not signed`, (t) => {
    t.throws(() => signAnswer(answer, keys, { requestMac }), { code: 'unsignable_answer' })
  })
}

test('an answer without what an answer must cover is none', (t) => {
  const change = (from: string, to: string) => {
    const fields = vector.fields.map(([name, value]) => [name, value.replace(from, to)] as const)
    const claimed = parseBoundAnswer({ ...vector, fields }, { requestMac })
    return claimed.ok ? 'ok' : claimed.code
  }
  t.is(change('', ''), 'ok')
  t.is(change('"@status" ', ''), 'answer_altered')
  t.is(change(' "signature";req;key="rdn"', ''), 'answer_altered')
  t.is(change('"signature";req;key="rdn"', '"signature";req;key="gw"'), 'answer_altered')
  t.is(change('"rdn-cost" ', ''), 'answer_altered')
  t.is(change('"@status"', '"@status" "@method"'), 'answer_altered')
  t.is(change('"@status"', '"@status" "@method";req'), 'answer_altered')
  t.is(change('rdn-answer-1', 'rdn-request-1'), 'answer_altered')
})

test('a caller whose keys do not leave their store makes the HMAC itself', (t) => {
  const claimed = parseBoundAnswer(vector, { requestMac })
  if (!claimed.ok) return t.fail()
  const mac = hmacSha256(keys.answers, claimed.value.base)
  t.true(compareAnswer(claimed.value, { keyid: keys.keyid, mac }).ok)
  const wrong = compareAnswer(claimed.value, { keyid: keys.keyid, mac: mac.toReversed() })
  t.is(wrong.ok === false && wrong.code, 'answer_altered')
  const other = compareAnswer(claimed.value, { keyid: '0000000000000000', mac })
  t.is(other.ok === false && other.code, 'answer_key_unknown')
})
