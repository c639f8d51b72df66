import test from 'ava'
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
  /** Deposits before the opening and before top-ups that it may not have seen. */
  readonly unseen?: readonly bigint[]
  readonly mayBeOld?: true
  /** Now; 5 was paid. */
  readonly price?: bigint
  /** Where its interval begins; else 10. */
  readonly from?: bigint
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
    unseen: [0n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'a channel that was topped up is not known any more',
    reason: 'nonexisting_channel',
    unseen: [12n],
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
    unseen: [12n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'one of two top-ups is not known yet',
    reason: 'invalid_balance_proof',
    unseen: [14n, 30n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'the proof is refused, and the deposit before the top-up would do for it',
    reason: 'invalid_balance_proof',
    unseen: [15n],
    verdict: { kind: 'proofRefused' },
  },
  {
    when: 'an original receiver has not seen the top-up, and gives no reason',
    claimed: 10n,
    proven: true,
    unseen: [14n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'the same, and its only payment before was served by nobody',
    claimed: 0n,
    from: 0n,
    unseen: [0n, 4n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'what was in doubt is offered again over a top-up that an original receiver has not seen',
    claimed: 10n,
    proven: true,
    source: 'doubtful',
    unseen: [14n],
    verdict: { kind: 'wait' },
  },
  {
    when: 'no reason is given, and the deposit before the top-up would do',
    claimed: 10n,
    proven: true,
    unseen: [15n],
    verdict: { kind: 'correct', balance: 10n },
  },
  {
    when: 'a top-up is not known yet, and the price has changed',
    claimed: 10n,
    proven: true,
    price: 6n,
    unseen: [14n],
    verdict: { kind: 'correct', balance: 10n },
  },
  {
    when: 'a top-up is not known yet, but the amount is wrong',
    reason: 'invalid_amount',
    claimed: 10n,
    proven: true,
    unseen: [14n],
    verdict: { kind: 'correct', balance: 10n },
  },
  {
    when: 'a new channel is known, and its first payment was not taken',
    claimed: 0n,
    from: 0n,
    unseen: [0n],
    verdict: { kind: 'correct', balance: 0n },
  },
  {
    when: 'nothing was registered of what we have signed: there can be no proof',
    reason: 'invalid_amount',
    claimed: 0n,
    verdict: { kind: 'correct', balance: 0n },
  },
  {
    when: 'a balance of 1 is claimed without proof',
    reason: 'invalid_amount',
    claimed: 1n,
    verdict: { kind: 'unproven' },
  },
  {
    when: 'what is offered again has paid, says one that knows balances only',
    claimed: 15n,
    source: 'doubtful',
    verdict: { kind: 'spentBefore' },
  },
  {
    when: 'what is offered again was not taken, and more before it neither',
    reason: 'invalid_amount',
    claimed: 0n,
    source: 'doubtful',
    verdict: { kind: 'correct', balance: 0n },
  },
  {
    when: 'what is offered again was not taken, for no reason',
    claimed: 10n,
    source: 'doubtful',
    verdict: { kind: 'correct', balance: 10n },
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
    features: ['parallel'],
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
    when: 'the same in the first answer that this process gets',
    claimed: 15n,
    proven: true,
    mayBeOld: true,
    verdict: { kind: 'oldBooks', balance: 15n },
  },
  {
    when: 'this very payment is kept without proof in the first answer',
    claimed: 15n,
    mayBeOld: true,
    verdict: { kind: 'unproven' },
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
      sent: { sender: someone, openBlock: 1, balance: (given.from ?? 10n) + 5n, signature },
      source: given.source ?? 'fresh',
      from: given.from ?? 10n,
      unseen: (given.unseen ?? []).map((before) => ({ before, block: 1 })),
      mayBeOld: given.mayBeOld ?? false,
      proven: given.proven ?? false,
      answer: {
        gatewayPath: '/api/1',
        receiver: someone,
        contract: someone,
        token: someone,
        price: given.price ?? 5n,
        features: new Set(given.features),
        ...(given.reason && { reason: given.reason }),
        ...(given.claimed !== undefined && { senderBalance: given.claimed }),
      },
    }
    t.deepEqual(judgeRefusal(refused), given.verdict)
  })
}
