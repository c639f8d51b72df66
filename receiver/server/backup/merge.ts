// What a channel's books are when a backup is put beside what is on disk, as pure functions.
import type { TokenAmount } from '../../../protocol/index.ts'
import type { Claims, Interval } from '../../channels/claims.ts'
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
  const highest = a.highest > b.highest ? a.highest : b.highest
  const free = (claims: Claims): readonly Interval[] => [
    ...claims.unclaimed,
    { from: claims.highest, to: highest },
  ]
  const unclaimed = free(a).flatMap((one) => free(b).flatMap((other) => common(one, other)))
  return { highest, unclaimed: joined(unclaimed) }
}

function common(a: Interval, b: Interval): readonly Interval[] {
  const from = a.from > b.from ? a.from : b.from
  const to = a.to < b.to ? a.to : b.to
  return from < to ? [{ from, to }] : []
}

/** In rising order, and neighbours are one: that is how claims are kept. */
function joined(intervals: readonly Interval[]): readonly Interval[] {
  const result: { from: TokenAmount; to: TokenAmount }[] = []
  for (const { from, to } of intervals) {
    const last = result.at(-1)
    if (last !== undefined && last.to === from) last.to = to
    else result.push({ from, to })
  }
  return result
}
