// What came of a transaction.

import { type Hex, isUraidenError, parseAddress, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { type RawReceipt, readReceiptOf } from './answers.ts'
import type { ChainClient, Receipt } from './types.ts'

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
    const receipt = readReceiptOf(hash, found)
    if (receipt !== undefined) return receipt
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
  chain: Pick<ChainClient, 'head'>,
  receipt: Pick<RawReceipt, 'blockNumber'>,
  confirmations: number,
): Promise<boolean> {
  if (confirmations <= 1) return true
  const head = await chain.head().catch(unlessClosed(undefined))
  return head !== undefined && head.number - Number(receipt.blockNumber) + 1 >= confirmations
}

/** What a transaction cost, in wei, as far as the node says it. */
export function feeOf({ gasUsed, effectiveGasPrice, l1Fee }: RawReceipt): bigint {
  return BigInt(gasUsed) * BigInt(effectiveGasPrice ?? 0) + BigInt(l1Fee ?? 0)
}

/** @throws UraidenError `transaction_reverted`, and those of `contractBlock` */
export async function readReceipt(
  chain: ChainClient,
  purpose: string,
  receipt: RawReceipt,
): Promise<Receipt> {
  if (BigInt(receipt.status) !== 1n) {
    throw platformError({
      code: 'transaction_reverted',
      message: `The transaction ${receipt.transactionHash} to ${purpose} failed on the chain.`,
    })
  }
  const gasUsed = BigInt(receipt.gasUsed)
  const { effectiveGasPrice } = receipt
  const gasPrice = effectiveGasPrice ? BigInt(effectiveGasPrice) : undefined
  const contractBlock = await chain.contractBlock(receipt)
  return {
    transaction: receipt.transactionHash as Hex,
    block: Number(receipt.blockNumber),
    contractBlock,
    blockHash: receipt.blockHash as Hex,
    gasUsed,
    gasPrice,
    fee: feeOf(receipt),
    contract: receipt.contractAddress ? parseAddress(receipt.contractAddress) : undefined,
    events: chain.decodeLogs(receipt.logs, contractBlock),
  }
}

export interface ReceiptWait {
  readonly purpose: string
  /** 1: in the latest block. */
  readonly confirmations: number
  /** Between two looks, in milliseconds. */
  readonly pollInterval: number
  /** Longest wait, in milliseconds. */
  readonly timeout?: number
}

/**
 * Waits for a transaction that somebody else has sent.
 * @throws UraidenError `transaction_reverted`, `transaction_unconfirmed`, `chain_closed`
 */
export async function waitForTransaction(
  chain: ChainClient,
  hash: Hex,
  { purpose, confirmations, pollInterval, timeout = 600_000 }: ReceiptWait,
): Promise<Receipt> {
  const giveUp = performance.now() + timeout
  for (;;) {
    const receipt = await findReceipt(chain, [hash])
    if (receipt && (await isDeepEnough(chain, receipt, confirmations))) {
      return readReceipt(chain, purpose, receipt)
    }
    if (performance.now() > giveUp) throw unconfirmed(hash, purpose)
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

export function unconfirmed(hash: Hex, purpose: string): UraidenError {
  return platformError({
    code: 'transaction_unconfirmed',
    message: `The transaction ${hash} to ${purpose} was sent but is not confirmed yet.`,
  })
}
