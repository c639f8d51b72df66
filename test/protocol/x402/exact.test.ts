// Against ethers, an implementation of EIP-712 that shares no code with ours.
import test from 'ava'
import { Signature as EthersSignature, TypedDataEncoder, verifyTypedData, Wallet } from 'ethers'
import fc from 'fast-check'
import {
  addressOfKey,
  fromHex,
  isUraidenError,
  parseAddress,
  type Signer,
  signDigest,
  toHex,
} from '../../../protocol/index.ts'
import {
  chainIdOf,
  exactTerms,
  formatExactPayload,
  isExact,
  isSignedByAccount,
  maxUint256,
  parseExactPayload,
  signTransfer,
  type TransferAuthorization,
  tokenSeparator,
  transferDigest,
} from '../../../protocol/x402/index.ts'
import { transferTypes } from '../../support/authorization-types.ts'
import { requirements, x402Asset, x402Seller } from '../../support/x402-offers.ts'

const key = fromHex(`0x${'4c'.repeat(32)}`)
const signer: Signer = {
  address: addressOfKey(key),
  sign: async (digest) => signDigest(digest, key),
}
const asset = parseAddress(x402Asset)
const named = { name: 'USD Coin', version: '2' }
const separator = tokenSeparator({ chainId: 8453n, asset }, named)
const domain = { ...named, chainId: 8453n, verifyingContract: asset }

const fixed: TransferAuthorization = {
  from: signer.address,
  to: parseAddress(x402Seller),
  ...{ value: 10_000n, validAfter: 0n, validBefore: 1_800_000_000n },
  nonce: `0x${'5a'.repeat(32)}`,
}

test('the domains of tokens that are there: what DOMAIN_SEPARATOR() answers', (t) => {
  const usdc = (chainId: bigint, address: string) =>
    toHex(tokenSeparator({ chainId, asset: parseAddress(address) }, named))
  t.is(
    usdc(8453n, '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'),
    '0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f',
  )
  t.is(
    usdc(1n, '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
    '0x06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335',
  )
})

test('the digest of any authorization is the one that ethers has', (t) => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)
  const account = bytes(20).map((hex) => parseAddress(hex))
  const uint = fc.bigInt({ min: 0n, max: maxUint256 })
  const any = fc.record({
    ...{ from: account, to: account, value: uint, validAfter: uint, validBefore: uint },
    nonce: bytes(32),
  })
  fc.assert(
    fc.property(any, (authorization) => {
      const digest = toHex(transferDigest(separator, authorization))
      t.is(TypedDataEncoder.hash(domain, transferTypes, authorization), digest)
      const payload = { authorization, signature: `0x${'ab'.repeat(65)}` } as const
      t.deepEqual(parseExactPayload(formatExactPayload(payload), 'payload'), payload)
    }),
    { numRuns: 50 },
  )
})

test('what we sign ethers takes, and the other way round', async (t) => {
  const payload = await signTransfer(signer, separator, fixed)
  t.is(verifyTypedData(domain, transferTypes, fixed, payload.signature), signer.address)
  const signature = await new Wallet(toHex(key)).signTypedData(domain, transferTypes, fixed)
  t.is(signature, payload.signature)
  t.true(isSignedByAccount(separator, payload))
})

test('a signature over anything else is not that of the account', async (t) => {
  const payload = await signTransfer(signer, separator, fixed)
  const other = { name: 'USD Coin', version: '1' }
  t.false(isSignedByAccount(tokenSeparator({ chainId: 8453n, asset }, other), payload))
  t.false(isSignedByAccount(tokenSeparator({ chainId: 1n, asset }, named), payload))
  const changes: readonly Partial<TransferAuthorization>[] = [
    ...[{ value: 10_001n }, { to: asset }, { from: asset }, { validAfter: 1n }],
    ...[{ validBefore: 1_800_000_001n }, { nonce: `0x${'5b'.repeat(32)}` } as const],
  ]
  for (const change of changes) {
    const changed = { ...payload, authorization: { ...fixed, ...change } }
    t.false(isSignedByAccount(separator, changed), Object.keys(change).join())
  }
})

test('long signatures, high ones and rubbish are those of no account', async (t) => {
  const { signature } = await signTransfer(signer, separator, fixed)
  const order = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
  const { r, s, yParity } = EthersSignature.from(signature)
  const high = toHex(fromHex(`0x${(order - BigInt(s)).toString(16).padStart(64, '0')}`)).slice(2)
  const forms = [
    `${signature}00`,
    '0x',
    `0x${'00'.repeat(65)}`,
    `0x${'ff'.repeat(65)}`,
    `${r}${high}${yParity === 0 ? '1c' : '1b'}`,
  ]
  for (const form of forms) {
    t.false(isSignedByAccount(separator, { authorization: fixed, signature: form as '0x' }), form)
  }
})

test('the terms of an entry', (t) => {
  t.deepEqual(exactTerms(requirements(), 'it'), {
    ...{ chainId: 8453n, asset, payTo: parseAddress(x402Seller), amount: 10_000n, timeout: 60 },
    named,
  })
  t.is(exactTerms(requirements({ extra: { name: 'USD Coin' } }), 'it').named, undefined)
  t.is(exactTerms(requirements({ extra: null }), 'it').named, undefined)
})

test('only exact on EVM by EIP-3009 is exact', (t) => {
  const extra = (assetTransferMethod: unknown) => ({ extra: { assetTransferMethod } })
  t.true(isExact(requirements()))
  t.true(isExact(requirements(extra('eip3009'))))
  t.true(isExact(requirements({ extra: null })))
  t.false(isExact(requirements(extra('permit2'))))
  t.false(isExact(requirements(extra(7))))
  t.false(isExact(requirements({ scheme: 'upto' })))
  t.false(isExact(requirements({ scheme: 'batch-settlement' })))
  t.false(isExact(requirements({ network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' })))
  t.is(chainIdOf('eip155:08453'), undefined)
  t.is(chainIdOf('eip155:'), undefined)
  t.is(chainIdOf('eip155:*'), undefined)
})

const refused: readonly (readonly [what: string, changes: { readonly [name: string]: unknown }])[] =
  [
    ['a fraction', { amount: '0.01' }],
    ['a price in dollars', { amount: '$0.01' }],
    ['a negative amount', { amount: '-1' }],
    ['an amount with zeros before it', { amount: '0010' }],
    ['an amount in hex', { amount: '0x10' }],
    ['an amount with an exponent', { amount: '1e6' }],
    ['an amount that no ledger holds', { amount: `${2n ** 192n}` }],
    ['an asset by its name', { asset: 'USDC' }],
    ['a seller by name', { payTo: 'shop.eth' }],
    ['a fraction of a second', { maxTimeoutSeconds: 0.5 }],
    ['a thousand years', { maxTimeoutSeconds: 31_536_000_000 }],
    ['a name of the token that is no text', { extra: { name: 7, version: '2' } }],
  ]

for (const [what, changes] of refused) {
  test(`terms are refused: ${what}`, (t) => {
    const error = t.throws(() => exactTerms(requirements(changes), 'it'))
    t.true(isUraidenError(error, 'malformed_x402'), `${error}`)
  })
}

const good = formatExactPayload({ authorization: fixed, signature: `0x${'ab'.repeat(65)}` })

const refusedPayloads: readonly (readonly [what: string, changes: object])[] = [
  ['a number for a value', { value: 10_000 }],
  ['a negative value', { value: '-1' }],
  ['a value beyond uint256', { value: `${2n ** 256n}` }],
  ['a time with a fraction', { validBefore: '1800000000.5' }],
  ['a short nonce', { nonce: '0x5a' }],
  ['a nonce without 0x', { nonce: '5a'.repeat(33) }],
  ['a nonce that is no hex', { nonce: `0x${'zz'.repeat(32)}` }],
  ['no sender', { from: undefined }],
  ['a sender that is none', { from: '0x1' }],
]

for (const [what, changes] of refusedPayloads) {
  test(`a payload is refused: ${what}`, (t) => {
    const authorization = { ...(good.authorization as object), ...changes }
    const payload = JSON.parse(JSON.stringify({ ...good, authorization }))
    const error = t.throws(() => parseExactPayload(payload, 'payload'))
    t.true(isUraidenError(error, 'malformed_x402'), `${error}`)
  })
}

test('a nonce has one form: the same in capitals is the same nonce', (t) => {
  const nonce = `0x${'5A'.repeat(32)}`
  const authorization = { ...(good.authorization as object), nonce }
  t.is(parseExactPayload({ ...good, authorization }, 'payload').authorization.nonce, fixed.nonce)
})

test('a signature that is too long or no hex is refused', (t) => {
  for (const signature of [`0x${'ab'.repeat(5000)}`, 'abc', '0xabc', '']) {
    const error = t.throws(() => parseExactPayload({ ...good, signature }, 'payload'))
    t.true(isUraidenError(error, 'malformed_x402'))
  }
})
