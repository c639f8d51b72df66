// Where the search for own channels begins, and the search of an agent that has none: its store may be new, or
// that of a disk that was lost, and a second deposit must not be locked beside one with room.
import { type ChainClient, deploymentBlock } from '../../platform/chain/index.ts'
import type { ChainBlock } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import type { ChannelWork } from './closing-alone.ts'
import { recoverChannels } from './recovery.ts'

/** Blocks that are searched where neither the configuration nor the node says how old the contract is. */
const usualSearch = 2_000_000

/** `startBlock`, else the block that the contract was deployed in, else a block long ago. */
export async function firstBlock(
  client: ChainClient,
  startBlock: ChainBlock | undefined,
): Promise<ChainBlock> {
  if (startBlock !== undefined) return startBlock
  return (await deploymentBlock(client)) ?? Math.max((await client.head()).number - usualSearch, 0)
}

const searched = 'searched'

/** The chain as it is used for a deposit: before the first one, own channels are looked for there. */
export function afterSearch(
  work: ChannelWork,
  startBlock: ChainBlock | undefined,
): () => Promise<AgentChain> {
  const { ledger, chain } = work
  let searching: Promise<void> | undefined
  const search = async (client: ChainClient): Promise<void> => {
    if (ledger.channels().length > 0 || ledger.notes.get(searched) !== undefined) return
    const { number: to } = await client.head()
    await recoverChannels(work, await firstBlock(client, startBlock))
    await ledger.notes.now(searched, { to })
  }
  return async () => {
    const connected = await chain()
    searching ??= search(connected.client).catch((error) => {
      searching = undefined
      throw error
    })
    await searching
    return connected
  }
}
