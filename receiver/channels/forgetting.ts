// Which settled channels are forgotten, and what is remembered of them all together. Pure functions on plain data.
//
// A channel that is settled cannot come back: its name is its opening block, which is over. Whoever looks at books
// wants the newest ones; of the others only sums stay. They go in the order in which they were settled, block by block,
// so that one block says which are gone: what the chain or a backup shows of them again is not counted twice.
import type { ChainBlock, TokenAmount } from '../../protocol/index.ts'
import { claimedSum } from './claims.ts'
import { historyDepth } from './history.ts'
import { type Channel, type ChannelName, channelName } from './records.ts'

/** All that were forgotten. */
export interface Forgotten {
  /** All that were settled in this block or before; -1: none. */
  readonly upTo: ChainBlock
  readonly channels: number
  /** What they paid less than there were proofs for. */
  readonly lost: TokenAmount
  /** What was paid on them. */
  readonly earned: TokenAmount
}

export const nothingForgotten: Forgotten = { upTo: -1, channels: 0, lost: 0n, earned: 0n }

/**
 * Blocks below the newest confirmed one that a settlement must have: four times as many as can be gone back. Deeper
 * than this no reorganisation is expected, which would bring a channel back without its proofs.
 */
export const forgetDepth = 4 * historyDepth

/** Settled channels that are remembered where nobody says how many. */
export const usualKept = 1000

export interface ForgettingTerms {
  /** Settled channels that stay. */
  readonly keep: number
  /** Of what was settled in this block or before nothing is taken back. */
  readonly final: ChainBlock
  readonly before: Forgotten
}

export interface Forgetting {
  readonly names: readonly ChannelName[]
  readonly after: Forgotten
}

/** What the channel's end gave less than its best proof. */
export function lossOf({ claims, end }: Pick<Channel, 'claims' | 'end'>): TokenAmount {
  return end === undefined || claims.highest <= end.balance ? 0n : claims.highest - end.balance
}

/** Undefined when nothing is forgotten. `settled`: all settled channels, in any order. */
export function forget(
  settled: readonly Channel[],
  { keep, final, before }: ForgettingTerms,
): Forgetting | undefined {
  const oldestFirst = settled.toSorted((a, b) => endOf(a) - endOf(b))
  const last = oldestFirst[settled.length - keep - 1]
  if (last === undefined) return undefined
  const upTo = Math.min(endOf(last), final)
  const gone = oldestFirst.filter((channel) => endOf(channel) <= upTo)
  if (gone.length === 0) return undefined
  let { channels, lost, earned } = before
  for (const channel of gone) {
    // It is in the sums already: the chain was read again.
    if (endOf(channel) <= before.upTo) continue
    channels++
    lost += lossOf(channel)
    earned += claimedSum(channel.claims)
  }
  return {
    names: gone.map(({ sender, openBlock }) => channelName(sender, openBlock)),
    after: { upTo: Math.max(upTo, before.upTo), channels, lost, earned },
  }
}

function endOf({ end }: Pick<Channel, 'end'>): ChainBlock {
  return end?.block ?? 0
}

export function encodeForgotten({ upTo, channels, lost, earned }: Forgotten): string {
  return JSON.stringify({ upTo, channels, lost: `${lost}`, earned: `${earned}` })
}

export function decodeForgotten(text: string): Forgotten {
  const { upTo, channels, lost, earned } = JSON.parse(text)
  return { upTo, channels, lost: BigInt(lost), earned: BigInt(earned) }
}
