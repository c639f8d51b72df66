// Whether a tick proves a balance (docs/reference/ticks.md): a pure decision, without waiting, so that what is known
// of a channel does not change meanwhile.
import {
  hashTick,
  type Keccak256,
  type SignedCommitment,
  type TickCommitment,
  type TickWord,
  type TokenAmount,
  tickBalance,
  tickIndex,
} from '../../protocol/index.ts'
import type { TickedProof } from './records.ts'

/** What a request above the best proof brings. */
export interface OfferedTick {
  readonly balance: TokenAmount
  readonly tick: TickWord
  readonly commitment?: SignedCommitment | undefined
}

export interface TickChecks {
  readonly keccak: Keccak256
  /** Whether the channel's sender signed it. Costs a recovery. */
  readonly isSigned: (commitment: SignedCommitment) => boolean
}

export type TickDecision =
  | { readonly kind: 'proven'; readonly proof: TickedProof }
  /** `wrong`: it is on the grid of the known commitment, which is to be forgotten. */
  | { readonly kind: 'unknown' | 'wrong' | 'unsigned' }

/** `known` is the channel's one commitment with its last tick. A tick is hashed 256 times at most. */
export function decideTick(
  known: TickedProof | undefined,
  { balance, tick, commitment }: OfferedTick,
  { keccak, isSigned }: TickChecks,
): TickDecision {
  const isKnown =
    known && (commitment === undefined || isSameCommitment(known.commitment, commitment))
  const named = isKnown ? known.commitment : commitment
  if (named === undefined) return { kind: 'unknown' }
  const index = tickIndex(named, balance)
  const from = isKnown ? known : { index: 0, word: named.root }
  if (index === undefined || index < from.index) return { kind: 'unknown' }
  if (!isKnown && !isSigned(named)) return { kind: 'unsigned' }
  if (hashTick(tick, index - from.index, keccak) !== from.word) {
    return { kind: isKnown ? 'wrong' : 'unknown' }
  }
  return { kind: 'proven', proof: { commitment: named, index, word: tick, form: 'eip712' } }
}

/** A commitment goes on beside other proofs until they have passed its end. */
export function stillOpen(known: TickedProof, balance: TokenAmount): TickedProof | undefined {
  const { commitment } = known
  return balance < tickBalance(commitment, commitment.ticks) ? known : undefined
}

/** With another signature under it, it is no other commitment. */
export function isSameCommitment(a: TickCommitment, b: TickCommitment): boolean {
  return a.root === b.root && a.base === b.base && a.step === b.step && a.ticks === b.ticks
}
