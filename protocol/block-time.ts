// How long a block takes as the contract counts: with it a challenge period is a time to people.
import type { ContractBlock } from './channel.ts'

/** Chain blocks that are looked back. */
export const blockTimeWindow = 10_000
/** Fewer blocks, as the contract counts, say nothing. */
const leastSample = 100

export interface TimedBlock {
  readonly contractBlock: ContractBlock
  /** Unix seconds. */
  readonly timestamp: number
}

/** Of two blocks of a chain; undefined where they are too near each other to say. */
export function secondsPerBlock(earlier: TimedBlock, later: TimedBlock): number | undefined {
  const blocks = later.contractBlock - earlier.contractBlock
  const seconds = later.timestamp - earlier.timestamp
  return blocks >= leastSample && seconds > 0 ? seconds / blocks : undefined
}
