import test from 'ava'
import { isUraidenError, parseAddress } from '../../../protocol/index.ts'
import { formatVersion1, isExact, parseVersion1 } from '../../../protocol/x402/index.ts'
import { x402Asset, x402Seller } from '../../support/x402-offers.ts'

const offer = {
  ...{ scheme: 'exact', network: 'base-sepolia', maxAmountRequired: '10000' },
  ...{ resource: 'https://shop/x', description: '', mimeType: 'application/json' },
  ...{ payTo: x402Seller, maxTimeoutSeconds: 60, asset: x402Asset },
  extra: { name: 'USDC', version: '2' },
}
const body = (changes: object = {}) =>
  JSON.stringify({
    x402Version: 1,
    error: 'X-PAYMENT header is required',
    accepts: [offer],
    ...changes,
  })

test('a body of version 1 is read in the words of version 2', (t) => {
  t.deepEqual(parseVersion1(body()), {
    error: 'X-PAYMENT header is required',
    resource: { url: 'https://shop/x' },
    accepts: [
      {
        ...{ scheme: 'exact', network: 'eip155:84532', amount: '10000', asset: x402Asset },
        ...{ payTo: x402Seller, maxTimeoutSeconds: 60, extra: { name: 'USDC', version: '2' } },
      },
    ],
  })
})

test('a chain that nobody knows by that name is none that could be paid on', (t) => {
  for (const network of ['nowhere', 'constructor', '__proto__']) {
    const [read] = parseVersion1(body({ accepts: [{ ...offer, network }] })).accepts
    t.is(read?.network, `v1:${network}`)
    t.false(read !== undefined && isExact(read))
  }
})

test('what is sent has the name of the chain again', (t) => {
  const from = parseAddress(`0x${'11'.repeat(20)}`)
  const sent = formatVersion1(
    { scheme: 'exact', network: 'eip155:84532' },
    {
      authorization: {
        ...{ from, to: parseAddress(x402Seller), value: 10_000n },
        ...{ validAfter: 0n, validBefore: 99n, nonce: `0x${'5a'.repeat(32)}` },
      },
      signature: `0x${'ab'.repeat(65)}`,
    },
  )
  t.deepEqual(JSON.parse(Buffer.from(sent, 'base64').toString()), {
    ...{ x402Version: 1, scheme: 'exact', network: 'base-sepolia' },
    payload: {
      signature: `0x${'ab'.repeat(65)}`,
      authorization: {
        ...{ from, to: parseAddress(x402Seller), value: '10000' },
        ...{ validAfter: '0', validBefore: '99', nonce: `0x${'5a'.repeat(32)}` },
      },
    },
  })
})

test('what is no version 1 is refused', (t) => {
  const bodies = [
    body({ x402Version: 2 }),
    body({ accepts: [] }),
    body({ accepts: [{ ...offer, maxAmountRequired: 10_000 }] }),
    '<html>pay me</html>',
    '',
  ]
  for (const text of bodies) {
    t.true(
      isUraidenError(
        t.throws(() => parseVersion1(text)),
        'malformed_x402',
      ),
      text,
    )
  }
})
