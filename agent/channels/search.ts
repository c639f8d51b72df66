// Where the search for own channels begins, and the search of an agent that has none: its store may be new, or
// that of a disk that was lost, and a second deposit must not be locked beside one with room.
import { type ChainClient, readQuantity } from '../../platform/chain/index.ts'
import { type ChainBlock, isUraidenError, toQuantity } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import type { ChannelWork } from './closing-alone.ts'
import { recoverChannels } from './recovery.ts'

/** A chain of so few blocks is read from its beginning. */
const shortChain = 50_000
/** Blocks that are searched where neither the configuration nor the node says how old the contract is. */
const usualSearch = 2_000_000

/** `startBlock`, else the block that the contract was deployed in, else a block long ago. */
export async function firstBlock(
  client: ChainClient,
  startBlock: ChainBlock | undefined,
): Promise<ChainBlock> {
  if (startBlock !== undefined) return startBlock
  const { number: head } = await client.head()
  if (head <= shortChain) return 0
  const longAgo = Math.max(head - usualSearch, 0)
  try {
    const block = await deploymentBlock(client, head)
    return (await mayDeploy(client, block)) ? block : longAgo
  } catch (error) {
    // Only an archive has the state of old blocks.
    if (!isUraidenError(error, 'rpc_error')) throw error
    return longAgo
  }
}

/** The first block with code at the contract's address. */
async function deploymentBlock(client: ChainClient, head: ChainBlock): Promise<ChainBlock> {
  let without = -1
  let withCode = head
  while (withCode - without > 1) {
    const middle = Math.floor((without + withCode) / 2)
    const code = await client.request('eth_getCode', [client.contract, toQuantity(middle)])
    if (code === '0x') without = middle
    else withCode = middle
  }
  return withCode
}

/** A node without the state of old blocks may also say that they had no code: what it leads to is any block. */
async function mayDeploy({ request }: ChainClient, block: ChainBlock): Promise<boolean> {
  if (block === 0) return true
  const count = await request('eth_getBlockTransactionCountByNumber', [toQuantity(block)])
  return readQuantity(count) > 0n
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
