// What a 402 to a paid request means: a pure function (wire-protocol.md sections 2 and 7). It holds for a
// payment that was alone on its channel.
import type { Terms, TokenAmount } from '../../protocol/index.ts'
import type { TakenFrom } from '../channels/position.ts'
import { isAhead, type UnseenDeposit } from '../channels/records.ts'
import type { ProvenPayment } from './types.ts'

export interface RefusedPayment {
  readonly sent: ProvenPayment
  readonly source: TakenFrom
  /** Where its interval begins: our balance before it, as far as we know. */
  readonly from: TokenAmount
  /** What the receiver may not have seen yet of this channel. */
  readonly unseen: readonly UnseenDeposit[]
  /** Our books may be a few payments old: nothing that this process has heard speaks against it. */
  readonly mayBeOld: boolean
  readonly answer: Terms
  /** The answer carries our own signature over the balance that it claims. */
  readonly proven: boolean
}

export type Verdict =
  /** Send the same payment again in a while. */
  | { readonly kind: 'wait' }
  /** The channel stands at `balance`: pay from there. */
  | { readonly kind: 'correct'; readonly balance: TokenAmount }
  /** The channel stands where this payment would bring it, and has perhaps for long: pay from there, once. */
  | { readonly kind: 'oldBooks'; readonly balance: TokenAmount }
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
  const { sent, answer, unseen } = refused
  switch (answer.reason) {
    case 'insufficient_confirmations':
      return { kind: 'wait' }
    case 'nonexisting_channel':
      // A channel that was topped up was known before.
      return { kind: unseen.some(({ before }) => before === 0n) ? 'wait' : 'channelGone' }
    case 'invalid_balance_proof':
      return { kind: isAhead({ unseen }, sent.balance) ? 'wait' : 'proofRefused' }
    default:
      return judgeBalance(refused)
  }
}

function judgeBalance(refused: RefusedPayment): Verdict {
  const { sent, source, from, answer, proven, mayBeOld } = refused
  const claimed = answer.senderBalance
  if (source === 'probe') {
    if (proven && claimed !== undefined) return { kind: 'correct', balance: claimed }
    // Of nothing there is no proof, and of what our own store holds we need none.
    if (claimed === undefined || claimed === 0n) return { kind: 'correct', balance: 0n }
    if (claimed === sent.balance) return { kind: 'correct', balance: claimed }
    return answer.features.has('parallel') ? { kind: 'assumeWorst' } : { kind: 'unproven' }
  }
  if (source === 'credit' || (source === 'doubtful' && answer.features.has('parallel'))) {
    return { kind: 'spentBefore' }
  }
  if (claimed === sent.balance) {
    if (source === 'doubtful') return { kind: 'spentBefore' }
    if (proven) return mayBeOld ? { kind: 'oldBooks', balance: claimed } : { kind: 'cheated' }
  }
  // Our own knowledge needs no proof: the payment was not taken.
  if ((claimed ?? 0n) === from) {
    return waitsForDeposit(refused) ? { kind: 'wait' } : { kind: 'correct', balance: from }
  }
  // Of nothing there is no proof, and a signature over less than was signed risks nothing.
  if (claimed !== undefined && (proven || claimed === 0n)) {
    return { kind: 'correct', balance: claimed }
  }
  return { kind: 'unproven' }
}

/** One of the original gives no reason when a payment needs a top-up that it has not seen confirmed. */
function waitsForDeposit({ sent, from, answer, unseen }: RefusedPayment): boolean {
  if (answer.reason !== undefined || answer.price !== sent.balance - from) return false
  return unseen.some(({ before }) => before > 0n && before < sent.balance)
}
