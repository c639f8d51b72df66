// Which balance proofs are worth keeping, and which one counts, while a deposit may still be taken back with
// its block: a proof above the deposit that is left proves nothing. Pure functions on plain data.
import { compareBigints, type TokenAmount } from '../../protocol/index.ts'
import type { Channel, PaymentLedger, ProvenBalance } from './records.ts'

/** A sender that tops up in every block must not make the record long. */
export const mostFallbacks = 16

/** What of a ledger is proven. */
export interface Proofs extends Pick<PaymentLedger, 'claims' | 'fallbacks'> {
  readonly proof?: PaymentLedger['proof'] | undefined
}

/** The best proof that the contract takes while the deposit is this. */
export function provenUnder(ledger: Proofs, deposit: TokenAmount): ProvenBalance | undefined {
  return proofsOf(ledger).findLast(({ balance }) => balance <= deposit)
}

/** With the deposit that the channel has, confirmed or as it is seen. */
export function provenOf(channel: Channel): ProvenBalance | undefined {
  return provenUnder(channel, channel.deposit)
}

/** What is proven with the deposit that the channel has; 0 when nothing is. */
export function provenBalance(channel: Channel): TokenAmount {
  return provenOf(channel)?.balance ?? 0n
}

/**
 * What to keep beside a new best proof of `balance`: for each earlier deposit that may stand again the best
 * proof under it. In rising order.
 */
export function fallbacksUnder(
  before: PaymentLedger,
  balance: TokenAmount,
  deposits: readonly TokenAmount[],
): readonly ProvenBalance[] {
  const kept = new Set<ProvenBalance>()
  const known = proofsOf(before)
  for (const deposit of deposits) {
    if (deposit >= balance) continue
    const best = known.findLast((each) => each.balance <= deposit)
    if (best !== undefined) kept.add(best)
  }
  return few([...kept].sort((a, b) => compareBigints(a.balance, b.balance)))
}

/** Of the proofs of several ledgers those below `balance`, the best one's; in rising order. */
export function fallbacksBelow(
  balance: TokenAmount,
  ledgers: readonly Proofs[],
): readonly ProvenBalance[] {
  const lower = ledgers.flatMap(proofsOf).filter((each) => each.balance < balance)
  const apart = [...new Map(lower.map((each) => [each.balance, each])).values()]
  return few(apart.sort((a, b) => compareBigints(a.balance, b.balance)))
}

/** In rising order; the last is the best. */
export function proofsOf({ claims, proof, fallbacks = [] }: Proofs): readonly ProvenBalance[] {
  return proof === undefined ? fallbacks : [...fallbacks, { balance: claims.highest, ...proof }]
}

/** Leaves out those that prove the least more than the one below them. */
function few(rising: readonly ProvenBalance[]): readonly ProvenBalance[] {
  if (rising.length <= mostFallbacks) return rising
  let least = 1
  for (let at = 1; at < rising.length; at++) {
    if (gain(rising, at) < gain(rising, least)) least = at
  }
  return few(rising.filter((_, at) => at !== least))
}

function gain(rising: readonly ProvenBalance[], at: number): TokenAmount {
  return (rising[at]?.balance ?? 0n) - (rising[at - 1]?.balance ?? 0n)
}
