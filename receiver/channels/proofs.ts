// Which balance proofs are worth keeping, and which one counts, while a deposit may still be taken back with
// its block: a proof above the deposit that is left proves nothing. A tick is worth more there: hashed down it
// proves each balance on its commitment's grid below it. Pure functions on plain data.
import {
  compareBigints,
  hashTick,
  isTickForm,
  packTickProof,
  type ShownProof,
  type TickedCommitment,
  type TickProof,
  type TickWord,
  type TokenAmount,
  unpackTickProof,
} from '../../protocol/index.ts'
import {
  type BestProof,
  type Channel,
  isTicked,
  type PaymentLedger,
  type ProvenBalance,
} from './records.ts'

/** A sender that tops up in every block must not make the record long. */
export const mostFallbacks = 16

/** What of a ledger is proven. */
export interface Proofs extends Pick<PaymentLedger, 'claims' | 'fallbacks'> {
  readonly proof?: PaymentLedger['proof'] | undefined
}

/** The best proof that the contract takes while the deposit is this. */
export function provenUnder(ledger: Proofs, deposit: TokenAmount): ProvenBalance | undefined {
  const { claims, proof, fallbacks = [] } = ledger
  const best = coveredOf({ balance: claims.highest, ...gridOf(proof) }, deposit)
  const lower = bestOf(fallbacks, deposit)
  if (proof === undefined || best === undefined || (lower && lower.covered.balance > best.balance))
    return lower && loweredTo(lower.proven, lower.covered)
  return shownAt(proof, best)
}

/** With the deposit that the channel has, confirmed or as it is seen. */
export function provenOf(channel: Channel): ProvenBalance | undefined {
  return provenUnder(channel, channel.deposit)
}

/** The balance of `provenUnder`, without making the proof; 0 when nothing is proven. */
export function balanceUnder(
  { claims, proof, fallbacks = [] }: Proofs,
  deposit: TokenAmount,
): TokenAmount {
  const { highest } = claims
  if (proof !== undefined && highest <= deposit) return highest
  const best = proof && coveredOf({ balance: highest, ...gridOf(proof) }, deposit)
  const lower = bestOf(fallbacks, deposit)?.covered
  const balances = [best?.balance ?? 0n, lower?.balance ?? 0n] as const
  return balances[0] > balances[1] ? balances[0] : balances[1]
}

/** What is proven with the deposit that the channel has; 0 when nothing is. */
export function provenBalance(channel: Channel): TokenAmount {
  return balanceUnder(channel, channel.deposit)
}

/** A best proof as the contract takes it. */
export function shownProof(proof: BestProof): ShownProof {
  return isTicked(proof) ? packTickProof(proof) : proof.signature
}

/**
 * The opposite.
 * @throws UraidenError as `unpackTickProof`
 */
export function bestProofOf({ balance, signature, form }: ProvenBalance): BestProof {
  if (!isTickForm(signature)) return { signature, form }
  return { ...unpackTickProof(signature, balance), form: 'eip712' }
}

/**
 * What to keep beside a new best proof: for each earlier deposit that may stand again the best proof under it,
 * where the new one proves less there. In rising order.
 */
export function fallbacksUnder(
  before: PaymentLedger,
  after: Required<Pick<PaymentLedger, 'claims' | 'proof'>>,
  deposits: readonly TokenAmount[],
): readonly ProvenBalance[] {
  const kept = new Map<TokenAmount, ProvenBalance>()
  for (const deposit of deposits) {
    const best = provenUnder(before, deposit)
    if (best === undefined || best.balance <= balanceUnder(after, deposit)) continue
    kept.set(best.balance, best)
  }
  return few([...kept.values()].sort((a, b) => compareBigints(a.balance, b.balance)))
}

/** With the proof of a balance below the best one, which the deposit does not cover any more. */
export function withFallback(
  { fallbacks = [] }: PaymentLedger,
  balance: TokenAmount,
  proof: BestProof,
): readonly ProvenBalance[] {
  const others = fallbacks.filter((each) => each.balance !== balance)
  const all = [...others, { balance, signature: shownProof(proof), form: proof.form }]
  return few(all.sort((a, b) => compareBigints(a.balance, b.balance)))
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
  if (proof === undefined) return fallbacks
  const best = { balance: claims.highest, signature: shownProof(proof), form: proof.form }
  return [...fallbacks, best]
}

/** A proven balance, and the grid below it where it is a tick. */
interface Covering {
  readonly balance: TokenAmount
  readonly step?: TokenAmount
  readonly index?: number
}

/** What a deposit covers of it, and by how many ticks that is lower. */
interface Covered {
  readonly balance: TokenAmount
  readonly lower: number
}

function gridOf(proof: BestProof | undefined): Pick<Covering, 'step' | 'index'> {
  if (proof === undefined || !isTicked(proof)) return {}
  return { step: proof.commitment.step, index: proof.index }
}

function coveredOf(
  { balance, step = 1n, index = 0 }: Covering,
  deposit: TokenAmount,
): Covered | undefined {
  if (balance <= deposit) return { balance, lower: 0 }
  const lower = (balance - deposit + step - 1n) / step
  if (lower > BigInt(index)) return undefined
  return { balance: balance - lower * step, lower: Number(lower) }
}

interface LowerProof {
  readonly proven: ProvenBalance
  readonly covered: Covered
}

function bestOf(fallbacks: readonly ProvenBalance[], deposit: TokenAmount): LowerProof | undefined {
  let best: LowerProof | undefined
  for (const proven of fallbacks) {
    const covered = coveredOf(coveringOf(proven), deposit)
    if (covered && (best === undefined || covered.balance >= best.covered.balance)) {
      best = { proven, covered }
    }
  }
  return best
}

function coveringOf({ balance, signature }: ProvenBalance): Covering {
  if (!isTickForm(signature)) return { balance }
  const counts = Number(BigInt(word(signature, 1)) & 0xffffn)
  return { balance, index: counts, step: BigInt(word(signature, 2)) }
}

function shownAt(proof: BestProof, { balance, lower }: Covered): ProvenBalance {
  const shown = isTicked(proof) ? packTickProof(lowered(proof, lower)) : proof.signature
  return { balance, signature: shown, form: proof.form }
}

function loweredTo(proven: ProvenBalance, { balance, lower }: Covered): ProvenBalance {
  const { signature, form } = proven
  if (lower === 0 || !isTickForm(signature)) return proven
  const counts = BigInt(word(signature, 1)) - BigInt(lower)
  const last = hashTick(word(signature, 0) as TickWord, lower)
  const shown = `${last}${counts.toString(16).padStart(64, '0')}${signature.slice(130)}`
  return { balance, signature: shown as TickProof, form }
}

function lowered({ commitment, index, word }: TickedCommitment, by: number): TickedCommitment {
  return { commitment, index: index - by, word: hashTick(word, by) }
}

function word(proof: TickProof, at: number): `0x${string}` {
  return `0x${proof.slice(2 + 64 * at, 66 + 64 * at)}`
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
