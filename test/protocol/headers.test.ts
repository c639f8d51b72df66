import test from 'ava'
import fc from 'fast-check'
import {
  addressOfKey,
  balanceProofDigest,
  formatPayment,
  formatTerms,
  fromHex,
  type HeaderFields,
  type HeaderSource,
  type Payment,
  parsePayment,
  parseTerms,
  signDigest,
  type Terms,
} from '../../protocol/index.ts'

const key = fromHex(`0x${'33'.repeat(32)}`)
const someone = addressOfKey(key)
const other = addressOfKey(fromHex(`0x${'44'.repeat(32)}`))
const signature = signDigest(
  balanceProofDigest('seed', { contract: other, chainId: 1n }, other)(1, 2n),
  key,
)

function source(fields: HeaderFields): HeaderSource {
  const lower = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => lower.get(name.toLowerCase())
}

const amounts = fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })
const addresses = fc.constantFrom(someone, other)

const anyTerms: fc.Arbitrary<Terms> = fc
  .record(
    {
      receiver: addresses,
      contract: addresses,
      token: addresses,
      price: amounts,
      sender: addresses,
      senderBalance: amounts,
      cost: amounts,
      reason: fc.constantFrom(
        'nonexisting_channel' as const,
        'insufficient_confirmations' as const,
        'invalid_balance_proof' as const,
        'invalid_amount' as const,
      ),
      features: fc.subarray(['parallel', 'idempotency', 'eip712', 'relay'] as const),
    },
    { requiredKeys: ['receiver', 'contract', 'token', 'price', 'features'] },
  )
  .map(({ features, ...rest }) => ({
    ...rest,
    gatewayPath: '/api/1',
    signature,
    features: new Set(features),
  }))

test('terms are read back as they were written', (t) => {
  fc.assert(
    fc.property(anyTerms, (terms) => t.deepEqual(parseTerms(source(formatTerms(terms))), terms)),
  )
})

const anyPayment: fc.Arbitrary<Payment> = fc
  .record(
    {
      contract: addresses,
      receiver: addresses,
      sender: addresses,
      openBlock: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      balance: amounts,
      amount: amounts,
    },
    { requiredKeys: ['sender', 'openBlock', 'balance'] },
  )
  .map((payment) => ({ ...payment, signature }))

test('a payment is read back as it was written', (t) => {
  fc.assert(
    fc.property(anyPayment, (payment) =>
      t.deepEqual(parsePayment(source(formatPayment(payment))), payment),
    ),
  )
})

const payment: Payment = { sender: someone, openBlock: 12, balance: 7n, signature }
const paid = formatPayment(payment)

function without(...names: readonly string[]): HeaderFields {
  return Object.fromEntries(Object.entries(paid).filter(([name]) => !names.includes(name)))
}

test('either name of the balance is enough, both must agree', (t) => {
  t.is(parsePayment(source(without('RDN-Balance')))?.balance, 7n)
  t.is(parsePayment(source(without('RDN-Sender-Balance')))?.balance, 7n)
  t.throws(() => parsePayment(source({ ...paid, 'RDN-Sender-Balance': '8' })), {
    code: 'malformed_header',
    message: /RDN-Balance: says 7, but RDN-Sender-Balance says 8/,
  })
})

test('a request that lacks a part of the payment is unpaid', (t) => {
  t.is(parsePayment(source({})), undefined)
  t.is(parsePayment(source({ 'RDN-Contract-Address': other })), undefined)
  for (const name of ['RDN-Sender-Address', 'RDN-Open-Block', 'RDN-Balance-Signature']) {
    t.is(parsePayment(source(without(name))), undefined)
  }
  t.is(parsePayment(source(without('RDN-Balance', 'RDN-Sender-Balance'))), undefined)
})

const malformed: readonly (readonly [string, string])[] = [
  ['RDN-Sender-Address', '0x12'],
  ['RDN-Sender-Address', `${someone}00`],
  ['RDN-Contract-Address', 'nobody'],
  ['RDN-Receiver-Address', ''],
  ['RDN-Open-Block', '-1'],
  ['RDN-Open-Block', '4294967296'],
  ['RDN-Open-Block', '1.5'],
  ['RDN-Balance', '-1'],
  ['RDN-Balance', (2n ** 192n).toString()],
  ['RDN-Sender-Balance', '0x7'],
  ['RDN-Payment', 'five'],
  ['RDN-Balance-Signature', '0x00'],
  ['RDN-Balance-Signature', `${signature}00`],
]

for (const [name, value] of malformed) {
  test(`${name}: ${value.slice(0, 24)} is malformed, and the error names the header`, (t) => {
    t.throws(() => parsePayment(source({ ...paid, [name]: value })), {
      code: 'malformed_header',
      message: new RegExp(`^${name}: `),
    })
  })
}

test('the largest open block is taken', (t) => {
  t.is(parsePayment(source({ ...paid, 'RDN-Open-Block': '4294967295' }))?.openBlock, 2 ** 32 - 1)
})

test('a cookie says only what no header says, of both balance headers too', (t) => {
  const cookies = source({ 'RDN-Sender-Balance': '9', 'RDN-Open-Block': '13' })
  t.deepEqual(parsePayment(source(paid), cookies), parsePayment(source(paid)))
  const { 'RDN-Open-Block': _, ...rest } = paid
  t.is(parsePayment(source(rest), cookies)?.openBlock, 13)
})

const goodTerms = formatTerms({
  gatewayPath: '/api/1',
  receiver: someone,
  contract: other,
  token: other,
  price: 5n,
  features: new Set(),
})

test('terms that lack a header name it', (t) => {
  for (const name of Object.keys(goodTerms)) {
    const rest = Object.fromEntries(Object.entries(goodTerms).filter(([key]) => key !== name))
    t.throws(() => parseTerms(source(rest)), {
      code: 'missing_header',
      message: new RegExp(name),
    })
  }
})

test('the gateway path cannot lead to another host', (t) => {
  for (const path of ['http://evil.test/', '//evil.test', 'api/1', '/api?x=1', '/a b', '']) {
    t.throws(() => parseTerms(source({ ...goodTerms, 'RDN-Gateway-Path': path })), {
      code: 'malformed_header',
    })
  }
  t.is(parseTerms(source({ ...goodTerms, 'RDN-Gateway-Path': '/api/1/' })).gatewayPath, '/api/1')
})

test('features of a newer receiver are passed over', (t) => {
  const read = parseTerms(source({ ...goodTerms, 'RDN-Features': 'Parallel, teleport,,relay' }))
  t.deepEqual([...read.features], ['parallel', 'relay'])
})
