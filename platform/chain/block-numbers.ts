// A channel is named by the block that opened it: the number that the contract sees has to be the one that
// receipts and events carry. On Arbitrum the contract sees about the number of the chain below.

import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { readBlock, readQuantity } from './answers.ts'
import type { Request } from './request.ts'

/** Of a contract that is nothing but its NUMBER: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
const returnNumber = '0x4360005260206000f3'
/** In blocks: some nodes run calls in the block to come. */
const tolerance = 16n

/**
 * Where a node runs no such code, the mark of Arbitrum's blocks decides: `l1BlockNumber`.
 * @throws UraidenError `chain_unsupported`, `chain_unavailable`
 */
export async function checkBlockNumbers(request: Request): Promise<void> {
  const latest = await request('eth_getBlockByNumber', ['latest', false])
  const { number } = readBlock(latest)
  const seen = await numberInContracts(request, number)
  const below = (latest as { readonly l1BlockNumber?: unknown }).l1BlockNumber
  const differs = seen === undefined ? below !== undefined : isFar(seen, BigInt(number))
  if (differs) throw unsupported(number, seen)
}

async function numberInContracts(request: Request, number: number): Promise<bigint | undefined> {
  const block = `0x${number.toString(16)}`
  try {
    return readQuantity(await request('eth_call', [{ data: returnNumber }, block]))
  } catch (error) {
    const isUnable = ['rpc_error', 'node_wrong'].some((code) => isUraidenError(error, code))
    if (!isUnable) throw error
    return undefined
  }
}

function isFar(a: bigint, b: bigint): boolean {
  return (a > b ? a - b : b - a) > tolerance
}

function unsupported(number: number, seen: bigint | undefined): UraidenError {
  const what = seen === undefined ? 'numbers of another chain' : `block ${seen}`
  return platformError({
    code: 'chain_unsupported',
    message: `Contracts on this chain see ${what} where the chain itself is at block ${number}.`,
  })
}
