// Against ethers, an implementation of EIP-712 that shares no code with ours.
import test from 'ava'
import { solidityPackedKeccak256, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import {
  authorizationDigest,
  domainSeparator,
  openingNonce,
  parseAddress,
  toHex,
} from '../../protocol/index.ts'
import { authorizationTypes } from '../support/authorization-types.ts'

const token = parseAddress(`0x${'a1'.repeat(20)}`)
const contract = parseAddress(`0x${'c2'.repeat(20)}`)
const named = { name: 'USD Coin', version: '2' }
const domain = { ...named, chainId: 8453n, verifyingContract: token }
const separator = domainSeparator(token, domain.chainId, named)

const fixed = {
  sender: parseAddress(`0x${'11'.repeat(20)}`),
  receiver: parseAddress(`0x${'22'.repeat(20)}`),
  deposit: 1_000_000n,
  validAfter: 0n,
  validBefore: 1_800_000_000n,
  salt: `0x${'5a'.repeat(32)}`,
} as const

test('an authorization that is written down here', (t) => {
  t.is(
    toHex(openingNonce(fixed)),
    '0x6685d6b99d7ca978bade143373d24c8e13691131371036b72d46e3188c716d75',
  )
  t.is(
    toHex(authorizationDigest(separator, contract, fixed)),
    '0x450d6a3769f28071196e218a15f0e735963d6b067ed1e984b7bc576edb7198f3',
  )
})

test('the digest of any authorization is the one that ethers has', (t) => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)
  const account = bytes(20).map((hex) => parseAddress(hex))
  const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const any = fc.record({
    ...{ sender: account, receiver: account, validAfter: time, validBefore: time },
    ...{ deposit: fc.bigInt({ min: 0n, max: 2n ** 192n - 1n }), salt: bytes(32) },
  })
  fc.assert(
    fc.property(any, (authorization) => {
      const { sender, receiver, deposit, validAfter, validBefore, salt } = authorization
      const nonce = solidityPackedKeccak256(['address', 'bytes32'], [receiver, salt])
      t.is(nonce, toHex(openingNonce(authorization)))
      const message = {
        ...{ from: sender, to: contract, value: deposit },
        ...{ validAfter, validBefore, nonce },
      }
      const digest = toHex(authorizationDigest(separator, contract, authorization))
      t.is(TypedDataEncoder.hash(domain, authorizationTypes, message), digest)
    }),
    { numRuns: 50 },
  )
})
