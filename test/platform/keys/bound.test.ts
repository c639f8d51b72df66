// What node:crypto computes for bound requests is what protocol/bound computes.
import test from 'ava'
import fc from 'fast-check'
import { hmac, requestSecret } from '../../../platform/keys/bound.ts'
import {
  createRequestKey,
  hmacSha256,
  parseRequestPublicKey,
  sharedSecret,
} from '../../../protocol/bound/index.ts'

const without = () => {
  throw new Error('no such curve')
}
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 900 })

test('the MAC is that of any implementation, also when a key is used again', (t) => {
  fc.assert(
    fc.property(bytes32, ascii, ascii, (key, first, second) => {
      for (const text of [first, second]) {
        t.deepEqual(new Uint8Array(hmac(key, text)), hmacSha256(key, text))
      }
    }),
  )
})

test('both sides have the secret that noble computes', (t) => {
  for (let pair = 0; pair < 8; pair++) {
    const [one, other] = [createRequestKey(), createRequestKey()]
    const secret = new Uint8Array(requestSecret(one.privateKey, other.publicKey))
    t.deepEqual(secret, new Uint8Array(requestSecret(other.privateKey, one.publicKey)))
    t.deepEqual(secret, new Uint8Array(sharedSecret(one.privateKey, other.publicKey)))
    t.deepEqual(secret, new Uint8Array(requestSecret(one.privateKey, other.publicKey, without)))
  }
})

test('what is no point on the curve is refused by its code', (t) => {
  const { privateKey } = createRequestKey()
  // x = 5 is on no point of secp256k1.
  const none = parseRequestPublicKey(`0x02${'00'.repeat(31)}05`)
  t.throws(() => requestSecret(privateKey, none), { code: 'not_a_request_key' })
  t.throws(() => requestSecret(privateKey, none, without), { code: 'not_a_request_key' })
  t.throws(() => sharedSecret(privateKey, none), { code: 'not_a_request_key' })
})
