import { createHmac } from 'node:crypto'
import test from 'ava'
import { coverageOf, signatureBase } from '../../../protocol/bound/base.ts'
import { hmacSha256 } from '../../../protocol/bound/mac.ts'
import { parseDictionary } from '../../../protocol/bound/structured.ts'

// RFC 9421 appendix B.2.5
const secret = Buffer.from(
  'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
  'base64',
)
const input =
  'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
const values = new Map([
  ['"date"', 'Tue, 20 Apr 2021 02:07:55 GMT'],
  ['"@authority"', 'example.com'],
  ['"content-type"', 'application/json'],
])

function coverage(text: string) {
  const value = parseDictionary(text)[0]?.value
  if (value?.kind !== 'list') throw new Error(`no list: ${text}`)
  return coverageOf(value)
}

test('the example of RFC 9421 with a shared secret, base and MAC', (t) => {
  const base = signatureBase(coverage(input), (identifier) => values.get(identifier))
  t.is(
    base,
    `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
  )
  const mac = Buffer.from(hmacSha256(secret, base)).toString('base64')
  t.is(mac, 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=')
  t.is(mac, createHmac('sha256', secret).update(base).digest('base64'))
})

test('the list stands in the base in its only form, with its parameters in their order', (t) => {
  const { text, identifiers } = coverage('x=( "a"   "b";req;key="k" );tag="t"; keyid="k";x=?1')
  t.is(text, '("a" "b";req;key="k");tag="t";keyid="k";x')
  t.deepEqual(identifiers, ['"a"', '"b";req;key="k"'])
})

test('a component that comes twice is no coverage, other parameters make it another one', (t) => {
  t.throws(() => coverage('x=("a" "b" "a")'), { code: 'component_repeated' })
  t.notThrows(() => coverage('x=("a" "a";req)'))
})

test('a value that is missing or could pass for several lines has no base', (t) => {
  const of = (value: string | undefined) => signatureBase(coverage('x=("a")'), () => value)
  t.throws(() => of(undefined), { code: 'component_missing' })
  for (const value of ['1\n"b": 2', '1\r', 'ä', '\u0000', '\u007f']) {
    t.throws(() => of(value), { code: 'component_not_ascii' })
  }
  t.is(of(''), '"a": \n"@signature-params": ("a")')
})
