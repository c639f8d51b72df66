import test from 'ava'
import fc from 'fast-check'
import {
  answerId,
  digestOfContent,
  parseAnswerId,
  parseReceipt,
  type Receipt,
  serializeReceipt,
  verifyReceipt,
} from '../../../protocol/bound/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { macOf, requestVector } from './vectors.ts'

const content = new TextEncoder().encode('{"n":1}\n{"n":2}\n')
const digest = digestOfContent(content)
const receipt: Receipt = {
  status: 200,
  length: content.length,
  digest,
  complete: true,
  cost: 1000n,
}
const received = { status: 200, length: content.length, digest }

test('a receipt is read as it was written', (t) => {
  t.is(
    serializeReceipt(receipt),
    `{"status":200,"length":16,"sha-256":"${Buffer.from(digest).toString('base64')}","complete":true,"cost":"1000"}`,
  )
  fc.assert(
    fc.property(
      fc.record({
        status: fc.integer({ min: 200, max: 599 }),
        length: fc.maxSafeNat(),
        digest: fc
          .uint8Array({ minLength: 32, maxLength: 32 })
          .map((bytes) => Uint8Array.from(bytes)),
        complete: fc.boolean(),
        cost: fc.bigInt({ min: 0n, max: 2n ** 192n - 1n }),
      }),
      (any) => t.deepEqual(parseReceipt(serializeReceipt(any)), any),
    ),
  )
})

test('12: an answer that was cut, altered or lengthened does not fit its receipt', (t) => {
  const code = (change: object, of: object = {}) => {
    const outcome = verifyReceipt({ ...receipt, ...of }, { ...received, ...change })
    return outcome.ok ? 'ok' : outcome.code
  }
  t.is(code({}), 'ok')
  t.is(code({ length: 15 }), 'answer_cut')
  t.is(code({ length: 17 }), 'answer_altered')
  t.is(code({ digest: digestOfContent(new Uint8Array()) }), 'answer_altered')
  t.is(code({ status: 201 }), 'answer_altered')
  t.is(code({}, { complete: false }), 'answer_cut')
})

test('an answer is named by the first half of its request’s MAC', (t) => {
  const mac = macOf(requestVector('payment'))
  const id = answerId(mac)
  t.is(id, Buffer.from(mac.subarray(0, 16)).toString('hex'))
  t.is(parseAnswerId(id), id)
  for (const text of ['', id.slice(1), `${id}0`, id.toUpperCase(), '../../../admin']) {
    t.throws(() => parseAnswerId(text), { code: 'not_an_answer_id' })
  }
})

const good = JSON.parse(serializeReceipt(receipt))

const malformed: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['status as text', { ...good, status: '200' }],
  ['a negative length', { ...good, length: -1 }],
  ['a length that is not exact', { ...good, length: 2 ** 53 }],
  ['a short digest', { ...good, 'sha-256': 'YQ==' }],
  ['no digest', { ...good, 'sha-256': undefined }],
  ['complete as text', { ...good, complete: 'true' }],
  ['a cost as number', { ...good, cost: 1000 }],
]

for (const [what, value] of malformed) {
  test(`malformed: ${what}`, (t) => {
    t.throws(() => parseReceipt(JSON.stringify(value)), { code: 'malformed_receipt' })
  })
}

test('whatever comes, only an error of ours is thrown', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
      const error = t.throws(() => parseReceipt(json))
      t.true(isUraidenError(error, 'malformed_receipt'))
    }),
  )
})
