// What the receiver has earned and not got yet, and what of it is in danger, on plain data.
import { type ContractBlock, compareBigints, type TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { lossOf } from '../channels/forgetting.ts'
import { provenBalance } from '../channels/proofs.ts'
import { type Channel, dueOf } from '../channels/records.ts'

export interface Exposure {
  /** What channels that are not settled still owe. */
  readonly uncollected: TokenAmount
  /** Of it, what is lost if nobody answers the closes that were requested below our proofs. */
  readonly atRisk: TokenAmount
  /** What settled channels paid less than we have proofs for. */
  readonly lost: TokenAmount
}

/** A requested close at less than we have a proof for. */
export interface DishonestClose {
  readonly channel: Channel
  readonly stake: TokenAmount
  /** Blocks in which it can be answered for sure; below 0 the sender may settle any moment. */
  readonly remaining: number
}

export function exposureOf(book: Pick<ChannelBook, 'asSeen' | 'forgotten'>): Exposure {
  let [uncollected, atRisk, lost] = [0n, 0n, book.forgotten().lost]
  for (const channel of book.asSeen()) {
    uncollected += dueOf(channel, channel.claims.highest)
    if (channel.state === 'closing') atRisk += shortfall(channel)
    if (channel.state === 'settled') lost += lossOf(channel)
  }
  return { uncollected, atRisk, lost }
}

/** What the channel's requested end gives less than the best proof that the contract takes. */
export function shortfall(channel: Channel): TokenAmount {
  const { end } = channel
  const proven = provenBalance(channel)
  return end === undefined || proven <= end.balance ? 0n : proven - end.balance
}

/** The last block in which a close can be challenged, as the contract counts. */
export function lastBlock({ end }: Channel, challengePeriod: number): ContractBlock {
  return (end?.contractBlock ?? 0) + challengePeriod
}

/** The most urgent first; of equally urgent ones the largest. */
export function dishonestCloses(
  closing: Iterable<Channel>,
  { head, challengePeriod }: { readonly head: ContractBlock; readonly challengePeriod: number },
): readonly DishonestClose[] {
  return [...closing]
    .map((channel) => ({
      channel,
      stake: shortfall(channel),
      remaining: lastBlock(channel, challengePeriod) - head,
    }))
    .filter(({ stake }) => stake > 0n)
    .sort((a, b) => a.remaining - b.remaining || compareBigints(b.stake, a.stake))
}
