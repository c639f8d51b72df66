import { readFileSync } from 'node:fs'
import test from 'ava'
import { TypedDataEncoder, verifyTypedData } from 'ethers'
import fc from 'fast-check'
import {
  addressOfKey,
  balanceProofDigest,
  channelKey,
  channelsDomain,
  closingAgreementDigest,
  fromHex,
  isBalanceProof,
  isClosingAgreement,
  isUraidenError,
  parseAddress,
  parseClosingAgreement,
  parseSignature,
  recoverSigner,
  signatureForms,
  signDigest,
  toHex,
} from '../../protocol/index.ts'

interface Case {
  readonly sender_private_key: string
  readonly receiver_private_key: string
  readonly sender: string
  readonly receiver: string
  readonly contract: string
  readonly open_block_number: number
  readonly balance: string
  readonly channel_key: string
  readonly balance_proof_hash: string
  readonly balance_proof_signature: string
  readonly closing_hash: string
  readonly closing_signature: string
}

// Made with an independent implementation of the original's hash.
const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('./balance-proofs.json', import.meta.url), 'utf8'),
)

for (const [index, given] of cases.entries()) {
  const sender = parseAddress(given.sender)
  const receiver = parseAddress(given.receiver)
  const domain = { contract: parseAddress(given.contract), chainId: 1n }
  const openBlock = given.open_block_number
  const balance = BigInt(given.balance)

  test(`worked case ${index}: channel key, hashes and signatures to the byte`, (t) => {
    t.is(addressOfKey(fromHex(given.sender_private_key)), sender)
    t.is(addressOfKey(fromHex(given.receiver_private_key)), receiver)
    t.is(channelKey({ sender, receiver, openBlock }), given.channel_key as `0x${string}`)

    const proof = balanceProofDigest('seed', domain, receiver)(openBlock, balance)
    t.is<string, string>(toHex(proof), given.balance_proof_hash)
    const signature = signDigest(proof, fromHex(given.sender_private_key))
    t.is<string, string>(signature, given.balance_proof_signature)
    t.is(recoverSigner(proof, signature), sender)

    const closing = closingAgreementDigest('seed', domain, sender)(openBlock, balance)
    t.is<string, string>(toHex(closing), given.closing_hash)
    const agreement = signDigest(closing, fromHex(given.receiver_private_key))
    t.is<string, string>(agreement, given.closing_signature)
    t.is(recoverSigner(closing, agreement), receiver)
  })
}

test('there are worked cases', (t) => t.true(cases.length >= 10))

const privateKeys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  // Any 32 bytes below the group's order and above zero are a key.
  const key = Uint8Array.from(bytes)
  key[0] = 1
  return key
})
const balances = fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })
const blocks = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const addresses = privateKeys.map(addressOfKey)

test('the final EIP-712 form is what an independent encoder makes of the types', (t) => {
  fc.assert(
    fc.property(
      addresses,
      addresses,
      addresses,
      blocks,
      balances,
      fc.bigInt({ min: 1n, max: 2n ** 64n }),
      (sender, receiver, contract, openBlock, balance, chainId) => {
        const domain = { ...channelsDomain, chainId, verifyingContract: contract }
        const fields = [
          { name: 'block_created', type: 'uint32' },
          { name: 'balance', type: 'uint192' },
        ]
        const proofTypes = { BalanceProof: [{ name: 'receiver', type: 'address' }, ...fields] }
        const closingTypes = { ClosingAgreement: [{ name: 'sender', type: 'address' }, ...fields] }
        const values = { receiver, sender, block_created: openBlock, balance }
        t.is<string, string>(
          toHex(balanceProofDigest('eip712', { contract, chainId }, receiver)(openBlock, balance)),
          TypedDataEncoder.hash(domain, proofTypes, values),
        )
        t.is<string, string>(
          toHex(
            closingAgreementDigest('eip712', { contract, chainId }, sender)(openBlock, balance),
          ),
          TypedDataEncoder.hash(domain, closingTypes, values),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('what a key signs, only that key is recovered from, in both forms', (t) => {
  fc.assert(
    fc.property(
      privateKeys,
      addresses,
      blocks,
      balances,
      fc.constantFrom('seed' as const, 'eip712' as const),
      (key, receiver, openBlock, balance, form) => {
        const digestOf = balanceProofDigest(form, { contract: receiver, chainId: 7n }, receiver)
        const digest = digestOf(openBlock, balance)
        const signature = signDigest(digest, key)
        t.is(recoverSigner(digest, signature), addressOfKey(key))
        const other = digestOf(openBlock, balance === 0n ? 1n : balance - 1n)
        t.not(recoverSigner(other, signature), addressOfKey(key))
      },
    ),
    { numRuns: 20 },
  )
})

test('a signature made for one chain is another one on the next', (t) => {
  const contract = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
  const on = (chainId: bigint) =>
    toHex(balanceProofDigest('eip712', { contract, chainId }, contract)(1, 1n))
  t.not(on(1n), on(2n))
})

test('an ethers wallet and we accept each other', (t) => {
  const key = fromHex(`0x${'22'.repeat(32)}`)
  const contract = addressOfKey(key)
  const digest = balanceProofDigest('eip712', { contract, chainId: 31337n }, contract)(5, 6n)
  const types = {
    BalanceProof: [
      { name: 'receiver', type: 'address' },
      { name: 'block_created', type: 'uint32' },
      { name: 'balance', type: 'uint192' },
    ],
  }
  const domain = { ...channelsDomain, chainId: 31337, verifyingContract: contract }
  const values = { receiver: contract, block_created: 5, balance: 6n }
  t.is<string, string>(verifyTypedData(domain, types, values, signDigest(digest, key)), contract)
})

test('balances and blocks that do not fit their field are never signed', (t) => {
  const contract = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
  for (const form of ['seed', 'eip712'] as const) {
    const digestOf = balanceProofDigest(form, { contract, chainId: 1n }, contract)
    t.notThrows(() => digestOf(2 ** 32 - 1, 2n ** 192n - 1n))
    t.throws(() => digestOf(1, 2n ** 192n), { instanceOf: RangeError })
    t.throws(() => digestOf(1, -1n), { instanceOf: RangeError })
  }
})

test('v may be 0, 1, 27 or 28 and is made 27 or 28; anything else is no signature', (t) => {
  const rs = given65.slice(0, 130)
  t.is<string, string>(parseSignature(`${rs}00`), `${rs}1b`)
  t.is<string, string>(parseSignature(`${rs}01`), `${rs}1c`)
  t.is<string, string>(parseSignature(`${rs}1b`), `${rs}1b`)
  t.is<string, string>(parseSignature(`${rs}1C`.toUpperCase().replace('0X', '0x')), `${rs}1c`)
  for (const bad of ['02', '1a', '1d', 'ff']) {
    t.throws(() => parseSignature(`${rs}${bad}`), { code: 'not_a_signature' })
  }
  for (const bad of ['', '0x', rs, `${rs}1b00`, `${rs}1g`, given65.slice(2)]) {
    t.throws(() => parseSignature(bad), { code: 'not_a_signature' })
  }
})

const given65 = `0x${'12'.repeat(32)}${'34'.repeat(32)}1b`

test('s up to half the order of the group is taken, the next one is not', (t) => {
  const half = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'
  const over = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1'
  t.notThrows(() => parseSignature(`0x${'12'.repeat(32)}${half}1b`))
  t.throws(() => parseSignature(`0x${'12'.repeat(32)}${over}1b`), { code: 'high_s_signature' })
})

test('bytes that no key can have signed give an error with a code', (t) => {
  const impossible = parseSignature(`0x${'ff'.repeat(32)}${'01'.repeat(32)}1b`)
  const error = t.throws(() => recoverSigner(new Uint8Array(32), impossible))
  t.true(isUraidenError(error, 'unrecoverable_signature'))
})

const keys = { sender: new Uint8Array(32).fill(7), receiver: new Uint8Array(32).fill(9) }
const agreed = {
  domain: { contract: parseAddress(`0x${'12'.repeat(20)}`), chainId: 1n },
  channel: {
    sender: addressOfKey(keys.sender),
    receiver: addressOfKey(keys.receiver),
    openBlock: 5,
  },
  balance: 10n,
}
const kinds = [
  {
    says: 'a balance proof is the sender’s',
    check: isBalanceProof,
    signedBy: keys.sender,
    digest: balanceProofDigest,
    names: agreed.channel.receiver,
  },
  {
    says: 'a closing agreement is the receiver’s',
    check: isClosingAgreement,
    signedBy: keys.receiver,
    digest: closingAgreementDigest,
    names: agreed.channel.sender,
  },
]

for (const { says, check, signedBy, digest, names } of kinds) {
  for (const form of signatureForms) {
    test(`${says}, over this balance of this channel, in the form ${form}`, (t) => {
      const { domain, channel, balance } = agreed
      const made = signDigest(digest(form, domain, names)(channel.openBlock, balance), signedBy)
      const signed = { ...agreed, signature: made }
      t.true(check(signed))
      t.false(check({ ...signed, balance: 11n }))
      t.false(check({ ...signed, channel: { ...channel, openBlock: 6 } }))
      t.false(check({ ...signed, channel: { ...channel, sender: channel.receiver } }))
      t.false(check({ ...signed, channel: { ...channel, receiver: channel.sender } }))
      t.is(check({ ...signed, domain: { ...domain, chainId: 2n } }), form === 'seed')
    })
  }

  test(`${says}: what no key can have signed is nobody’s`, (t) => {
    const signature = parseSignature(`0x${'ff'.repeat(32)}${'01'.repeat(32)}1b`)
    t.false(check({ ...agreed, signature }))
  })
}

test('a balance proof is no closing agreement, whoever signed it', (t) => {
  const { domain, channel, balance } = agreed
  for (const form of signatureForms) {
    const digest = balanceProofDigest(form, domain, channel.sender)(channel.openBlock, balance)
    const signature = signDigest(digest, keys.receiver)
    t.false(isClosingAgreement({ ...agreed, signature }))
  }
})

test('what comes as an agreement is one over just this balance, or none', (t) => {
  const { domain, channel, balance } = agreed
  const digest = closingAgreementDigest('eip712', domain, channel.sender)
  const made = signDigest(digest(channel.openBlock, balance), keys.receiver)
  t.is(parseClosingAgreement(made, agreed), made)
  t.is(parseClosingAgreement(made, { ...agreed, balance: 11n }), undefined)
  for (const text of ['', '0x12', `0x${'ff'.repeat(32)}${'01'.repeat(32)}1b`]) {
    t.is(parseClosingAgreement(text, agreed), undefined)
  }
})
