// What a 402 to a paid request means: a pure function (wire-protocol.md sections 2 and 7). It holds for a
// payment that was alone on its channel.
import type { Payment, Terms, TokenAmount } from '../../protocol/index.ts'
import type { Unseen } from '../channels/funding.ts'
import type { TakenFrom } from '../channels/position.ts'

export interface RefusedPayment {
  readonly sent: Payment
  readonly source: TakenFrom
  /** Our balance before this payment, as far as we know. */
  readonly previous: TokenAmount
  /** What the receiver may not have seen yet of this channel. */
  readonly unseen: Unseen | undefined
  readonly answer: Terms
  /** The answer carries our own signature over the balance that it claims. */
  readonly proven: boolean
}

export type Verdict =
  /** Send the same payment again in a while. */
  | { readonly kind: 'wait' }
  /** The channel stands at `balance`: pay from there. */
  | { readonly kind: 'correct'; readonly balance: TokenAmount }
  /** What was offered has paid already: pay with something else. */
  | { readonly kind: 'spentBefore' }
  /** Pay above all that may have been signed. */
  | { readonly kind: 'assumeWorst' }
  | { readonly kind: 'channelGone' }
  /** The receiver keeps the payment and refuses the resource. */
  | { readonly kind: 'cheated' }
  /** The receiver claims another balance without our signature under it. */
  | { readonly kind: 'unproven' }
  /** The proof itself was refused, and waiting will not help. */
  | { readonly kind: 'proofRefused' }

export function judgeRefusal(refused: RefusedPayment): Verdict {
  const { answer, unseen } = refused
  switch (answer.reason) {
    case 'insufficient_confirmations':
      return { kind: 'wait' }
    case 'nonexisting_channel':
      // A channel that was topped up was known before.
      return { kind: unseen === 'opened' ? 'wait' : 'channelGone' }
    case 'invalid_balance_proof':
      return { kind: unseen === undefined ? 'proofRefused' : 'wait' }
    default:
      return judgeBalance(refused)
  }
}

function judgeBalance({ sent, source, previous, answer, proven }: RefusedPayment): Verdict {
  const claimed = answer.senderBalance
  if (source === 'probe') {
    if (proven && claimed !== undefined) return { kind: 'correct', balance: claimed }
    // Of nothing there is no proof, and of what our own store holds we need none.
    if (claimed === undefined || claimed === 0n) return { kind: 'correct', balance: 0n }
    if (claimed === sent.balance) return { kind: 'correct', balance: claimed }
    return answer.features.has('parallel') ? { kind: 'assumeWorst' } : { kind: 'unproven' }
  }
  if (source !== 'fresh') return { kind: 'spentBefore' }
  if (proven && claimed !== undefined) {
    return claimed === sent.balance ? { kind: 'cheated' } : { kind: 'correct', balance: claimed }
  }
  // Our own knowledge needs no proof: the payment was not taken.
  if ((claimed ?? 0n) === previous) return { kind: 'correct', balance: previous }
  return { kind: 'unproven' }
}
