// Whether payments are taken while the receiver could not defend a channel (wire-protocol.md
// sections 2 and 8), decided on plain data.
import { maxTokenAmount, type RefusalCode, type TokenAmount } from '../../protocol/index.ts'

export interface OutageLimits {
  /** How long confirmed channels are served while the node does not answer, in milliseconds. */
  readonly longest: number
  /** Meanwhile: the highest balance of one channel. */
  readonly mostPerChannel: TokenAmount
  /** Meanwhile: the balances of all channels that are not settled. */
  readonly mostInAll: TokenAmount
}

export const defaultOutageLimits: OutageLimits = {
  longest: 60_000,
  mostPerChannel: maxTokenAmount,
  mostInAll: maxTokenAmount,
}

export interface ChainHealth {
  /** The last look at the chain went well. */
  readonly nodeAnswers: boolean
  /** Milliseconds since the last look that went well. */
  readonly age: number
  /** Of the receiver's account, in wei; undefined before the first look. */
  readonly ether: bigint | undefined
  /** What the request at hand would raise its channel to; 0 when it does not pay. */
  readonly balance: TokenAmount
  /** Of all channels, before this request. */
  readonly unsettled: TokenAmount
}

/** The original's limit: with less the receiver could not pay for a transaction. In wei. */
export const leastEther = 10n ** 8n

export function decideOutage(limits: OutageLimits, health: ChainHealth): RefusalCode | undefined {
  const { nodeAnswers, age, ether, balance, unsettled } = health
  if (age > limits.longest) return 'chain_unavailable'
  if (ether !== undefined && ether < leastEther) return 'receiver_lacks_ether'
  if (nodeAnswers) return undefined
  const tooMuch = balance > limits.mostPerChannel || unsettled >= limits.mostInAll
  return tooMuch ? 'chain_unavailable' : undefined
}
