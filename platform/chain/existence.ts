// Whether a channel is over that the contract does not show: a node that lags within itself knows a channel
// in one answer and does not know it in the next.

import { type ChannelId, isUraidenError } from '../../protocol/index.ts'
import { readLogs } from './answers.ts'
import type { ChainClient, ChannelEvent } from './types.ts'

/**
 * True when the chain tells of its end, or when the block that opened it was replaced by one without it. False
 * while the contract knows it, and while nobody can tell.
 * @throws UraidenError `chain_unavailable`, `chain_closed`
 */
export async function isChannelOver(chain: ChainClient, channel: ChannelId): Promise<boolean> {
  try {
    if ((await chain.channelInfo(channel)) !== undefined) return false
    const { sender, receiver, openBlock } = channel
    const isOf = (kind: ChannelEvent['kind']) => (event: ChannelEvent) =>
      event.kind === kind &&
      event.channel.openBlock === openBlock &&
      event.channel.sender === sender &&
      event.channel.receiver === receiver
    const [head, opening] = await Promise.all([chain.head(), chain.block(openBlock)])
    // It is behind the opening: what it does not know says nothing.
    if (opening === undefined || head.number < openBlock) return false
    // By its hash: a node that does not have this block says so.
    const filter = { address: chain.contract, blockHash: opening.hash }
    const opened = chain.decodeLogs(readLogs(await chain.request('eth_getLogs', [filter])))
    if (!opened.some(isOf('created'))) return true
    const later = await chain.events({ from: openBlock, to: head.number, sender, receiver })
    return later.some(isOf('settled'))
  } catch (error) {
    if (isUraidenError(error, 'rpc_error')) return false
    throw error
  }
}
