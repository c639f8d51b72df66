// What a channel's books are when others are put beside them, such as a backup's, as pure functions.
import { compareKeys, type NumberedKey } from '../../protocol/bound/index.ts'
import {
  type Interval,
  intersectIntervals,
  joinIntervals,
  largest,
  type TokenAmount,
} from '../../protocol/index.ts'
import { type Claims, closeGaps } from './claims.ts'
import { fallbacksBelow, type Proofs } from './proofs.ts'
import { type BestProof, isTicked, type PaymentLedger, type ProvenBalance } from './records.ts'
import { stillOpen } from './ticks.ts'

/** What is put beside what is there: of a backup, or of a process that remembers it. */
export interface OfferedLedger {
  readonly claims: Claims
  /** Of a channel that is bound and has not paid there is none. */
  readonly proof?: BestProof | undefined
  /** The best proofs under earlier deposits that may stand again; in rising order, below the balance. */
  readonly fallbacks?: readonly ProvenBalance[] | undefined
  readonly agreedToClose: boolean
  readonly agreedBalance?: TokenAmount | undefined
  readonly requestKey?: NumberedKey | undefined
}

/**
 * Neither forgets anything: the higher balance stays, and a unit that has paid in one of them has
 * paid. A state that was lost took balances for new that had paid before, when senders left a gap
 * below; without this the same proofs would buy twice.
 */
export function mergeLedger(
  existing: PaymentLedger | undefined,
  offered: OfferedLedger,
): PaymentLedger {
  const { claims, proof, agreedToClose, agreedBalance, requestKey } = offered
  const agreement = existing?.agreedBalance ?? agreedBalance
  const key = newer(existing?.requestKey, requestKey)
  const lasting = {
    agreedToClose: existing?.agreedToClose === true || agreedToClose,
    ...(agreement !== undefined && { agreedBalance: agreement }),
    ...(key && { requestKey: key }),
  }
  if (existing === undefined) {
    return {
      ...{ claims: closeGaps(claims), ...(proof && { proof, ...ticksOf(proof) }) },
      ...fallbacksOf(claims.highest, [offered]),
      ...lasting,
    }
  }
  const better = claims.highest > existing.claims.highest
  const best = better ? proof : existing.proof
  const highest = largest(existing.claims.highest, claims.highest)
  return {
    ...(existing.collecting && { collecting: true }),
    ...(existing.answers && { answers: existing.answers }),
    claims: mergeClaims(existing.claims, claims),
    ...(best && { proof: best }),
    ...(better && proof
      ? ticksOf(proof, existing.ticks && stillOpen(existing.ticks, highest))
      : existing.ticks && { ticks: existing.ticks }),
    ...fallbacksOf(highest, [existing, offered]),
    ...lasting,
  }
}

/** The commitment of a tick that is the best proof now goes on, or else that which went on beside. */
function ticksOf(best: BestProof, beside?: PaymentLedger['ticks']): Pick<PaymentLedger, 'ticks'> {
  const ticks = isTicked(best) ? best : beside
  return ticks === undefined ? {} : { ticks }
}

/** A deposit of before may stand again: what was the best in one of them is kept below what is the best now. */
function fallbacksOf(
  highest: TokenAmount,
  ledgers: readonly Proofs[],
): Pick<PaymentLedger, 'fallbacks'> {
  const fallbacks = fallbacksBelow(highest, ledgers)
  return fallbacks.length === 0 ? {} : { fallbacks }
}

/** Numbers only rise; of two with one number the first stays. */
function newer(
  existing: NumberedKey | undefined,
  offered: NumberedKey | undefined,
): NumberedKey | undefined {
  if (offered === undefined) return existing
  return compareKeys(existing, offered) === 'newer' ? offered : existing
}

export function mergeClaims(a: Claims, b: Claims): Claims {
  const highest = largest(a.highest, b.highest)
  const free = (claims: Claims): readonly Interval[] =>
    joinIntervals([...claims.unclaimed, { from: claims.highest, to: highest }])
  return closeGaps({ highest, unclaimed: intersectIntervals(free(a), free(b)) })
}
