// What a channel's books are when a backup is put beside what is on disk, as pure functions.
import {
  type Interval,
  intersectIntervals,
  joinIntervals,
  largest,
} from '../../../protocol/index.ts'
import type { Claims } from '../../channels/claims.ts'
import type { PaymentLedger } from '../../channels/records.ts'
import type { BackupChannel } from './document.ts'

/**
 * Neither forgets anything: the higher balance stays, and a unit that has paid in one of them has
 * paid. A state that was lost took balances for new that had paid before, when senders left a gap
 * below; without this the same proofs would buy twice.
 */
export function mergeLedger(
  existing: PaymentLedger | undefined,
  { claims, proof, agreedToClose }: BackupChannel,
): PaymentLedger {
  if (existing === undefined) return { claims, proof, agreedToClose }
  const better = claims.highest > existing.claims.highest
  const best = better ? proof : existing.proof
  return {
    claims: mergeClaims(existing.claims, claims),
    ...(best && { proof: best }),
    agreedToClose: existing.agreedToClose || agreedToClose,
  }
}

export function mergeClaims(a: Claims, b: Claims): Claims {
  const highest = largest(a.highest, b.highest)
  const free = (claims: Claims): readonly Interval[] =>
    joinIntervals([...claims.unclaimed, { from: claims.highest, to: highest }])
  return { highest, unclaimed: intersectIntervals(free(a), free(b)) }
}
