import test from 'ava'
import { judgeRefusal, type RefusedPayment, type Verdict } from '../../agent/exchange/judge.ts'
import {
  addressOfKey,
  type Feature,
  fromHex,
  type PaymentReason,
  parseSignature,
} from '../../protocol/index.ts'

const someone = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)

interface Case {
  readonly when: string
  readonly reason?: PaymentReason
  readonly claimed?: bigint
  readonly proven?: true
  readonly uncertain?: true
  readonly fresh?: true
  readonly features?: readonly Feature[]
  readonly verdict: Verdict
}

// Sent: balance 15 for a price of 5, from 10.
const cases: readonly Case[] = [
  {
    when: 'the receiver waits for confirmations',
    reason: 'insufficient_confirmations',
    verdict: { kind: 'wait' },
  },
  {
    when: 'a new channel is not known yet',
    reason: 'nonexisting_channel',
    fresh: true,
    verdict: { kind: 'wait' },
  },
  {
    when: 'an old channel is not known any more',
    reason: 'nonexisting_channel',
    verdict: { kind: 'channelGone' },
  },
  {
    when: 'a top-up is not known yet',
    reason: 'invalid_balance_proof',
    fresh: true,
    verdict: { kind: 'wait' },
  },
  {
    when: 'the proof is refused',
    reason: 'invalid_balance_proof',
    verdict: { kind: 'proofRefused' },
  },
  {
    when: 'a lower balance is proven',
    claimed: 5n,
    proven: true,
    verdict: { kind: 'correct', balance: 5n },
  },
  {
    when: 'a lower balance is claimed without proof',
    claimed: 5n,
    verdict: { kind: 'unproven' },
  },
  {
    when: 'a higher balance is claimed without proof',
    claimed: 20n,
    verdict: { kind: 'unproven' },
  },
  {
    when: 'no balance is said, of a channel that has paid',
    verdict: { kind: 'unproven' },
  },
  {
    when: 'the receiver stands where we stood, without proof',
    claimed: 10n,
    verdict: { kind: 'correct', balance: 10n },
  },
  {
    when: 'the receiver stands where we may have stood before a crash, without proof',
    claimed: 10n,
    uncertain: true,
    verdict: { kind: 'unproven' },
  },
  {
    when: 'a balance is claimed without proof, and gaps are allowed',
    claimed: 0n,
    uncertain: true,
    features: ['parallel'],
    verdict: { kind: 'leaveGap' },
  },
  {
    when: 'this very payment is kept and the resource refused',
    claimed: 15n,
    proven: true,
    verdict: { kind: 'cheated' },
  },
  {
    when: 'even more is proven, of another process with our key',
    claimed: 20n,
    proven: true,
    verdict: { kind: 'cheated' },
  },
]

for (const given of cases) {
  test(`${given.when}: ${given.verdict.kind}`, (t) => {
    const refused: RefusedPayment = {
      sent: { sender: someone, openBlock: 1, balance: 15n, signature },
      price: 5n,
      previous: 10n,
      certain: !given.uncertain,
      fresh: given.fresh ?? false,
      proven: given.proven ?? false,
      answer: {
        gatewayPath: '/api/1',
        receiver: someone,
        contract: someone,
        token: someone,
        price: 5n,
        features: new Set(given.features),
        ...(given.reason && { reason: given.reason }),
        ...(given.claimed !== undefined && { senderBalance: given.claimed }),
      },
    }
    t.deepEqual(judgeRefusal(refused), given.verdict)
  })
}
