// What a request pays: the interval rule of wire-protocol.md section 8, as pure functions.
//
// With balance b and price p a request pays the interval (b − p, b]. H is the highest balance that
// the receiver holds a proof for. Every unit below H has either paid for something (claimed) or not
// yet. A request is served when its whole interval is above H or unclaimed; then it is claimed.
import {
  containsInterval,
  type Interval,
  joinIntervals,
  overlapsInterval,
  subtractInterval,
  type TokenAmount,
  totalLength,
} from '../../protocol/index.ts'

/** What has paid on one channel. */
export interface Claims {
  /** H: the highest balance with a stored proof. */
  readonly highest: TokenAmount
  /** Unclaimed intervals below H: apart from each other, in rising order, none empty. */
  readonly unclaimed: readonly Interval[]
}

export const noClaims: Claims = { highest: 0n, unclaimed: [] }

/** Gaps cost memory and disk, so a sender may leave only so many. */
export const mostGaps = 64

export interface Asked {
  readonly balance: TokenAmount
  readonly price: TokenAmount
  /** The sender says how much it pays (`RDN-Payment`), so it may leave a gap for requests on their way. */
  readonly mayLeaveGap: boolean
}

export type ClaimDecision =
  | { readonly kind: 'claimed'; readonly claims: Claims; readonly paid: Interval }
  | { readonly kind: 'refused'; readonly code: 'invalid_amount' | 'balance_spent' }

/** Claims the interval of a request, or says why not. A price of 0 never comes here. */
export function claim(claims: Claims, { balance, price, mayLeaveGap }: Asked): ClaimDecision {
  const { highest, unclaimed } = claims
  const paid = { from: balance - price, to: balance }
  if (paid.from < 0n) return refused('invalid_amount')
  if (balance <= highest) {
    if (!containsInterval(unclaimed, paid)) return refused('balance_spent')
    return {
      kind: 'claimed',
      paid,
      claims: { highest, unclaimed: subtractInterval(unclaimed, paid) },
    }
  }
  const below = { from: paid.from, to: highest }
  if (paid.from < highest && !containsInterval(unclaimed, below)) return refused('invalid_amount')
  const gap = { from: highest, to: paid.from }
  if (paid.from > highest && (!mayLeaveGap || unclaimed.length >= mostGaps)) {
    return refused('invalid_amount')
  }
  const left = paid.from > highest ? [...unclaimed, gap] : subtractInterval(unclaimed, below)
  return { kind: 'claimed', paid, claims: { highest: balance, unclaimed: joinIntervals(left) } }
}

/**
 * Gives an interval back that was claimed for something that failed, or the part of it that was not
 * needed: the sender's credit.
 */
export function unclaim({ highest, unclaimed }: Claims, returned: Interval): Claims {
  return { highest, unclaimed: joinIntervals([...unclaimed, returned]) }
}

/** True when every unit of the interval has paid for something. */
export function isClaimed({ highest, unclaimed }: Claims, interval: Interval): boolean {
  return interval.to <= highest && !overlapsInterval(unclaimed, interval)
}

/** What the sender has paid for: every claimed unit. */
export function claimedSum({ highest, unclaimed }: Claims): TokenAmount {
  return highest - totalLength(unclaimed)
}

function refused(code: 'invalid_amount' | 'balance_spent'): ClaimDecision {
  return { kind: 'refused', code }
}
