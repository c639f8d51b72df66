// Who settles payments, and what may come of it.
import type { ChainBlock, Hex } from '../../protocol/index.ts'
import type { ExactPayment, Fault } from './check.ts'

export type Outcome =
  | { readonly kind: 'settled'; readonly transaction: Hex }
  /** Nothing was moved. */
  | ({ readonly kind: 'failed' } & Fault)
  /** It was used for something else, or cancelled. */
  | { readonly kind: 'spent' }
  /** Neither: it may still be settled. */
  | { readonly kind: 'unknown' }
  /** Nothing has left: no node, no ether, no facilitator, or gas is too dear. */
  | { readonly kind: 'unable'; readonly error: unknown }

export interface Sending {
  /** The newest block before it was sent first: what happened to it is in a later one. */
  readonly since: ChainBlock
  /** Awaited before anything leaves that could move money; when it rejects, nothing leaves. */
  readonly onSent: () => Promise<void>
}

/** Both resolve when it is over, however long that takes, and reject only as `onSent` does. */
export interface Settler {
  readonly settle: (payment: ExactPayment, sending: Sending) => Promise<Outcome>
  /** The same for what may have been sent before, by this process or an earlier one. */
  readonly resume: (payment: ExactPayment, sending: Sending) => Promise<Outcome>
}

export function unable(error: unknown): Outcome {
  return { kind: 'unable', error }
}
