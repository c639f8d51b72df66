// The challenge period as a time. The contract counts blocks; what a receiver or a watchtower needs to answer a
// dishonest close is time.

import {
  type BlockClock,
  blockTimeWindow,
  formatDuration,
  isUraidenError,
  secondsPerBlock,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import type { ChainClient } from './types.ts'

/** How long the contract's blocks take, as far as the chain has shown it. */
export interface ChallengeTime {
  /** Of the contract. */
  readonly blocks: number
  /** Undefined on a chain that is too young to say. */
  readonly seconds: number | undefined
}

/** In seconds. Whoever sleeps, or has no power for a while, misses a shorter period. */
const shortPeriod = 3600

/** @throws UraidenError `chain_unavailable` */
export async function readBlockClock(
  chain: Pick<ChainClient, 'head' | 'block'>,
): Promise<BlockClock> {
  const head = await chain.head()
  const earlier = await chain.block(Math.max(head.number - blockTimeWindow, 0))
  return {
    head: head.contractBlock,
    secondsPerBlock: earlier && secondsPerBlock(earlier, head),
  }
}

type Measured = Pick<ChainClient, 'head' | 'block' | 'contractFacts'>

/** @throws UraidenError `chain_unavailable`, and those of `contractFacts` */
export async function challengeTime(chain: Measured): Promise<ChallengeTime> {
  const { challengePeriod: blocks } = await chain.contractFacts()
  const { secondsPerBlock: each } = await readBlockClock(chain)
  return { blocks, seconds: each === undefined ? undefined : blocks * each }
}

/** `500 blocks, about 1.7 hours`. */
export function challengeTimeText({ blocks, seconds }: ChallengeTime): string {
  return seconds === undefined
    ? `${blocks} blocks`
    : `${blocks} blocks, about ${formatDuration(seconds)}`
}

/** What is to be said of a period that is short; undefined for any other. */
export function shortPeriodWarning(time: ChallengeTime): string | undefined {
  if (time.seconds === undefined || time.seconds >= shortPeriod) return undefined
  return `The challenge period is ${challengeTimeText(time)}: whoever is off for longer cannot answer a dishonest close.`
}

/**
 * Resolves with what is to be said of a short period. A node that is away, and a chain that is too young, say
 * nothing. `least` in seconds.
 * @throws UraidenError `challenge_period_short`
 */
export async function checkChallengePeriod(
  chain: Measured,
  least: number | undefined,
): Promise<string | undefined> {
  const time = await challengeTime(chain).catch((error) => {
    if (!isUraidenError(error)) throw error
    return undefined
  })
  if (time === undefined) return undefined
  if (least !== undefined && time.seconds !== undefined && time.seconds < least) {
    throw platformError({
      code: 'challenge_period_short',
      message: `The challenge period of the contract is ${challengeTimeText(time)}, less than the ${formatDuration(least)} of leastChallengePeriod.`,
    })
  }
  return shortPeriodWarning(time)
}
