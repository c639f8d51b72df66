import test from 'ava'
import { paidText } from '../../../../agent/cli/text/paid.ts'
import type { PaymentFacts } from '../../../../agent/purchase/types.ts'
import { parseAddress } from '../../../../protocol/index.ts'

const token = { symbol: 'TKN', decimals: 2 }
const unit = { symbol: 'USD', decimals: 6 }
const shop = parseAddress(`0x${'b2'.repeat(20)}`)

const inChannel: PaymentFacts = {
  ...{ price: 5n, cost: 5n, balance: 5n, authentic: true },
  channel: `${shop}/7`,
}
const byX402: PaymentFacts = {
  ...{ price: 10_000n, cost: 10_000n, balance: 0n, authentic: false },
  channel: `${shop}/x402`,
  x402: { unit, network: 'eip155:8453', nonce: '0x' },
}

test('nothing is said of what was free', (t) => {
  t.is(paidText([], token), undefined)
  t.is(paidText([undefined], token), undefined)
})

test('which dialect, what it cost, and what it would have cost otherwise', (t) => {
  t.is(paidText([inChannel], token), 'paid 0.05 TKN through a channel')
  const otherwise = [
    { dialect: 'x402', price: 10_000n, unit },
    { dialect: 'x402', price: 7n, unit: undefined },
  ] as const
  t.is(
    paidText([{ ...inChannel, otherwise }], token),
    'paid 0.05 TKN through a channel; otherwise 0.01 USD by x402, or 7 units of an asset that is not configured, by x402',
  )
  t.is(
    paidText([{ ...byX402, otherwise: [{ dialect: 'rdn', price: 5n, unit: undefined }] }], token),
    'paid 0.01 USD by x402 on eip155:8453; otherwise 0.05 TKN through a channel',
  )
})

test('redirections add up, token by token', (t) => {
  t.is(
    paidText([inChannel, undefined, inChannel, byX402], token),
    'paid 0.1 TKN and 0.01 USD by x402 on eip155:8453',
  )
})
