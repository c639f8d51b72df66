import test from 'ava'
import { checkProposal, type Policy, type Proposal } from '../../../agent/purchase/policy.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'

const address = (byte: string) => addressOfKey(fromHex(`0x${byte.repeat(32)}`))
const contract = address('11')
const token = address('22')
const receiver = address('33')
const other = address('44')

interface Case {
  readonly when: string
  readonly policy?: Partial<Policy>
  readonly proposal?: Partial<Proposal>
  readonly terms?: Partial<Proposal['terms']>
  /** Undefined where it may be paid. */
  readonly code?: string
}

// For a price of 5 at http://shop:8080/reading.
const cases: readonly Case[] = [
  { when: 'nothing is limited' },
  { when: 'the host is allowed', policy: { hosts: ['shop'] } },
  { when: 'the host is allowed at its port', policy: { hosts: ['shop:8080'] } },
  {
    when: 'the host is allowed at another port',
    policy: { hosts: ['shop:81'] },
    code: 'host_not_allowed',
  },
  { when: 'another contract', terms: { contract: other }, code: 'wrong_contract' },
  { when: 'another token', terms: { token: other }, code: 'wrong_token' },
  { when: 'the receiver is allowed', policy: { receivers: [other, receiver] } },
  {
    when: 'the receiver is not allowed',
    policy: { receivers: [other] },
    code: 'receiver_not_allowed',
  },
  {
    when: 'the receiver is expected there, without a list',
    policy: { receivers: [] },
    proposal: { expected: receiver },
  },
  {
    when: 'another one is expected there',
    proposal: { expected: other },
    code: 'receiver_changed',
  },
  { when: 'the price is at the cap', policy: { request: 5n } },
  { when: 'the price is over the cap', policy: { request: 4n }, code: 'price_over_cap' },
  {
    when: 'the price is over the caller’s cap',
    proposal: { mostPrice: 4n },
    code: 'price_over_cap',
  },
  {
    when: 'the price has risen as far as it may',
    policy: { priceJump: 2.5 },
    proposal: { lastPrice: 2n },
  },
  {
    when: 'the price has risen further',
    policy: { priceJump: 2.4 },
    proposal: { lastPrice: 2n },
    code: 'price_jump',
  },
  { when: 'the price is the first one', policy: { priceJump: 1 } },
  { when: 'a dry run', policy: { dryRun: true }, code: 'dry_run' },
  {
    when: 'a dry run of what may not be paid',
    policy: { dryRun: true, request: 4n },
    code: 'price_over_cap',
  },
]

for (const { when, policy, proposal, terms, code } of cases) {
  test(`${when}: ${code ?? 'may be paid'}`, (t) => {
    const check = () =>
      checkProposal(
        { contract, token, ...policy },
        {
          url: new URL('http://shop:8080/reading'),
          terms: { contract, token, receiver, price: 5n, ...terms },
          ...proposal,
        },
        { symbol: 'TKN', decimals: 0 },
      )
    if (code === undefined) t.notThrows(check)
    else t.throws(check, { code })
  })
}
