// What is asked in x402 for a price in the channels' token.
import test from 'ava'
import fc from 'fast-check'
import { parseAddress } from '../../../protocol/index.ts'
import { createExactTerms, type ExactTermsOptions } from '../../../receiver/x402/terms.ts'

const address = parseAddress('0x5FbDB2315678afecb367f032d93F642f64180aa3')

function given(options: Partial<ExactTermsOptions> = {}) {
  const domain = { name: 'Dollar', version: '2' }
  return createExactTerms({
    ...{ chainId: 1n, payTo: address, token: { symbol: 'TKN', decimals: 18 }, timeout: 60 },
    asset: { address, symbol: 'USD', decimals: 6, domain, separator: new Uint8Array(32) },
    gasPrice: () => 0n,
    ...options,
  })
}

const token = 10n ** 18n

test('a price is converted, rounded up, and never nothing', (t) => {
  const terms = given({ tokenPrice: 2_000_000n })
  t.is(terms.offer(token).amount, '2000000')
  t.is(terms.offer(1n).amount, '1')
  t.is(given({ tokenPrice: 2_000_000n, least: 10_000n }).offer(1n).amount, '10000')
  t.is(given().offer(7n).amount, '7')
})

test('nobody pays less than the price, whatever it is', (t) => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 24n), fc.bigInt(1n, 10n ** 12n), (price, tokenPrice) => {
      const amount = BigInt(given({ tokenPrice }).offer(price).amount)
      return amount * token >= price * tokenPrice && (amount - 1n) * token < price * tokenPrice
    }),
  )
  t.pass()
})

test('it is worth twice its settlement’s fee, and what was asked stays good as long as the payment', (t) => {
  let gasPrice = 1_000_000_000n
  let now = 0
  const terms = given({
    tokenPrice: 1n,
    etherPrice: 2_000_000_000n,
    ...{ gasPrice: () => gasPrice, now: () => now },
  })
  // 100 000 gas at 1 gwei are 0.0001 ether, 0.2 dollars.
  t.is(terms.offer(1n).amount, '400000')
  gasPrice = 3_000_000_000n
  t.is(terms.offer(1n).amount, '1200000')
  now = 59_000
  t.is(terms.least(1n), 400_000n)
  now = 60_001
  t.is(terms.least(1n), 1_200_000n)
})
