// Where the reading of the chain begins.
import { type ChainClient, deploymentBlock } from '../../platform/chain/index.ts'
import { type ChainBlock, isUraidenError } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'

/** Where it has not begun yet: with the contract. A node that cannot say is read from the beginning. */
export async function firstBlock(
  chain: Pick<ChainClient, 'head' | 'request' | 'contract'>,
  book: Pick<ChannelBook, 'position'>,
): Promise<ChainBlock> {
  if (book.position() !== undefined) return 0
  const found = await deploymentBlock(chain).catch((error) => {
    if (!isUraidenError(error)) throw error
    return undefined
  })
  return found ?? 0
}
