// What comes in a header of x402 is bytes of anybody.
import test from 'ava'
import fc from 'fast-check'
import { isUraidenError } from '../../../protocol/index.ts'
import {
  isSame,
  type Json,
  mostBody,
  mostField,
  parsePaymentRequired,
  parsePaymentResponse,
  parsePaymentSignature,
  readObject,
} from '../../../protocol/x402/index.ts'

const read = (text: string) => readObject('it', text)

const refused: readonly (readonly [what: string, text: string, why: RegExp])[] = [
  ['a name twice', '{"a":1,"a":2}', /^it has "a" twice\.$/],
  ['a name twice, once escaped', '{"a":1,"\\u0061":2}', /twice/],
  ['a name twice further in', '{"b":[{"a":1,"b":2,"a":3}]}', /twice/],
  ['the name of a prototype', '{"__proto__":{}}', /__proto__/],
  ['an integer that is rounded', '{"a":12345678901234567890}', /exactly/],
  ['a number that is no number', '{"a":1e999}', /exactly/],
  ['an exponent beyond integers', '{"a":1e300}', /exactly/],
  ['a list', '[]', /no JSON object/],
  ['null', 'null', /no JSON object/],
  ['nothing', '', /not JSON/],
  ['a comma too many', '{"a":1,}', /not JSON/],
  ['more after it', '{} {}', /not JSON/],
  ['too deep', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`, /deeper/],
  ['too deep by far', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, /deeper/],
  ['too long', `{"a":"${'x'.repeat(mostBody)}"}`, /longer/],
]

for (const [what, text, why] of refused) {
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => read(text))
    t.true(isUraidenError(error, 'malformed_x402'), `${error}`)
    t.regex(error?.message ?? '', why)
  })
}

test('names that are the same in different objects, signs in texts and fractions are fine', (t) => {
  const text = '{"a":{"b":"}:{\\"a\\":[","c":0.1},"b":[{"b":1},{"b":-2e3}]}'
  t.deepEqual(read(text), JSON.parse(text))
})

test('a value is the same as itself in another order, and no other one', (t) => {
  t.true(isSame({ a: 1, b: [{ c: null, d: 'x' }] }, { b: [{ d: 'x', c: null }], a: 1 }))
  t.false(isSame({ a: 1 }, { a: '1' }))
  t.false(isSame({ a: [1, 2] }, { a: [2, 1] }))
  t.false(isSame({ a: null }, {}))
})

test('any JSON without surprises is read as JSON.parse reads it', (t) => {
  const any = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.jsonValue({ maxDepth: 5 }),
  )
  fc.assert(
    fc.property(any, (value) => {
      const text = JSON.stringify(value)
      try {
        t.deepEqual(read(text), JSON.parse(text))
      } catch (error) {
        // fast-check makes numbers that no integer is exact at, and that name.
        t.true(isUraidenError(error, 'malformed_x402'))
        t.regex(text, /\d{16}|e[+-]?\d|__proto__/)
      }
    }),
  )
})

const parsers = [parsePaymentRequired, parsePaymentSignature, parsePaymentResponse]
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('no header makes a parser fail in another way than with an error of ours', (t) => {
  const json = fc.json().map(base64)
  const anything = fc.oneof(fc.string(), fc.base64String(), json)
  fc.assert(
    fc.property(anything, fc.constantFrom(...parsers), (text, parse) => {
      try {
        parse(text)
      } catch (error) {
        t.true(isUraidenError(error, 'malformed_x402'), `${error}`)
      }
    }),
    { numRuns: 500 },
  )
})

test('a field that is too long, not canonical, base64url or not UTF-8 is refused', (t) => {
  const fields: readonly string[] = [
    'e'.repeat(mostField + 4),
    // The bits that belong to no byte.
    `${base64('{"a":1}').slice(0, -3)}R==`,
    base64('{"a":"???>"}').replaceAll('/', '_').replaceAll('+', '-').replace('=', '*'),
    Buffer.from([0x7b, 0xff, 0x7d]).toString('base64'),
    Buffer.from('\ufeff{"success":true}').toString('base64'),
  ]
  for (const field of fields) {
    t.true(
      isUraidenError(
        t.throws(() => parsePaymentResponse(field)),
        'malformed_x402',
      ),
      field,
    )
  }
})

test('what is not a value of JSON does not come through', (t) => {
  const value: Json = { a: 1, b: { c: ['d'] } }
  t.deepEqual(read(JSON.stringify(value)), value)
})
