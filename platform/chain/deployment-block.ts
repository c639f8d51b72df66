// The block in which the contract was deployed, by bisection: no event of it is older.

import { type ChainBlock, isUraidenError, parseAddress, toQuantity } from '../../protocol/index.ts'
import { readBlockTransactions } from './answers.ts'
import type { ChainClient } from './types.ts'

/** A chain of so few blocks is read from its beginning. */
const shortChain = 50_000

type Asked = Pick<ChainClient, 'head' | 'request' | 'contract'>

/**
 * Undefined where the node cannot say: only an archive has the state of old blocks, and a contract that another
 * contract has made leaves no trace in its block.
 * @throws UraidenError `chain_unavailable`
 */
export async function deploymentBlock(chain: Asked): Promise<ChainBlock | undefined> {
  const { number: head } = await chain.head()
  if (head <= shortChain) return 0
  try {
    const block = await firstWithCode(chain, head)
    return (await deploys(chain, block)) ? block : undefined
  } catch (error) {
    if (!isUraidenError(error, 'rpc_error')) throw error
    return undefined
  }
}

async function firstWithCode(chain: Asked, head: ChainBlock): Promise<ChainBlock> {
  let without = -1
  let withCode = head
  while (withCode - without > 1) {
    const middle = Math.floor((without + withCode) / 2)
    const code = await chain.request('eth_getCode', [chain.contract, toQuantity(middle)])
    if (code === '0x') without = middle
    else withCode = middle
  }
  return withCode
}

/** A node without the state of old blocks may also say that they had no code: what it leads to is any block. */
async function deploys({ request, contract }: Asked, block: ChainBlock): Promise<boolean> {
  if (block === 0) return true
  const { getCreateAddress } = await import('ethers')
  const answer = await request('eth_getBlockByNumber', [toQuantity(block), true])
  return readBlockTransactions(answer).some(
    ({ from, nonce }) =>
      parseAddress(getCreateAddress({ from, nonce: Number(nonce) })) === contract,
  )
}
