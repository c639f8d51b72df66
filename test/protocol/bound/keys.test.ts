import { createECDH, hkdfSync } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import {
  type Binding,
  bindingInfo,
  createRequestKey,
  deriveBoundKeys,
  parseRequestPublicKey,
  requestPublicKey,
  requireOnCurve,
  sharedSecret,
} from '../../../protocol/bound/index.ts'
import { addressOfKey, fromHex, toHex } from '../../../protocol/index.ts'
import { binding, bytes, keys, vectorKeys } from './vectors.ts'

const privateKeys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((random) => {
  // Any 32 bytes below the group's order and above zero are a key.
  const key = Uint8Array.from(random)
  key[0] = 1
  return key
})

test('both sides find the secret of the vectors', (t) => {
  const { senderRequestPrivate, receiverRequestPrivate, S, R, Z } = vectorKeys
  t.is<string, string>(requestPublicKey(bytes(senderRequestPrivate)), `0x${S}`)
  t.is<string, string>(requestPublicKey(bytes(receiverRequestPrivate)), `0x${R}`)
  const expected = `0x${Z}`
  t.is<string, string>(
    toHex(sharedSecret(bytes(senderRequestPrivate), binding.receiverKey)),
    expected,
  )
  t.is<string, string>(
    toHex(sharedSecret(bytes(receiverRequestPrivate), binding.senderKey)),
    expected,
  )
})

test('any two keys have one secret, and node:crypto finds it too', (t) => {
  fc.assert(
    fc.property(privateKeys, privateKeys, (mine, yours) => {
      const secret = sharedSecret(mine, requestPublicKey(yours))
      t.deepEqual(secret, sharedSecret(yours, requestPublicKey(mine)))
      const ecdh = createECDH('secp256k1')
      ecdh.setPrivateKey(mine)
      const native = ecdh.computeSecret(fromHex(requestPublicKey(yours)))
      t.is<string, string>(toHex(secret), `0x${native.toString('hex')}`)
    }),
    { numRuns: 20 },
  )
})

test('the keys are HKDF of RFC 5869 over the info, as node:crypto has it', (t) => {
  const secret = bytes(vectorKeys.Z)
  const derived = new Uint8Array(hkdfSync('sha256', secret, '', bindingInfo(binding), 64))
  t.deepEqual(keys.requests, derived.slice(0, 32))
  t.deepEqual(keys.answers, derived.slice(32))
})

const other = addressOfKey(fromHex(`0x${'44'.repeat(32)}`))
const { channel } = binding

/** Whatever is changed, other keys and another name come of it. */
const changes: readonly (readonly [string, Partial<Binding>])[] = [
  ['chain', { chainId: 1n }],
  ['contract', { contract: other }],
  ['sender', { channel: { ...channel, sender: other } }],
  ['receiver', { channel: { ...channel, receiver: other } }],
  ['open block', { channel: { ...channel, openBlock: 8 } }],
  ['direction', { channel: { ...channel, sender: channel.receiver, receiver: channel.sender } }],
  ['order of the keys', { senderKey: binding.receiverKey, receiverKey: binding.senderKey }],
]

for (const [what, change] of changes) {
  test(`another ${what} makes other keys`, (t) => {
    const changed = deriveBoundKeys(bytes(vectorKeys.Z), { ...binding, ...change })
    t.not(changed.keyid, keys.keyid)
    t.notDeepEqual(changed.requests, keys.requests)
    t.notDeepEqual(changed.answers, keys.answers)
  })
}

test('the keys of both directions are not one another’s', (t) => {
  t.notDeepEqual(keys.requests, keys.answers)
})

test('only the 32 bytes of ECDH are a secret', (t) => {
  t.throws(() => deriveBoundKeys(new Uint8Array(33), binding), { instanceOf: RangeError })
})

test('a new key is on the curve and is not the one before', (t) => {
  const [one, two] = [createRequestKey(), createRequestKey()]
  t.notThrows(() => requireOnCurve(one.publicKey))
  t.is(requestPublicKey(one.privateKey), one.publicKey)
  t.not(one.publicKey, two.publicKey)
})

/** Well formed, but x is no point's: 5 has none, and the last one is above the field's prime. */
const noPoints = [`0x02${'0'.repeat(63)}5`, `0x02${'0'.repeat(64)}`, `0x03${'f'.repeat(64)}`].map(
  parseRequestPublicKey,
)

test('what is no point on the curve is refused, by ECDH too', (t) => {
  const mine = bytes(vectorKeys.senderRequestPrivate)
  for (const key of noPoints) {
    t.throws(() => requireOnCurve(key), { code: 'not_a_request_key' })
    t.throws(() => sharedSecret(mine, key), { code: 'not_a_request_key' })
  }
})

test('infinity, an uncompressed point and anything else have not the form of a key', (t) => {
  const texts = ['', '0x', '0x00', `0x00${'0'.repeat(64)}`, `0x04${'1'.repeat(128)}`]
  for (const text of [
    ...texts,
    vectorKeys.S,
    `0x${vectorKeys.S}00`,
    `0x${vectorKeys.S.slice(2)}`,
  ]) {
    t.throws(() => parseRequestPublicKey(text), { code: 'not_a_request_key' })
  }
  const upper = `0x${vectorKeys.S.toUpperCase()}`
  t.is<string, string>(parseRequestPublicKey(upper), binding.senderKey)
})
