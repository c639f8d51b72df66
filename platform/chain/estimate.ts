// Tries a call without sending it: what would fail is not paid for.

import { revertHint } from '../../contracts/reverts.ts'
import {
  type Address,
  isUraidenError,
  largest,
  smallest,
  toQuantity,
  type UraidenError,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { readBaseFee, readQuantity } from './answers.ts'
import { chooseFees, type Fees, type Market } from './fees.ts'
import { type NodeError, revertData } from './node.ts'
import type { Call, ChainClient } from './types.ts'

/**
 * Gas for `call`, a fifth more than the node's estimate: state may change until it runs.
 * @throws UraidenError `transaction_reverts`, `ether_missing`, `gas_over_cap`
 */
export async function estimateGas(chain: ChainClient, from: Address, call: Call): Promise<bigint> {
  const value = toQuantity(call.value ?? 0n)
  try {
    const request = { from, to: call.to, data: call.tried ?? call.data, value }
    const estimate = await (call.passesOver ? largerOfBlocks : tryInNextBlock)(chain, request)
    return withinMost(call, (estimate * 6n) / 5n, estimate)
  } catch (error) {
    if (!isUraidenError(error, 'rpc_error')) throw error
    const { message, data } = error.cause as NodeError
    if (lacksEther(message)) throw etherMissing(from, call.purpose, error)
    const reason = revertName(chain, data)
    throw platformError({
      code: 'transaction_reverts',
      message: `To ${call.purpose} would fail: ${reason ?? message}.`,
      hint: revertHint(reason),
      cause: error,
    })
  }
}

/** The margin may be cut, the estimate may not. */
function withinMost({ mostGas, purpose }: Call, gas: bigint, estimate: bigint): bigint {
  if (mostGas === undefined) return gas
  if (estimate <= mostGas) return smallest(gas, mostGas)
  throw platformError({
    code: 'gas_over_cap',
    message: `To ${purpose} would take ${estimate} gas, more than ${mostGas}.`,
  })
}

/**
 * geth tries a call in the latest block once more, not in the one after it. What must not happen in
 * that block (a close in the block of the opening) would never be sent.
 */
async function tryInNextBlock(chain: ChainClient, request: object): Promise<bigint> {
  try {
    return await estimateIn(chain, [request])
  } catch (error) {
    if (!isUraidenError(error, 'rpc_error')) throw error
    return estimateIn(chain, [request, 'pending']).catch((second) => {
      throw isUraidenError(second, 'rpc_error') ? error : second
    })
  }
}

/** A batch that closes a channel in the block after its opening: nothing in one block, much in the next. */
async function largerOfBlocks(chain: ChainClient, request: object): Promise<bigint> {
  const latest = await tryInNextBlock(chain, request)
  const next = await estimateIn(chain, [request, 'pending']).catch((error) => {
    // Not every node knows a block to come.
    if (!isUraidenError(error, 'rpc_error')) throw error
    return latest
  })
  return largest(next, latest)
}

async function estimateIn(chain: ChainClient, params: readonly unknown[]): Promise<bigint> {
  return readQuantity(await chain.request('eth_estimateGas', params))
}

/** @throws UraidenError `fee_over_cap` */
export async function currentFees(chain: ChainClient, cap: bigint | undefined): Promise<Fees> {
  return chooseFees(await market(chain), cap)
}

/** What a unit of gas costs now, in wei: the base fee and the tip, or the price on chains without. */
export async function gasPrice(chain: ChainClient): Promise<bigint> {
  const now = await market(chain)
  return 'gasPrice' in now ? now.gasPrice : now.baseFee + now.tip
}

export function lacksEther(message: string): boolean {
  return /insufficient funds|doesn't have enough funds|insufficient balance/i.test(message)
}

export function etherMissing(from: Address, purpose: string, cause: unknown): UraidenError {
  return platformError({
    code: 'ether_missing',
    message: `To ${purpose}, ${from} has not enough ether for the transaction’s fee.`,
    cause,
  })
}

async function market(chain: ChainClient): Promise<Market> {
  const block = await chain.request('eth_getBlockByNumber', ['latest', false])
  const baseFee = readBaseFee(block)
  if (baseFee === undefined)
    return { gasPrice: readQuantity(await chain.request('eth_gasPrice', [])) }
  // Not every node knows the method; 1 gwei is what geth suggests on a quiet chain.
  const tip = await chain.request('eth_maxPriorityFeePerGas', []).catch((error) => {
    if (!isUraidenError(error, 'rpc_error')) throw error
    return '0x3b9aca00'
  })
  return { baseFee, tip: readQuantity(tip) }
}

/** The reason in a `transaction_reverts`, such as `ChannelNotFound`; undefined when the contract gave none. */
export function revertOf(
  chain: Pick<ChainClient, 'revertReason'>,
  { cause }: UraidenError,
): string | undefined {
  const refusal = isUraidenError(cause, 'rpc_error') ? (cause.cause as NodeError) : undefined
  return refusal && revertName(chain, refusal.data)
}

function revertName(chain: Pick<ChainClient, 'revertReason'>, data: unknown): string | undefined {
  const found = revertData(data)
  return found === undefined ? undefined : chain.revertReason(found)
}
