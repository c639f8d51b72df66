// What a request pays: the interval rule of wire-protocol.md section 8, as pure functions.
//
// With balance b and price p a request pays the interval (b − p, b]. H is the highest balance that
// the receiver holds a proof for. Every unit below H has either paid for something (claimed) or not
// yet. A request is served when its whole interval is above H or unclaimed; then it is claimed.
import {
  compareBigints,
  containsInterval,
  type Interval,
  intervalLength,
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

/**
 * Gaps are written with every payment. A payment that would leave more of them is refused; where credit
 * makes one too many, the smallest is closed and its units count as paid.
 */
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
  // To the original's clients the other reason says that we lie about this balance.
  const isSame = balance === highest && highest > 0n
  if (paid.from < 0n) return refused(isSame ? 'balance_spent' : 'invalid_amount')
  if (balance <= highest) {
    if (!containsInterval(unclaimed, paid)) {
      // The original's clients take the balance that they are shown only with this reason.
      return refused(balance < highest && !mayLeaveGap ? 'invalid_amount' : 'balance_spent')
    }
    return claimed(claims, paid, { highest, unclaimed: subtractInterval(unclaimed, paid) })
  }
  const below = { from: paid.from, to: highest }
  if (paid.from < highest && !containsInterval(unclaimed, below)) return refused('invalid_amount')
  const gap = { from: highest, to: paid.from }
  if (paid.from > highest && !mayLeaveGap) return refused('invalid_amount')
  const left = paid.from > highest ? [...unclaimed, gap] : subtractInterval(unclaimed, below)
  return claimed(claims, paid, { highest: balance, unclaimed: joinIntervals(left) })
}

/** A gap in the middle of another one makes two, as one above all others makes one more. */
function claimed(before: Claims, paid: Interval, after: Claims): ClaimDecision {
  const { length } = after.unclaimed
  if (length > mostGaps && length > before.unclaimed.length) return refused('invalid_amount')
  return { kind: 'claimed', paid, claims: closeGaps(after) }
}

/**
 * Gives an interval back that was claimed for something that failed, or the part of it that was not
 * needed: the sender's credit.
 */
export function unclaim({ highest, unclaimed }: Claims, returned: Interval): Claims {
  return closeGaps({ highest, unclaimed: joinIntervals([...unclaimed, returned]) })
}

/** Keeps the largest gaps, those that pay for most. */
export function closeGaps(claims: Claims): Claims {
  const { highest, unclaimed } = claims
  if (unclaimed.length <= mostGaps) return claims
  const largestFirst = [...unclaimed].sort(
    (a, b) => compareBigints(intervalLength(b), intervalLength(a)) || compareBigints(b.to, a.to),
  )
  return { highest, unclaimed: joinIntervals(largestFirst.slice(0, mostGaps)) }
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
