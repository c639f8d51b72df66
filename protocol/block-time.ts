// How long a block takes as the contract counts: with it a challenge period is a time to people.
import type { ContractBlock } from './channel.ts'
import { formatDuration } from './duration.ts'

/** Chain blocks that are looked back. */
export const blockTimeWindow = 10_000
/** Fewer blocks, as the contract counts, say nothing. */
const leastSample = 100

export interface TimedBlock {
  readonly contractBlock: ContractBlock
  /** Unix seconds. */
  readonly timestamp: number
}

/**
 * Of two blocks of a chain; undefined where they are too near each other to say.
 * @example
 * const earlier = { contractBlock: 1000, timestamp: 1700000000 }
 * secondsPerBlock(earlier, { contractBlock: 2000, timestamp: 1700012000 }) // 12
 */
export function secondsPerBlock(earlier: TimedBlock, later: TimedBlock): number | undefined {
  const blocks = later.contractBlock - earlier.contractBlock
  const seconds = later.timestamp - earlier.timestamp
  return blocks >= leastSample && seconds > 0 ? seconds / blocks : undefined
}

/** How far a chain is, and how long its blocks take; both as the contract counts. */
export interface BlockClock {
  readonly head: ContractBlock
  /** Undefined on a chain that is too young to say. */
  readonly secondsPerBlock: number | undefined
}

/**
 * When what waits for `block` to be over comes: `after block 1234, about 3 hours from now`. The one form in which
 * pages, lists and logs name the end of a challenge period.
 * @example
 * afterBlock(1500, { head: 1000, secondsPerBlock: 12 }) // 'after block 1500, about 1.7 hours from now'
 */
export function afterBlock(block: ContractBlock, clock: BlockClock | undefined): string {
  const said = `after block ${block}`
  if (clock === undefined) return said
  const blocks = block - clock.head + 1
  if (blocks <= 0) return `${said}, which is over`
  const { secondsPerBlock: each } = clock
  return each === undefined ? said : `${said}, about ${formatDuration(blocks * each)} from now`
}
