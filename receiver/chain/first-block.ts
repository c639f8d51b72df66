// Where the reading of the chain begins.
import { type ChainClient, deploymentBlock } from '../../platform/chain/index.ts'
import { type ChainBlock, isUraidenError } from '../../protocol/index.ts'
import type { FirstBlockDisk } from '../channels/store.ts'

/**
 * With the contract, which is looked for once: what was found is remembered. A node that cannot say is read from the
 * beginning, and asked again at the next start.
 */
export async function firstBlock(
  chain: Pick<ChainClient, 'head' | 'request' | 'contract'>,
  disk: FirstBlockDisk,
): Promise<ChainBlock> {
  const known = await disk.load()
  if (known !== undefined) return known
  const found = await deploymentBlock(chain).catch((error) => {
    if (!isUraidenError(error)) throw error
    return undefined
  })
  if (found === undefined) return 0
  await disk.save(found)
  return found
}
