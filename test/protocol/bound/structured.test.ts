import test from 'ava'
import fc from 'fast-check'
import {
  isInnerList,
  parseDictionary as theirParse,
  serializeDictionary as theirSerialize,
} from 'structured-headers'
import {
  parseDictionary,
  serializeDictionary,
  stringItem,
  stringValue,
} from '../../../protocol/bound/structured.ts'
import { isUraidenError } from '../../../protocol/index.ts'

const keys = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/)
const strings = fc.stringMatching(/^[ -~]{0,12}$/).map((text) => stringItem(text).text)
const bareItems = fc.oneof(
  strings,
  fc.integer({ min: -999_999, max: 999_999 }).map(String),
  fc.constantFrom('1.5', '-0.125', '?0', '?1', 'token', '*x/y:z', '%"f%c3%bc"'),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => `:${Buffer.from(bytes).toString('base64')}:`),
)
const parameters = fc
  .array(fc.tuple(keys, fc.option(bareItems)), { maxLength: 3 })
  .map((pairs) => pairs.map(([key, value]) => (value === null ? `;${key}` : `; ${key}=${value}`)))
const items = fc.tuple(bareItems, parameters).map(([value, more]) => value + more.join(''))
const innerLists = fc
  .tuple(fc.array(items, { maxLength: 4 }), parameters)
  .map(([list, more]) => `( ${list.join('  ')} )${more.join('')}`)
const members = fc
  .tuple(keys, fc.oneof(items, innerLists, fc.constant('')))
  .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
const dictionaries = fc
  .array(members, { maxLength: 5 })
  .chain((list) => fc.constantFrom(', ', ',', '\t,  ').map((comma) => list.join(comma)))

/** One character changed, added or taken away. */
const damaged = fc
  .tuple(dictionaries, fc.nat(), fc.string({ maxLength: 2 }), fc.nat({ max: 1 }))
  .map(([text, at, added, taken]) => {
    const place = text.length === 0 ? 0 : at % text.length
    return text.slice(0, place) + added + text.slice(place + taken)
  })

function theirs(text: string): ReturnType<typeof theirParse> | undefined {
  try {
    return theirParse(text)
  } catch {
    return
  }
}

function ours(text: string): ReturnType<typeof parseDictionary> | undefined {
  try {
    return parseDictionary(text)
  } catch (error) {
    if (isUraidenError(error, 'malformed_dictionary')) return
    throw error
  }
}

test('members are read as another library reads them, and nothing is lost in writing', (t) => {
  fc.assert(
    fc.property(dictionaries, (text) => {
      const read = parseDictionary(text)
      const expected = theirParse(text)
      t.deepEqual(new Set(read.map(({ key }) => key)), new Set(expected.keys()))
      for (const { key, value, text: own } of new Map(read.map((one) => [one.key, one])).values()) {
        const their = expected.get(key)
        t.is(value.kind === 'list', their !== undefined && isInnerList(their))
        t.deepEqual(theirParse(own).get(key), their)
      }
      const written = serializeDictionary(read)
      t.deepEqual(parseDictionary(written), read)
      t.is(theirSerialize(theirParse(written)), theirSerialize(expected))
    }),
  )
})

test('strings are read as another library reads them', (t) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,20}$/), (text) => {
      const item = stringItem(text)
      t.is(stringValue(item), text)
      t.is(theirParse(`a=${item.text}`).get('a')?.[0], text)
    }),
  )
  t.throws(() => stringItem('ü'), { code: 'not_a_structured_string' })
  t.throws(() => stringItem('a\nb'), { code: 'not_a_structured_string' })
})

test('what another library refuses is refused, with an error of ours', (t) => {
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string(), fc.string({ unit: 'binary' })), (text) => {
      if (theirs(text) === undefined) t.is(ours(text), undefined, JSON.stringify(text))
      else ours(text)
    }),
    { numRuns: 2000 },
  )
})

const malformed: readonly string[] = [
  'a=1,',
  ',a=1',
  'a=1,,b=2',
  'a=1 b=2',
  'A=1',
  'a=',
  'a=(1',
  'a=(1 2',
  'a=("x""y")',
  'a=(1,2)',
  'a="x',
  'a="\\x"',
  'a="ü"',
  'a=:a:',
  'a=:YQ',
  'a=:YQ=:',
  'a=:YQ===:',
  'a=:abcde==:',
  'a=?2',
  'a=1.',
  'a=1.2345',
  'a=1234567890123456',
  'a=@1.5',
  'a=%"%zz"',
  'a=%"%c3"',
  'a=;x',
  'a;',
  'a;X',
  'keyId="x",algorithm="hmac"',
]

for (const text of malformed) {
  test(`no dictionary: ${text}`, (t) => {
    t.throws(() => parseDictionary(text), { code: 'malformed_dictionary' })
  })
}

test('nothing is an empty dictionary; a key alone is true', (t) => {
  t.deepEqual(parseDictionary(''), [])
  t.deepEqual(parseDictionary('  '), [])
  const [member] = parseDictionary('a;x=1')
  t.is(member?.value.kind === 'item' ? member.value.value.text : '', '?1')
})

test('a date may be a value like any other', (t) => {
  t.deepEqual(
    parseDictionary('a=@-1;b=@2, c=(@3)').map(({ text }) => text),
    ['a=@-1;b=@2', 'c=(@3)'],
  )
})

test('bytes are kept as they were written', (t) => {
  t.is(parseDictionary('a=:AAECAw==:, b')[0]?.text, 'a=:AAECAw==:')
})

test('a long field takes time in proportion to its length', (t) => {
  const parts = [' '.repeat(100_000), 'a='.repeat(50_000), `a=(${'"x" '.repeat(50_000)}`]
  for (const text of [...parts, `a="${'\\"'.repeat(50_000)}`, `a=${'1'.repeat(100_000)}`]) {
    t.notThrows(() => ours(text))
  }
})
