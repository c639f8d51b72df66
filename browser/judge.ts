// What a refusal of a payment means: a pure function (wire-protocol.md sections 2 and 7).
import type { PaymentReason, TokenAmount } from '../protocol/index.ts'
import type { PendingPayment, StoredChannel } from './storage.ts'

export interface Refused {
  /** As it was when the payment was sent. */
  readonly channel: StoredChannel
  readonly sent: PendingPayment
  /** The proof had been sent before, and nobody knew what became of it. */
  readonly repeated: boolean
  /** The channel was opened or topped up and the receiver may not have seen it yet. */
  readonly fresh: boolean
  readonly reason: PaymentReason | undefined
  /** The price that the refusal names. */
  readonly price: TokenAmount
  /** The balance that the refusal claims. */
  readonly claimed: TokenAmount | undefined
  /** It carries the sender's own signature over that balance. */
  readonly proven: boolean
}

export type Verdict =
  /** Send the same again in a while. */
  | 'wait'
  /** The channel stands at the claimed balance: sign again from there. */
  | 'correct'
  /** Another price than was agreed to. */
  | 'price_changed'
  | 'channel_gone'
  | 'proof_refused'
  /** The receiver keeps the payment and refuses the resource. */
  | 'cheated'
  /** It claims a balance without the sender's signature under it. */
  | 'unproven'

export function judge(refused: Refused): Verdict {
  const { reason, fresh, price, sent } = refused
  if (reason === 'insufficient_confirmations') return 'wait'
  if (reason === 'nonexisting_channel') return fresh ? 'wait' : 'channel_gone'
  if (reason === 'invalid_balance_proof') return fresh ? 'wait' : 'proof_refused'
  if (price !== sent.price) return 'price_changed'
  return judgeBalance(refused)
}

function judgeBalance({ channel, sent, repeated, claimed = 0n, proven }: Refused): Verdict {
  // Of a recovered channel the first balance that is tried may be the one that was paid last.
  const first = !repeated && !channel.recovered
  if (proven) return first && claimed === sent.balance ? 'cheated' : 'correct'
  // Of nothing there is no proof, and of what the page knows itself it needs none.
  if (claimed === channel.balance || (claimed === 0n && channel.recovered)) return 'correct'
  return 'unproven'
}
