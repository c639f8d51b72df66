// Whether a channel is over that the contract does not show: a node that lags within itself knows a channel
// in one answer and does not know it in the next.

import {
  type ChainBlock,
  type ChannelId,
  type ContractBlock,
  isUraidenError,
} from '../../protocol/index.ts'
import { readLogs } from './answers.ts'
import type { BlockRef, ChainClient, ChannelEvent } from './types.ts'

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
    const head = await chain.head()
    const blocks = await blocksOf(chain, openBlock, head)
    // It is behind the opening: what it does not know says nothing.
    if (blocks === undefined) return false
    const opening = await findBlock(blocks, async (block) => {
      // By its hash: a node that does not have this block says so.
      const filter = { address: chain.contract, blockHash: block.hash }
      const logs = readLogs(await chain.request('eth_getLogs', [filter]))
      return chain.decodeLogs(logs, block.contractBlock).some(isOf('created'))
    })
    if (opening === undefined) return true
    const later = await chain.events({ from: opening.number, to: head.number, sender, receiver })
    return later.some(isOf('settled'))
  } catch (error) {
    if (isUraidenError(error, 'rpc_error')) return false
    throw error
  }
}

/** The blocks in which contracts saw this number; undefined while there may be more of them. */
async function blocksOf(
  chain: Pick<ChainClient, 'block'>,
  wanted: ContractBlock,
  head: BlockRef,
): Promise<readonly BlockRef[] | undefined> {
  if (Number(head.contractBlock) === Number(head.number)) {
    // Both clocks are one.
    const block = await chain.block(Number(wanted))
    return block === undefined || head.contractBlock < wanted ? undefined : [block]
  }
  if (head.contractBlock <= wanted) return undefined
  const first = await firstBlockAt(chain, wanted, head.number)
  if (first === undefined) return undefined
  const blocks: BlockRef[] = []
  for (let number = first; number <= head.number; number++) {
    const block = await chain.block(number)
    if (block === undefined) return undefined
    if (block.contractBlock > wanted) break
    blocks.push(block)
  }
  return blocks
}

/**
 * The first block in which contracts saw this number or a later one; from the head back, as channels are young.
 * Undefined where the node does not have a block that it must have.
 */
async function firstBlockAt(
  chain: Pick<ChainClient, 'block'>,
  wanted: ContractBlock,
  head: ChainBlock,
): Promise<ChainBlock | undefined> {
  let after = head
  let before = -1
  for (let step = 1; after > 0; step *= 2) {
    const number = Math.max(after - step, 0)
    const block = await chain.block(number)
    if (block === undefined) return undefined
    if (block.contractBlock < wanted) {
      before = number
      break
    }
    after = number
  }
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    const block = await chain.block(middle)
    if (block === undefined) return undefined
    if (block.contractBlock < wanted) before = middle
    else after = middle
  }
  return after
}

async function findBlock(
  blocks: readonly BlockRef[],
  test: (block: BlockRef) => Promise<boolean>,
): Promise<BlockRef | undefined> {
  for (const block of blocks) if (await test(block)) return block
  return undefined
}
