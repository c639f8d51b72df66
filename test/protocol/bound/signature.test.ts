import test from 'ava'
import fc from 'fast-check'
import { formatCoverage } from '../../../protocol/bound/coverage.ts'
import {
  draftRequest,
  type FieldLines,
  finishDraft,
  hmacSha256,
  removeSignature,
  signRequest,
} from '../../../protocol/bound/index.ts'
import { keys, requestOf, requestVector, unsigned } from './vectors.ts'

const vector = requestOf(requestVector('payment'))
const payment = { ...vector, fields: unsigned(vector.fields) }

test('a name that is two names that are known is refused all the same', (t) => {
  const parameters = { keyid: 'k', tag: 'rdn-request-1' }
  t.deepEqual(formatCoverage(['a', 'b'], parameters).identifiers, ['"a"', '"b"'])
  t.is(formatCoverage(['a', 'b'], parameters).text, '("a" "b");keyid="k";tag="rdn-request-1"')
  t.throws(() => formatCoverage(['a b'], parameters), { code: 'unknown_component' })
})

test('our signature taken off leaves the message as it was', (t) => {
  t.deepEqual(removeSignature(vector.fields), payment.fields)
  t.deepEqual(removeSignature(payment.fields), payment.fields)
})

test('what others signed stays when ours is put on and taken off again', (t) => {
  const label = fc.stringMatching(/^[a-z]{1,6}$/).filter((text) => text !== 'rdn')
  const components = fc.constantFrom('()', '("@method" "a";sf);created=1;keyid="k"', '( "b"  )')
  const foreign = fc.uniqueArray(fc.tuple(label, components), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(foreign, (members) => {
      const input = members.map(([name, list]) => `${name}=${list}`).join(', ')
      const value = members.map(([name]) => `${name}=:YQ==:`).join(', ')
      const others: FieldLines = [
        ['Signature-Input', input],
        ['Signature', value],
      ]
      const fields = [...payment.fields, ...others]
      const signed = signRequest({ ...payment, fields }, keys)
      t.true(signed.fields['Signature-Input'].startsWith(`${input}, rdn=(`))
      t.true(signed.fields.Signature.startsWith(`${value}, rdn=:`))
      const both = [...payment.fields, ...Object.entries(signed.fields)]
      t.deepEqual(removeSignature(both), fields)
    }),
  )
})

test('several lines of others become one, in their order', (t) => {
  const lines: FieldLines = [
    ['signature', 'a=:YQ==:'],
    ['X', '1'],
    ['SIGNATURE', 'rdn=:YQ==:, b=:Yg==:'],
  ]
  t.deepEqual(removeSignature(lines), [
    ['signature', 'a=:YQ==:, b=:Yg==:'],
    ['X', '1'],
  ])
})

test('a draft with its HMAC is the signature', (t) => {
  const draft = draftRequest(payment, keys)
  const signed = finishDraft(draft, hmacSha256(keys.requests, draft.base))
  t.deepEqual(signed, signRequest(payment, keys))
})
