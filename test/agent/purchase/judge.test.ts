import test from 'ava'
import type { Unseen } from '../../../agent/channels/funding.ts'
import type { TakenFrom } from '../../../agent/channels/position.ts'
import { judgeRefusal, type RefusedPayment, type Verdict } from '../../../agent/purchase/judge.ts'
import {
  addressOfKey,
  type Feature,
  fromHex,
  type PaymentReason,
  parseSignature,
} from '../../../protocol/index.ts'

const someone = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)

interface Case {
  readonly when: string
  readonly reason?: PaymentReason
  readonly claimed?: bigint
  readonly proven?: true
  readonly source?: TakenFrom
  readonly unseen?: Unseen
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
    unseen: 'opened',
    verdict: { kind: 'wait' },
  },
  {
    when: 'a channel that was topped up is not known any more',
    reason: 'nonexisting_channel',
    unseen: 'toppedUp',
    verdict: { kind: 'channelGone' },
  },
  {
    when: 'an old channel is not known any more',
    reason: 'nonexisting_channel',
    verdict: { kind: 'channelGone' },
  },
  {
    when: 'a top-up is not known yet',
    reason: 'invalid_balance_proof',
    unseen: 'toppedUp',
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
    when: 'asked after a crash, the receiver shows our signature',
    claimed: 35n,
    proven: true,
    source: 'probe',
    verdict: { kind: 'correct', balance: 35n },
  },
  {
    when: 'asked after a crash, the receiver claims more without proof',
    claimed: 20n,
    source: 'probe',
    verdict: { kind: 'unproven' },
  },
  {
    when: 'asked after a crash, the receiver stands at the last balance that we know of',
    claimed: 15n,
    source: 'probe',
    verdict: { kind: 'correct', balance: 15n },
  },
  {
    when: 'asked after a crash, the receiver has never seen a payment',
    claimed: 0n,
    source: 'probe',
    verdict: { kind: 'correct', balance: 0n },
  },
  {
    when: 'asked after a crash, the receiver claims more without proof, and gaps are allowed',
    claimed: 20n,
    source: 'probe',
    features: ['parallel'],
    verdict: { kind: 'assumeWorst' },
  },
  {
    when: 'what was offered a second time has paid the first time',
    claimed: 15n,
    proven: true,
    source: 'doubtful',
    verdict: { kind: 'spentBefore' },
  },
  {
    when: 'the receiver takes its credit back',
    claimed: 20n,
    proven: true,
    source: 'credit',
    verdict: { kind: 'spentBefore' },
  },
  {
    when: 'this very payment is kept and the resource refused',
    claimed: 15n,
    proven: true,
    verdict: { kind: 'cheated' },
  },
  {
    when: 'even more is proven: our store is an old copy',
    claimed: 20n,
    proven: true,
    verdict: { kind: 'correct', balance: 20n },
  },
]

for (const given of cases) {
  test(`${given.when}: ${given.verdict.kind}`, (t) => {
    const refused: RefusedPayment = {
      sent: { sender: someone, openBlock: 1, balance: 15n, signature },
      source: given.source ?? 'fresh',
      previous: 10n,
      unseen: given.unseen,
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
