// What a sender proves its balances with: signatures, ticks, or both in turn.
import { randomBytes } from 'node:crypto'
import {
  type Address,
  type SignatureDomain,
  type SignedCommitment,
  tickIndex,
  toHex,
} from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { commitTicks, type Ticks } from '../../support/ticks.ts'
import type { SentProof } from './bound-sender.ts'

/** `in turn`: every third payment has a signature, beside a commitment that goes on. */
export type Proving = 'signatures' | 'ticks' | 'in turn'

interface ProvenChannel {
  readonly domain: SignatureDomain
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly key: string
  readonly price: bigint
}

interface Proofs {
  /** Of the next balance: a commitment is sent until the receiver is known to have it. */
  readonly next: (balance: bigint) => SentProof
  /** The same once more, with all that it takes. */
  readonly whole: (balance: bigint) => SentProof
  /** The receiver has served what brought this. */
  readonly taken: (proof: SentProof) => void
}

/** Of the commitments one after the other: short ones, so that a new one often comes while ticks of the old fly. */
const lengths = [3, 16, 64, 256] as const

export function createProofs(channel: ProvenChannel, proving: Proving): Proofs {
  const { price } = channel
  const made: Ticks[] = []
  const known = new Set<SignedCommitment>()
  const isSigned = (balance: bigint) =>
    proving === 'signatures' || (proving === 'in turn' && (balance / price) % 3n === 0n)

  function commit(base: bigint): Ticks {
    const ticks = lengths[made.length % lengths.length] ?? 16
    const last = toHex(randomBytes(32))
    const committed = commitTicks(channel, channel, { base, step: price, ticks, last })
    made.push(committed)
    return committed
  }

  function whole(balance: bigint): SentProof {
    if (isSigned(balance)) return { signature: balanceProof({ ...channel, balance }) }
    const ticks = made.findLast((each) => placeOf(each, balance) > 0) ?? commit(balance - price)
    return ticks.first(placeOf(ticks, balance))
  }

  return {
    whole,
    next: (balance) => {
      const { commitment, ...rest } = whole(balance)
      return commitment === undefined || known.has(commitment) ? rest : { ...rest, commitment }
    },
    taken: ({ commitment }) => {
      if (commitment !== undefined) known.add(commitment)
    },
  }
}

/** 0 at the base and off the grid: nothing is proven by the root here. */
function placeOf({ commitment }: Ticks, balance: bigint): number {
  return tickIndex(commitment, balance) ?? 0
}
