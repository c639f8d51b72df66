import test from 'ava'
import {
  amount,
  exactly,
  flag,
  ifFits,
  integer,
  listOf,
  Misshapen,
  mapped,
  nullish,
  object,
  oneOf,
  optional,
  positive,
  recordOf,
  type Shape,
  text,
  urlText,
} from '../../../platform/shapes/shape.ts'

interface Case {
  readonly shape: Shape<unknown>
  readonly takes: readonly unknown[]
  readonly refuses: readonly unknown[]
}

const cases: Readonly<Record<string, Case>> = {
  text: { shape: text(), takes: ['', 'a'], refuses: [1, undefined, null, ['a'], new String('a')] },
  'text of a pattern': { shape: text(/^a+$/), takes: ['aa'], refuses: ['b', '', ['a']] },
  URL: {
    shape: urlText(),
    takes: ['http://a/b', 'dns-sd://a', 'x:y'],
    refuses: ['', 'a/b', '//a', 7, new URL('http://a')],
  },
  'URL of a scheme': {
    shape: urlText('http', 'https'),
    takes: ['http://a', 'https://a', 'HTTP://a'],
    refuses: ['ftp://a', 'file:///etc/passwd', 'httpx://a', 'a'],
  },
  integer: {
    shape: integer(0, 255),
    takes: [0, 255],
    refuses: [-1, 256, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null],
  },
  'integer without bounds': { shape: integer(), takes: [2 ** 53 - 1], refuses: [2 ** 53, -1] },
  positive: {
    shape: positive,
    takes: [0.1, 1e300],
    refuses: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1'],
  },
  amount: { shape: amount, takes: [0n, 10n ** 30n], refuses: [-1n, 1, '1', null] },
  flag: { shape: flag, takes: [true, false], refuses: [0, 'true', null, undefined] },
  oneOf: { shape: oneOf('a', 'b'), takes: ['a', 'b'], refuses: ['c', '', undefined, ['a']] },
  optional: { shape: optional(text()), takes: [undefined, 'a'], refuses: [null, 1] },
  nullish: { shape: nullish(text()), takes: [undefined, null, 'a'], refuses: [1] },
  list: { shape: listOf(flag), takes: [[], [true]], refuses: [[1], {}, { length: 0 }, 'a'] },
  record: { shape: recordOf(flag), takes: [{}, { a: true }], refuses: [[], { a: 1 }, null, 'a'] },
  object: {
    shape: object({ a: flag }),
    takes: [{ a: true }],
    refuses: [{}, { a: 1 }, [], null, undefined, 'a', Object.create({ a: true })],
  },
  exactly: {
    shape: exactly({ a: optional(flag) }),
    takes: [{}, { a: true }],
    refuses: [{ b: 1 }, { a: true, b: undefined }, JSON.parse('{"__proto__":{"a":true}}'), []],
  },
}

for (const [name, { shape, takes, refuses }] of Object.entries(cases)) {
  test(`${name}: takes what has the shape, and nothing else`, (t) => {
    for (const each of takes) t.deepEqual(shape(each), each)
    for (const each of refuses) {
      t.throws(() => shape(each), { instanceOf: Misshapen }, String(Object(each)))
      t.is(ifFits(shape, each), undefined)
    }
  })
}

test('an object has what its shape names, each made into what the shape makes of it', (t) => {
  const shape = object({ a: mapped(text(), Number), b: optional(text()) })
  t.deepEqual(shape({ a: '7', b: undefined, c: 1 }), { a: 7 })
  const record = recordOf(text())(JSON.parse('{"__proto__":"a"}'))
  t.is(Object.getPrototypeOf(record), Object.prototype)
})

test('it is said where something is wrong', (t) => {
  const shape = exactly({ a: listOf(object({ b: text() })) })
  t.throws(() => shape({ a: [{ b: '' }, { b: 1 }] }), { message: 'a: 1: b: it should be a text' })
  t.throws(() => shape({ x: 1 }), { message: 'nothing is known of "x"' })
})

test('an error of what is made of it is nobody else’s', (t) => {
  const failing = mapped(text(), () => {
    throw new TypeError('of its own')
  })
  t.throws(() => object({ a: failing })({ a: '' }), { instanceOf: TypeError })
  t.throws(() => ifFits(failing, ''), { instanceOf: TypeError })
})
