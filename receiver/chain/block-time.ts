// How long a block takes as the contract counts, so that the end of a challenge period is named as a time.
import { type ChainClient, readBlockClock } from '../../platform/chain/index.ts'
import { type ContractBlock, isUraidenError } from '../../protocol/index.ts'

export interface BlockTimeWatch {
  /** To be called with every look at the chain; without a head it looks anyway. Never rejects for the chain. */
  readonly refresh: (head?: ContractBlock) => Promise<void>
  /** In seconds; undefined on a chain that is too young to say. */
  readonly now: () => number | undefined
}

/** Blocks after which it is looked at again. */
const anewAfter = { known: 1000, unknown: 100 }

export function watchBlockTime(chain: Pick<ChainClient, 'head' | 'block'>): BlockTimeWatch {
  let seconds: number | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  return {
    refresh: async (head) => {
      const pause = seconds === undefined ? anewAfter.unknown : anewAfter.known
      if (head !== undefined && head - lookedAt < pause) return
      try {
        const clock = await readBlockClock(chain)
        seconds = clock.secondsPerBlock ?? seconds
        lookedAt = clock.head
      } catch (error) {
        if (!isUraidenError(error)) throw error
      }
    },
    now: () => seconds,
  }
}
