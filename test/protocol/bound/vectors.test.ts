import { createECDH, createHmac } from 'node:crypto'
import test from 'ava'
import {
  bindingInfo,
  digestOfContent,
  formatContentDigest,
  parseBoundAnswer,
  parseBoundRequest,
  signAnswer,
  signRequest,
  verifyAnswer,
  verifyRequest,
} from '../../../protocol/bound/index.ts'
import { toHex } from '../../../protocol/index.ts'
import {
  answerOf,
  answerVectors,
  binding,
  bytes,
  keys,
  macOf,
  requestOf,
  requestVectors,
  unsigned,
  vectorKeys,
  vectorNonce,
} from './vectors.ts'

test('keys: info, both keys and keyid to the byte', (t) => {
  t.is<string, string>(toHex(bindingInfo(binding)), `0x${vectorKeys.info}`)
  t.is<string, string>(toHex(keys.requests), `0x${vectorKeys.requestKey}`)
  t.is<string, string>(toHex(keys.answers), `0x${vectorKeys.answerKey}`)
  t.is(keys.keyid, vectorKeys.keyid)
})

test('node:crypto finds the same secret', (t) => {
  const ecdh = createECDH('secp256k1')
  ecdh.setPrivateKey(bytes(vectorKeys.senderRequestPrivate))
  t.is(ecdh.computeSecret(bytes(vectorKeys.R)).toString('hex'), vectorKeys.Z)
})

test('there are messages of both kinds', (t) => {
  t.is(requestVectors.length, 3)
  t.is(answerVectors.length, 4)
})

for (const vector of requestVectors) {
  const { name, headers, body } = vector
  const message = requestOf(vector)
  const nonce = 'RDN-Balance' in headers ? undefined : vectorNonce

  test(`${name}: signed to the byte`, (t) => {
    const fields = unsigned(message.fields)
    const signed = signRequest({ ...message, fields }, keys, { nonce })
    t.like(headers, signed.fields)
    t.deepEqual(signed.mac, macOf(vector))
  })

  test(`${name}: read and found right`, (t) => {
    const claimed = parseBoundRequest(message)
    if (!claimed?.ok) return t.fail(claimed?.detail)
    t.is(claimed.value.base, vector.base)
    t.is(claimed.value.nonce, nonce)
    t.is(verifyRequest(claimed.value, keys).ok, true)
    const native = (key: Uint8Array, text: string) =>
      createHmac('sha256', key).update(text).digest()
    t.is(verifyRequest(claimed.value, keys, { hmac: native }).ok, true)
    const digest = body === '' ? undefined : digestOfContent(Buffer.from(body))
    t.deepEqual(claimed.value.contentDigest, digest)
    if (digest) t.like(headers, { 'Content-Digest': formatContentDigest(digest) })
  })
}

for (const { answer: vector, request } of answerVectors) {
  const { name, headers, body } = vector
  const message = answerOf(vector)
  const requestMac = macOf(request)

  test(`${name}: signed to the byte`, (t) => {
    const fields = unsigned(message.fields)
    const signed = signAnswer({ ...message, fields }, keys, { requestMac })
    t.like(headers, signed.fields)
    t.deepEqual(signed.mac, macOf(vector))
  })

  test(`${name}: read and found right`, (t) => {
    const claimed = parseBoundAnswer(message, { requestMac })
    if (!claimed.ok) return t.fail(claimed.detail)
    t.is(claimed.value.base, vector.base)
    t.is(verifyAnswer(claimed.value, keys).ok, true)
    t.deepEqual(
      claimed.value.content,
      'RDN-Body' in headers
        ? { kind: 'later' }
        : { kind: 'digest', digest: digestOfContent(Buffer.from(body)) },
    )
  })
}
