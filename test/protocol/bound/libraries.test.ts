// The same messages through two published implementations of RFC 9421, in both directions.
import test from 'ava'
import {
  type FieldLines,
  parseBoundAnswer,
  parseBoundRequest,
  signAnswer,
  signRequest,
  verifyAnswer,
  verifyRequest,
} from '../../../protocol/bound/index.ts'
import { libraries } from './libraries.ts'
import {
  answerOf,
  answerVectors,
  keys,
  macOf,
  requestOf,
  requestVectors,
  unsigned,
  vectorNonce,
} from './vectors.ts'

/** The message with one character of one field changed. */
function altered(fields: FieldLines, field: string): FieldLines {
  return fields.map(([name, value]) => [name, name === field ? `${value}0` : value])
}

for (const library of libraries) {
  for (const vector of requestVectors) {
    const message = requestOf(vector)
    const bare = unsigned(message.fields)
    const nonce = 'RDN-Balance' in vector.headers ? undefined : vectorNonce
    const signed = signRequest({ ...message, fields: bare }, keys, { nonce })
    const theirs = { method: vector.method, url: vector.url, fields: bare }
    const input = signed.fields['Signature-Input']

    test(`${vector.name}: ${library.name} takes what we signed, and nothing else`, async (t) => {
      const fields = [...bare, ...Object.entries(signed.fields)]
      t.true(await library.verify({ ...theirs, fields }, keys.requests))
      const other = { ...theirs, fields: altered(fields, 'RDN-Open-Block') }
      t.false(await library.verify(other, keys.requests))
    })

    test(`${vector.name}: we take what ${library.name} signed`, async (t) => {
      const added = await library.sign(theirs, keys.requests, input)
      const claimed = parseBoundRequest({ ...message, fields: [...bare, ...added] })
      t.true(claimed?.ok && verifyRequest(claimed.value, keys).ok)
    })
  }

  for (const { answer, request } of answerVectors) {
    const message = answerOf(answer)
    const bare = unsigned(message.fields)
    const requestMac = macOf(request)
    const signed = signAnswer({ ...message, fields: bare }, keys, { requestMac })
    const asked = { method: request.method, url: request.url, fields: requestOf(request).fields }
    const theirs = { status: answer.status, fields: bare, request: asked }
    const input = signed.fields['Signature-Input']

    test(`${answer.name}: ${library.name} takes what we signed, and nothing else`, async (t) => {
      const fields = [...bare, ...Object.entries(signed.fields)]
      t.true(await library.verify({ ...theirs, fields }, keys.answers))
      t.false(await library.verify({ ...theirs, fields, status: 203 }, keys.answers))
      const elsewhere = {
        ...asked,
        fields: [...unsigned(asked.fields), ...Object.entries(signed.fields)],
      }
      t.false(await library.verify({ ...theirs, fields, request: elsewhere }, keys.answers))
    })

    test(`${answer.name}: we take what ${library.name} signed`, async (t) => {
      const added = await library.sign(theirs, keys.answers, input)
      const claimed = parseBoundAnswer({ ...message, fields: [...bare, ...added] }, { requestMac })
      t.true(claimed.ok && verifyAnswer(claimed.value, keys).ok)
    })
  }
}
