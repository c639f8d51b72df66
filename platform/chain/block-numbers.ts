// The number that contracts see in a block: the block's own, or on Arbitrum and chains of its kind that of the chain
// below. A chain whose contracts see neither is refused.

import {
  type ContractBlock,
  type ContractClock,
  contractClock,
  type Hex,
  isUraidenError,
  returnNumber,
  toQuantity,
  type UraidenError,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { nodeWrong, type RawBlock, readBlock, readQuantity } from './answers.ts'
import type { Request } from './request.ts'
import type { BlockRef, NamedBlock } from './types.ts'

export interface ContractBlocks {
  /** Looked up once. @throws UraidenError `chain_unsupported`, `chain_unavailable` */
  readonly clock: () => Promise<ContractClock>
  /** A block as the node gave it. @throws UraidenError `node_wrong`, and those of `clock` */
  readonly read: (answer: unknown) => Promise<BlockRef>
  /** What contracts saw there. @throws UraidenError `node_wrong`, and those of `clock` */
  readonly of: (block: NamedBlock) => Promise<ContractBlock>
}

/** Most blocks that are remembered by their hashes: one read of logs names few. */
const mostKnown = 10_000

export function createContractBlocks(request: Request): ContractBlocks {
  let asking: Promise<ContractClock> | undefined
  const known = new Map<string, ContractBlock>()

  const clock = (): Promise<ContractClock> => {
    asking ??= askClock(request).catch((error) => {
      asking = undefined
      throw error
    })
    return asking
  }
  const parentOf = (hash: string, l1BlockNumber: string | null | undefined): ContractBlock => {
    if (l1BlockNumber == null) throw nodeWrong('the block of the chain below', hash)
    if (known.size >= mostKnown) known.clear()
    known.set(hash.toLowerCase(), Number(l1BlockNumber))
    return Number(l1BlockNumber)
  }
  const ofRaw = async ({ number, hash, l1BlockNumber }: RawBlock): Promise<ContractBlock> => {
    // Blocks of other chains carry none; whether their contracts count as they do is seen with the contract.
    if (l1BlockNumber == null && asking === undefined) return Number(number)
    return (await clock()) === 'own' ? Number(number) : parentOf(hash, l1BlockNumber)
  }
  return {
    clock,
    read: async (answer) => {
      const block = readBlock(answer)
      return { ...refOf(block), contractBlock: await ofRaw(block) }
    },
    of: async ({ blockNumber, blockHash, l1BlockNumber }) => {
      if ((await clock()) === 'own') return Number(blockNumber)
      const found = known.get(blockHash.toLowerCase())
      if (found !== undefined) return found
      if (l1BlockNumber != null) return parentOf(blockHash, l1BlockNumber)
      const answer = await request('eth_getBlockByHash', [blockHash, false])
      if (answer === null) throw nodeWrong('a block that it named itself', blockHash)
      return parentOf(blockHash, readBlock(answer).l1BlockNumber)
    },
  }
}

function refOf({ number, hash, parentHash, timestamp }: RawBlock): Omit<BlockRef, 'contractBlock'> {
  return {
    number: Number(number),
    hash: hash as Hex,
    parentHash: parentHash as Hex,
    timestamp: Number(timestamp),
  }
}

/** @throws UraidenError `chain_unsupported`, `chain_unavailable` */
async function askClock(request: Request): Promise<ContractClock> {
  const latest = readBlock(await request('eth_getBlockByNumber', ['latest', false]))
  const number = BigInt(latest.number)
  const l1BlockNumber = latest.l1BlockNumber == null ? undefined : BigInt(latest.l1BlockNumber)
  const seen = await numberInContracts(request, number)
  const clock = contractClock({ number, seen, l1BlockNumber })
  if (clock === undefined) throw unsupported({ number, seen, l1BlockNumber })
  return clock
}

async function numberInContracts(request: Request, number: bigint): Promise<bigint | undefined> {
  try {
    return readQuantity(await request('eth_call', [{ data: returnNumber }, toQuantity(number)]))
  } catch (error) {
    const isUnable = ['rpc_error', 'node_wrong'].some((code) => isUraidenError(error, code))
    if (!isUnable) throw error
    return undefined
  }
}

function unsupported({
  number,
  seen,
  l1BlockNumber,
}: Parameters<typeof contractClock>[0]): UraidenError {
  const what = seen === undefined ? 'numbers that the node does not tell' : `block ${seen}`
  const below = l1BlockNumber === undefined ? '' : ` and the chain below at block ${l1BlockNumber}`
  return platformError({
    code: 'chain_unsupported',
    message: `Contracts on this chain see ${what} where the chain itself is at block ${number}${below}.`,
  })
}

/**
 * Whether a transaction that is sent now comes after the challenge period. Where contracts count as the chain
 * does, the next block is one later.
 */
export function isPeriodOver(
  { number, contractBlock }: Pick<BlockRef, 'number' | 'contractBlock'>,
  settleBlock: ContractBlock,
): boolean {
  const isOwnClock = Number(number) === Number(contractBlock)
  return isOwnClock ? contractBlock >= settleBlock : contractBlock > settleBlock
}
