// Refuses chains whose contracts see other block numbers than the chain has.

import {
  isUraidenError,
  returnNumber,
  seesOwnNumbers,
  toQuantity,
  type UraidenError,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { readBlock, readQuantity } from './answers.ts'
import type { Request } from './request.ts'

/** @throws UraidenError `chain_unsupported`, `chain_unavailable` */
export async function checkBlockNumbers(request: Request): Promise<void> {
  const latest = await request('eth_getBlockByNumber', ['latest', false])
  const { number } = readBlock(latest)
  const seen = await numberInContracts(request, number)
  const { l1BlockNumber } = latest as { readonly l1BlockNumber?: unknown }
  if (!seesOwnNumbers({ number: BigInt(number), seen, l1BlockNumber })) {
    throw unsupported(number, seen)
  }
}

async function numberInContracts(request: Request, number: number): Promise<bigint | undefined> {
  try {
    return readQuantity(await request('eth_call', [{ data: returnNumber }, toQuantity(number)]))
  } catch (error) {
    const isUnable = ['rpc_error', 'node_wrong'].some((code) => isUraidenError(error, code))
    if (!isUnable) throw error
    return undefined
  }
}

function unsupported(number: number, seen: bigint | undefined): UraidenError {
  const what = seen === undefined ? 'numbers of another chain' : `block ${seen}`
  return platformError({
    code: 'chain_unsupported',
    message: `Contracts on this chain see ${what} where the chain itself is at block ${number}.`,
  })
}
