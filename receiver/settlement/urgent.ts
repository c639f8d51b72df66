// When what channels owe is collected without being asked for, as the cheapest defence: no close below what
// was withdrawn is possible. Decided on plain data.
import { smallest, type TokenAmount } from '../../protocol/index.ts'
import { provenBalance } from '../channels/proofs.ts'
import { type Channel, dueOf } from '../channels/records.ts'
import type { AnswerFees } from './fees.ts'
import type { CollectPolicy } from './policy.ts'
import { leastWorthAnswer, type ReserveTerms } from './reserve.ts'

export interface UrgentCase {
  readonly channels: Iterable<Channel>
  /** A channel that owes more is collected from. Undefined: no limit. */
  readonly limit: TokenAmount | undefined
  /** There is too little ether to defend all channels. */
  readonly isShort: boolean
  /** Undefined while the price of gas is not known. */
  readonly terms: ReserveTerms | undefined
  readonly fees: AnswerFees
  /** Of the account, in wei. */
  readonly ether: bigint | undefined
}

/**
 * What to collect now: with too little ether what else would have to be defended, otherwise what has
 * passed the limit. Undefined: nothing.
 */
export function urgentCollection(given: UrgentCase): CollectPolicy | undefined {
  const { channels, limit, isShort, terms, fees, ether } = given
  const worth = isShort && terms !== undefined ? leastWorthAnswer(terms) : undefined
  const above = limit === undefined ? undefined : limit + 1n
  const leastEach = worth === undefined ? above : smallest(worth, above)
  if (leastEach === undefined || !someOwe(channels, leastEach)) return undefined
  const mostGasPrice = worth === undefined ? fees.usual : fees.most
  return { least: 1n, leastEach, mostGasPrice, mostFee: ether }
}

function someOwe(channels: Iterable<Channel>, least: TokenAmount): boolean {
  for (const channel of channels) {
    if (channel.state === 'open' && dueOf(channel, provenBalance(channel)) >= least) return true
  }
  return false
}
