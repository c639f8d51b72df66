import test from 'ava'
import fc from 'fast-check'
import { isUraidenError } from '../../../protocol/index.ts'
import {
  formatPaymentRequired,
  formatPaymentResponse,
  formatPaymentSignature,
  parsePaymentRequired,
  parsePaymentResponse,
  parsePaymentSignature,
} from '../../../protocol/x402/index.ts'
import { requirements } from '../../support/x402-offers.ts'

const field = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

/** As @x402/express 2.27.0 has answered. */
const stock402 =
  'eyJ4NDAyVmVyc2lvbiI6MiwiZXJyb3IiOiJQYXltZW50IHJlcXVpcmVkIiwicmVzb3VyY2UiOnsidXJsIjoiaHR0cDovLzEyNy4wLjAuMTo0MDQwMi9wYWlkIiwiZGVzY3JpcHRpb24iOiJhIHJlYWRpbmciLCJtaW1lVHlwZSI6IiJ9LCJhY2NlcHRzIjpbeyJzY2hlbWUiOiJleGFjdCIsIm5ldHdvcmsiOiJlaXAxNTU6MzEzMzciLCJhbW91bnQiOiI1IiwiYXNzZXQiOiIweGExYTFhMWExYTFhMWExYTFhMWExYTFhMWExYTFhMWExYTFhMWExYTEiLCJwYXlUbyI6IjB4YjJiMmIyYjJiMmIyYjJiMmIyYjJiMmIyYjJiMmIyYjJiMmIyYjJiMiIsIm1heFRpbWVvdXRTZWNvbmRzIjozMDAsImV4dHJhIjp7Im5hbWUiOiJCZW5jaCIsInZlcnNpb24iOiIxIn19XX0='

test('what a stock server asks', (t) => {
  const { accepts, error, resource } = parsePaymentRequired(stock402)
  t.is(error, 'Payment required')
  t.is(resource.url, 'http://127.0.0.1:40402/paid')
  t.deepEqual(accepts, [
    requirements({
      ...{ network: 'eip155:31337', amount: '5', maxTimeoutSeconds: 300 },
      extra: { name: 'Bench', version: '1' },
    }),
  ])
})

test('an entry is sent back with all that its seller has written in it', (t) => {
  const own = requirements({ note: { of: ['the seller', 0.25, null] }, extra: null })
  const asked = parsePaymentRequired(field(asking({ accepts: [own] })))
  const [accepted] = asked.accepts
  t.truthy(accepted)
  if (accepted === undefined) return
  const payload = { signature: '0x', authorization: {} }
  const sent = formatPaymentSignature({ resource: asked.resource, accepted, payload })
  t.deepEqual(JSON.parse(Buffer.from(sent, 'base64').toString()), {
    ...{ x402Version: 2, resource: { url: 'http://x/' }, accepted: own, payload },
  })
  t.deepEqual(parsePaymentSignature(sent), {
    resource: { url: 'http://x/' },
    accepted: own,
    payload,
  })
})

function asking(changes: object): object {
  return { x402Version: 2, resource: { url: 'http://x/' }, accepts: [requirements()], ...changes }
}

const refusedTerms: readonly (readonly [what: string, message: unknown, where: RegExp])[] = [
  ['version 1', asking({ x402Version: 1 }), /x402Version is not 2/],
  ['a version in a text', asking({ x402Version: '2' }), /x402Version/],
  ['no resource', asking({ resource: undefined }), /resource is no object/],
  ['a resource without url', asking({ resource: {} }), /resource\.url/],
  ['nothing accepted', asking({ accepts: [] }), /accepts is empty/],
  ['a single one', asking({ accepts: requirements() }), /accepts is no list/],
  ['too many', asking({ accepts: Array(33).fill(requirements()) }), /more than 32/],
  ['an entry that is none', asking({ accepts: [requirements(), 7] }), /accepts\[1\] is no object/],
  ['a number for a text', of({ amount: 10_000 }), /amount is no text/],
  ['an empty text', of({ payTo: '' }), /payTo is empty/],
  ['a long text', of({ asset: 'x'.repeat(129) }), /asset is longer/],
  ['a network of version 1', of({ network: 'base' }), /CAIP-2/],
  ['no time', of({ maxTimeoutSeconds: undefined }), /maxTimeoutSeconds/],
  ['no time at all', of({ maxTimeoutSeconds: 0 }), /maxTimeoutSeconds/],
  ['negative time', of({ maxTimeoutSeconds: -5 }), /maxTimeoutSeconds/],
  ['time in a text', of({ maxTimeoutSeconds: '60' }), /maxTimeoutSeconds/],
  ['extra in a text', of({ extra: 'USD' }), /extra is no object/],
  ['extra in a list', of({ extra: [] }), /extra is no object/],
  ['extensions in a text', asking({ extensions: 'x' }), /extensions/],
  ['an error that is none', asking({ error: {} }), /error is no text/],
]

function of(changes: { readonly [name: string]: unknown }): object {
  return asking({ accepts: [requirements(changes)] })
}

for (const [what, message, where] of refusedTerms) {
  test(`terms are refused: ${what}`, (t) => {
    const error = t.throws(() => parsePaymentRequired(field(message)))
    t.true(isUraidenError(error, 'malformed_x402'))
    t.regex(error?.message ?? '', where)
  })
}

test('what may be missing or null is not there', (t) => {
  const message = asking({ error: null, extensions: null })
  t.deepEqual(parsePaymentRequired(field(message)), {
    ...{ resource: { url: 'http://x/' }, accepts: [requirements()] },
  })
})

test('a payment without resource is one; without payload it is none', (t) => {
  const accepted = requirements()
  const payment = { x402Version: 2, accepted, payload: {} }
  t.deepEqual(parsePaymentSignature(field(payment)), { accepted, payload: {} })
  t.throws(() => parsePaymentSignature(field({ ...payment, payload: undefined })), {
    message: /payload is no object/,
  })
  t.throws(() => parsePaymentSignature(field({ ...payment, accepted: undefined })), {
    message: /accepted is no object/,
  })
})

test('a settlement says whether it succeeded, or says nothing', (t) => {
  const settled = { success: true, transaction: `0x${'ab'.repeat(32)}`, network: 'eip155:8453' }
  t.deepEqual(parsePaymentResponse(formatPaymentResponse(settled)), settled)
  const failed = { success: false, transaction: '', network: 'eip155:1', errorReason: 'invalid' }
  t.deepEqual(parsePaymentResponse(formatPaymentResponse(failed)), failed)
  for (const success of [undefined, 'true', 1, null]) {
    t.throws(() => parsePaymentResponse(field({ ...settled, success })), { message: /success/ })
  }
})

const name = fc.string({ minLength: 1, maxLength: 40 })
const offers = fc.record({
  ...{ scheme: name, network: name.map((text) => `x:${text}`), amount: name, asset: name },
  ...{ payTo: name, maxTimeoutSeconds: fc.integer({ min: 1 }) },
})

test('any terms and any payment come back as they were', (t) => {
  const any = fc.record({ accepts: fc.array(offers, { minLength: 1, maxLength: 8 }), url: name })
  fc.assert(
    fc.property(any, ({ accepts, url }) => {
      const message = { resource: { url }, accepts: accepts.map((each) => requirements(each)) }
      t.deepEqual(parsePaymentRequired(formatPaymentRequired(message)), message)
      const [accepted = requirements()] = message.accepts
      const payment = { resource: { url }, accepted, payload: { proof: url } }
      t.deepEqual(parsePaymentSignature(formatPaymentSignature(payment)), payment)
    }),
    { numRuns: 100 },
  )
})
