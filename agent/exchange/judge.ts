// What a 402 to a paid request means: a pure function (wire-protocol.md sections 2 and 7).
import type { Payment, Terms, TokenAmount } from '../../protocol/index.ts'

export interface RefusedPayment {
  readonly sent: Payment
  readonly price: TokenAmount
  /** Our balance before this payment, as far as we know. */
  readonly previous: TokenAmount
  /** False when a crash hid the true balance: `previous` is then an upper bound. */
  readonly certain: boolean
  /** The channel was opened or topped up and the receiver may not have seen it yet. */
  readonly fresh: boolean
  readonly answer: Terms
  /** The answer carries our own signature over the balance that it claims. */
  readonly proven: boolean
}

export type Verdict =
  /** Send the same payment again in a while. */
  | { readonly kind: 'wait' }
  /** The channel stands at `balance`: pay from there. */
  | { readonly kind: 'correct'; readonly balance: TokenAmount }
  /** Pay above all that may have been signed, and leave a gap. */
  | { readonly kind: 'leaveGap' }
  | { readonly kind: 'channelGone' }
  /** The receiver keeps the payment and refuses the resource. */
  | { readonly kind: 'cheated' }
  /** The receiver claims another balance without our signature under it. */
  | { readonly kind: 'unproven' }
  /** The proof itself was refused, and waiting will not help. */
  | { readonly kind: 'proofRefused' }

export function judgeRefusal(refused: RefusedPayment): Verdict {
  const { answer, fresh } = refused
  switch (answer.reason) {
    case 'insufficient_confirmations':
      return { kind: 'wait' }
    case 'nonexisting_channel':
      return { kind: fresh ? 'wait' : 'channelGone' }
    case 'invalid_balance_proof':
      return { kind: fresh ? 'wait' : 'proofRefused' }
    default:
      return judgeBalance(refused)
  }
}

function judgeBalance({ sent, previous, certain, answer, proven }: RefusedPayment): Verdict {
  const claimed = answer.senderBalance
  if (proven && claimed !== undefined) {
    return claimed >= sent.balance ? { kind: 'cheated' } : { kind: 'correct', balance: claimed }
  }
  // Our own knowledge needs no proof: the payment was not taken.
  if (certain && (claimed ?? 0n) === previous) return { kind: 'correct', balance: previous }
  return answer.features.has('parallel') ? { kind: 'leaveGap' } : { kind: 'unproven' }
}
