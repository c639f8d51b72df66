import test from 'ava'
import { TypedDataEncoder, Wallet } from 'ethers'
import fc from 'fast-check'
import {
  compareKeys,
  createRequestKey,
  parseReceiverKey,
  parseRequestKey,
  receiverKeyDigest,
  requestKeyDigest,
  serializeReceiverKey,
  serializeRequestKey,
  verifyReceiverKey,
  verifyRequestKey,
} from '../../../protocol/bound/index.ts'
import {
  addressOfKey,
  channelsDomain,
  fromHex,
  isUraidenError,
  parseSignature,
  signDigest,
  toHex,
} from '../../../protocol/index.ts'
import { answerVector, binding, requestVector } from './vectors.ts'

const domain = { contract: binding.contract, chainId: binding.chainId }
const { channel } = binding
const theirDomain = {
  ...channelsDomain,
  chainId: domain.chainId,
  verifyingContract: domain.contract,
}
const requestTypes = {
  RequestKey: [
    { name: 'receiver', type: 'address' },
    { name: 'block_created', type: 'uint32' },
    { name: 'key', type: 'bytes' },
    { name: 'number', type: 'uint64' },
  ],
}
const receiverTypes = {
  ReceiverKey: [
    { name: 'key', type: 'bytes' },
    { name: 'number', type: 'uint64' },
    { name: 'until', type: 'uint64' },
  ],
}

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const blocks = fc.integer({ min: 0, max: 2 ** 32 - 1 })

test('both digests are what an independent encoder makes of the types', (t) => {
  fc.assert(
    fc.property(blocks, uint64, uint64, (openBlock, number, until) => {
      const key = binding.senderKey
      const { receiver } = channel
      t.is<string, string>(
        toHex(requestKeyDigest(domain, { receiver, openBlock, key, number })),
        TypedDataEncoder.hash(theirDomain, requestTypes, {
          receiver,
          block_created: openBlock,
          key,
          number,
        }),
      )
      t.is<string, string>(
        toHex(receiverKeyDigest(domain, { key, number, until })),
        TypedDataEncoder.hash(theirDomain, receiverTypes, { key, number, until }),
      )
    }),
    { numRuns: 50 },
  )
})

test('numbers that do not fit their field are never signed', (t) => {
  const key = binding.senderKey
  const message = { receiver: channel.receiver, openBlock: 7, key, number: 2n ** 64n }
  t.throws(() => requestKeyDigest(domain, message), { instanceOf: RangeError })
  const forever = { key, number: 1n, until: 2n ** 64n }
  t.throws(() => receiverKeyDigest(domain, forever), { instanceOf: RangeError })
})

const put = requestVector('put request key').body
const shown = answerVector('put request key: answer').body

test('the keys of the vectors are signed by their sides', (t) => {
  const request = verifyRequestKey(parseRequestKey(put), { domain, channel })
  t.true(request.ok && request.value.key === binding.senderKey && request.value.number === 9n)
  const answer = verifyReceiverKey(parseReceiverKey(shown), {
    domain,
    receiver: channel.receiver,
    block: 8,
  })
  t.true(answer.ok && answer.value.key === binding.receiverKey && answer.value.until === 2_628_003n)
})

test('JSON is written as it was read', (t) => {
  t.is(serializeRequestKey(parseRequestKey(put)), put)
  t.is(serializeReceiverKey(parseReceiverKey(shown)), shown)
})

test('an ethers wallet can authorise a key', async (t) => {
  const wallet = Wallet.createRandom()
  const sender = addressOfKey(fromHex(wallet.privateKey))
  const { publicKey: key } = createRequestKey()
  const { receiver, openBlock } = channel
  const values = { receiver, block_created: openBlock, key, number: 5n }
  const signature = parseSignature(await wallet.signTypedData(theirDomain, requestTypes, values))
  t.true(
    verifyRequestKey({ key, number: 5n, signature }, { domain, channel: { ...channel, sender } })
      .ok,
  )
})

const signed = parseRequestKey(put)
const stranger = addressOfKey(fromHex(`0x${'44'.repeat(32)}`))

test('a key counts for its channel, contract, chain and number only', (t) => {
  const code = (...[key, context]: Parameters<typeof verifyRequestKey>) => {
    const outcome = verifyRequestKey(key, context)
    return outcome.ok ? 'ok' : outcome.code
  }
  const here = { domain, channel }
  t.is(code(signed, here), 'ok')
  const invalid = 'request_key_invalid'
  t.is(code({ ...signed, number: 10n }, here), invalid)
  t.is(code({ ...signed, key: binding.receiverKey }, here), invalid)
  t.is(code(signed, { domain, channel: { ...channel, openBlock: 8 } }), invalid)
  t.is(code(signed, { domain, channel: { ...channel, sender: stranger } }), invalid)
  t.is(code(signed, { domain, channel: { ...channel, receiver: stranger } }), invalid)
  t.is(code(signed, { channel, domain: { ...domain, chainId: 1n } }), invalid)
  t.is(code(signed, { channel, domain: { ...domain, contract: stranger } }), invalid)
})

test('a signature that no key can have made is one of nobody', (t) => {
  const signature = parseSignature(`0x${'ff'.repeat(32)}${'01'.repeat(32)}1b`)
  t.false(verifyRequestKey({ ...signed, signature }, { domain, channel }).ok)
})

test('a later number replaces an earlier key; nothing else does', (t) => {
  const known = { key: binding.senderKey, number: 9n }
  const other = binding.receiverKey
  t.is(compareKeys(undefined, known), 'newer')
  t.is(compareKeys(known, { key: other, number: 10n }), 'newer')
  t.is(compareKeys(known, known), 'same')
  t.is(compareKeys(known, { key: other, number: 9n }), 'replaced')
  t.is(compareKeys(known, { key: known.key, number: 8n }), 'replaced')
})

test('a receiver’s key is good until its block, and never after a newer one', (t) => {
  const receiverAccount = fromHex(`0x${'55'.repeat(32)}`)
  const receiver = addressOfKey(receiverAccount)
  const message = { key: binding.receiverKey, number: 3n, until: 100n }
  const signature = signDigest(receiverKeyDigest(domain, message), receiverAccount)
  const own = { ...message, signature }
  const check = (change: object) => {
    const outcome = verifyReceiverKey({ ...own, ...change }, { domain, receiver, block: 100 })
    return outcome.ok ? 'ok' : outcome.code
  }
  t.is(check({}), 'ok')
  t.is(check({ until: 101n }), 'receiver_key_invalid')
  t.is(check({ number: 4n }), 'receiver_key_invalid')
  t.is(check({ key: binding.senderKey }), 'receiver_key_invalid')

  const expired = verifyReceiverKey(own, { domain, receiver, block: 101 })
  t.is(expired.ok ? 'ok' : expired.code, 'receiver_key_expired')
  const known = { key: binding.senderKey, number: 4n }
  const replaced = verifyReceiverKey(own, { domain, receiver, block: 100, known })
  t.is(replaced.ok ? 'ok' : replaced.code, 'receiver_key_replaced')
})

const members = { key: binding.senderKey, number: '9', until: '10', signature: signed.signature }

const malformed: readonly (readonly [string, unknown])[] = [
  ['no object', null],
  ['a list', [members]],
  ['a number as number', { ...members, number: 9 }],
  ['a negative number', { ...members, number: '-1' }],
  ['a number of 65 bits', { ...members, number: (2n ** 64n).toString() }],
  ['no key', { ...members, key: undefined }],
  ['a short key', { ...members, key: '0x02' }],
  ['no signature', { ...members, signature: '' }],
]

for (const [what, value] of malformed) {
  test(`malformed: ${what}`, (t) => {
    const json = JSON.stringify(value)
    t.throws(() => parseRequestKey(json), { code: 'malformed_request_key' })
    t.throws(() => parseReceiverKey(json), { code: 'malformed_request_key' })
  })
}

test('members that objects have by nature are not read', (t) => {
  t.throws(() => parseReceiverKey(JSON.stringify({ ...members, until: undefined })), {
    code: 'malformed_request_key',
    message: /until/,
  })
})

test('whatever comes, only an error of ours is thrown', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
      try {
        parseRequestKey(json)
        parseReceiverKey(json)
      } catch (error) {
        t.true(isUraidenError(error, 'malformed_request_key'))
      }
    }),
  )
})
