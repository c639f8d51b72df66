import { randomBytes } from 'node:crypto'
import test from 'ava'
import { addressOfPrivateKey } from '../../../platform/keys/address.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'

const without = () => {
  throw new Error('no such curve')
}

/** The group's order (SEC 2, section 2.4.1). */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const bytesOf = (key: bigint) => fromHex(`0x${key.toString(16).padStart(64, '0')}`)

test('it is the address that the protocol’s own curve gives', (t) => {
  const keys = [1n, 2n, 255n, order - 1n].map(bytesOf)
  for (const key of [...keys, ...Array.from({ length: 20 }, () => randomBytes(32))]) {
    t.is(addressOfPrivateKey(key), addressOfKey(key))
    t.is(addressOfPrivateKey(key, without), addressOfKey(key), 'where the system has no such curve')
  }
})

for (const number of [0n, order, order + 1n, 2n ** 256n - 1n]) {
  test(`${number} is no key`, (t) => {
    t.throws(() => addressOfPrivateKey(bytesOf(number)))
    t.throws(() => addressOfPrivateKey(bytesOf(number), without))
  })
}

for (const length of [0, 31, 33]) {
  test(`${length} bytes are no key`, (t) => {
    t.throws(() => addressOfPrivateKey(new Uint8Array(length).fill(1)))
  })
}
