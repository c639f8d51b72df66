// What came of a transaction.
import { type Hex, isUraidenError, parseAddress, UraidenError } from '../../protocol/index.ts'
import type { Call, ChainClient, RawLog, Receipt } from './types.ts'

export interface RawReceipt {
  readonly transactionHash: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly gasUsed: string
  readonly status: string
  readonly contractAddress?: string | null
  readonly logs: readonly RawLog[]
}

/**
 * Of whichever of the hashes was mined; undefined when none was, or no node answers now.
 * @throws UraidenError `chain_closed`
 */
export async function findReceipt(
  chain: ChainClient,
  hashes: readonly Hex[],
): Promise<RawReceipt | undefined> {
  // The newest first: it pays most.
  for (const hash of [...hashes].reverse()) {
    const found = await chain.request('eth_getTransactionReceipt', [hash]).catch(unlessClosed(null))
    if (found !== null) return found as RawReceipt
  }
  return undefined
}

/** A node that is away comes back; a connection that was closed does not. */
function unlessClosed<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (isUraidenError(error, 'chain_closed')) throw error
    return value
  }
}

export async function isDeepEnough(
  chain: ChainClient,
  receipt: RawReceipt,
  confirmations: number,
): Promise<boolean> {
  if (confirmations <= 1) return true
  const head = await chain.head().catch(unlessClosed(undefined))
  return head !== undefined && head.number - Number(receipt.blockNumber) + 1 >= confirmations
}

/** @throws UraidenError `transaction_reverted` */
export function readReceipt(chain: ChainClient, call: Call, receipt: RawReceipt): Receipt {
  if (BigInt(receipt.status) !== 1n) {
    throw new UraidenError({
      code: 'transaction_reverted',
      message: `The transaction ${receipt.transactionHash} to ${call.purpose} failed on the chain.`,
      hint: 'Its fee is spent, nothing else happened. The state changed after it was estimated.',
    })
  }
  return {
    transaction: receipt.transactionHash as Hex,
    block: Number(receipt.blockNumber),
    blockHash: receipt.blockHash as Hex,
    gasUsed: BigInt(receipt.gasUsed),
    ...(receipt.contractAddress && { contract: parseAddress(receipt.contractAddress) }),
    events: chain.decodeLogs(receipt.logs),
  }
}
