// Our own commitments to ticks: when one is worth a signature, how long it is, and its chain of hashes. Pure
// functions on plain data (docs/reference/ticks.md).
import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  fromHex,
  maxTokenAmount,
  mostTicks,
  parseSignature,
  parseTickWord,
  parseUint192,
  type SignedCommitment,
  smallest,
  type TickCommitment,
  type TickWord,
  type TokenAmount,
  tickBalance,
  tickIndex,
  toHex,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

/** As it is kept: whoever has `last` can pay with all of it, and so it is shown to nobody. */
export interface OwnCommitment extends Omit<SignedCommitment, 'root'> {
  /** w_N, drawn at random. */
  readonly last: TickWord
}

/** A payment of more steps costs more hashes than its signature is worth. */
const mostSteps = 64n

/** The one that follows one which was used up is longer. */
const lengths = [16, 64, mostTicks] as const

/** A commitment of fewer payments saves next to nothing. */
const leastPayments = 4n

/** Prices that count, the newest among them. */
export const pricesThatCount = 4

/**
 * The step for the next commitment, by the last prices, oldest first: the price when it has come twice in a row,
 * or what divides all of them when they change all the time. Undefined when none is worth it.
 */
export function stepFor(prices: readonly TokenAmount[]): TokenAmount | undefined {
  const [first, before, price] = [prices.at(-3), prices.at(-2), prices.at(-1)]
  if (price === undefined || before === undefined || price === 0n) return undefined
  if (price === before) return price
  // Once only: it may be the new price.
  if (first === undefined || first === before) return undefined
  const counted = prices.slice(-pricesThatCount)
  const step = counted.reduce(greatestCommonDivisor)
  return step > 0n && counted.every((each) => each / step <= mostSteps) ? step : undefined
}

function greatestCommonDivisor(a: TokenAmount, b: TokenAmount): TokenAmount {
  return b === 0n ? a : greatestCommonDivisor(b, a % b)
}

export interface CommitmentCase {
  /** Where the next payment begins. */
  readonly base: TokenAmount
  readonly step: TokenAmount
  readonly price: TokenAmount
  readonly deposit: TokenAmount
  /** The one before it. */
  readonly earlier: Omit<OwnCommitment, 'signature'> | undefined
  /** Ticks that the owner allows; none with 0. */
  readonly most: number
}

/** How many ticks: as long as it is likely to be used, and not above the deposit. Undefined for no commitment. */
export function ticksFor(given: CommitmentCase): number | undefined {
  const { base, step, price, deposit, most } = given
  const wanted = lengthAfter(given)
  const payments = price / step
  const length = lengths.find((each) => each >= wanted && BigInt(each) >= payments * leastPayments)
  const room = (smallest(deposit, maxTokenAmount) - base) / step
  const ticks = smallest(BigInt(Math.min(length ?? mostTicks, most)), room)
  // One that holds a single payment is a signature that is longer.
  return ticks >= 2n * payments ? Number(ticks) : undefined
}

function lengthAfter({ base, price, earlier }: CommitmentCase): number {
  if (earlier === undefined) return lengths[0]
  const end = tickBalance({ ...earlier, root: earlier.last }, earlier.ticks)
  const isUsedUp = base <= end && base + price > end
  if (!isUsedUp) return lengths[0]
  return lengths.find((each) => each > earlier.ticks) ?? mostTicks
}

/** The place of a balance that a tick of the commitment can prove; undefined when none can. */
export function placeIn(commitment: OwnCommitment, balance: TokenAmount): number | undefined {
  const index = tickIndex({ ...commitment, root: commitment.last }, balance)
  // The base was proven before it.
  return index === 0 ? undefined : index
}

/** w_0 to w_N. */
export interface TickChain {
  readonly word: (index: number) => TickWord
}

/** Kept as bytes: 32 a tick. */
export function chainOf({ last, ticks }: Pick<OwnCommitment, 'last' | 'ticks'>): TickChain {
  const words = new Uint8Array((ticks + 1) * 32)
  let word = fromHex(last)
  for (let at = ticks; at >= 0; at--) {
    words.set(word, at * 32)
    if (at > 0) word = keccak_256(word)
  }
  return { word: (index) => toHex(words.subarray(index * 32, index * 32 + 32)) as TickWord }
}

export function drawnWord(random: Uint8Array): TickWord {
  return toHex(random) as TickWord
}

/** What is signed of it. */
export function unsignedOf(
  { base, step, ticks }: Omit<OwnCommitment, 'signature' | 'last'>,
  chain: TickChain,
): TickCommitment {
  return { base, step, ticks, root: chain.word(0) }
}

/** What the receiver is told of it. */
export function signedOf(own: OwnCommitment, chain: TickChain): SignedCommitment {
  return { ...unsignedOf(own, chain), signature: own.signature }
}

/** @throws UraidenError `ledger_damaged`, which does not show what was read */
export function decodeCommitment(raw: { readonly [name: string]: unknown }): OwnCommitment {
  try {
    const { ticks } = raw
    if (typeof ticks !== 'number' || !(ticks >= 1 && ticks <= mostTicks)) throw new RangeError()
    return {
      base: parseUint192(String(raw.base)),
      step: parseUint192(String(raw.step)),
      ticks,
      last: parseTickWord(String(raw.last)),
      signature: parseSignature(String(raw.signature)),
    }
  } catch {
    throw agentError({
      code: 'ledger_damaged',
      message: 'The ledger holds a commitment that cannot be read.',
    })
  }
}
