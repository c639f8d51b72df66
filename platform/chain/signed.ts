// Signs transactions, also once more at another fee: then what an earlier run signed is the source, so
// that the operation stays the same. What is signed is written down before it leaves, so that after a
// crash it is found again instead of sent twice.
import type { Transaction } from 'ethers'
import { type ChainBlock, fromHex, type Hex, type Signer } from '../../protocol/index.ts'
import type { Fees } from './fees.ts'
import type { Call } from './types.ts'

/** A signed transaction, as it goes to the node. */
export interface SignedTransaction {
  readonly hash: Hex
  readonly serialized: Hex
}

/** One intended operation; several transactions of one nonce, of which one can be mined. */
export interface JournalEntry {
  readonly nonce: number
  /** Oldest first. */
  readonly transactions: readonly SignedTransaction[]
  /** The newest block when it was signed: it is in a later one. Entries of older versions lack it. */
  readonly since?: ChainBlock
}

/** Given by the caller. A resolved `put` means that the entry is durable. */
export interface TransactionJournal {
  readonly put: (operation: string, entry: JournalEntry) => Promise<void>
  readonly get: (operation: string) => Promise<JournalEntry | undefined>
  readonly delete: (operation: string) => Promise<void>
  /**
   * It happened on the chain. By default `delete`; who books the outcome and wants to hear of it once
   * more when it is killed before that, deletes the entry together with the booking instead.
   */
  readonly mined?: (operation: string) => Promise<void>
  /** No node has taken it. By default `delete`; a journal of several processes keeps what another may send again. */
  readonly refused?: (operation: string) => Promise<void>
  /** Above all nonces in it: of several processes each knows its own only. By default 0. */
  readonly firstFree?: () => Promise<number>
  /** There: every transaction is written down; a name for one that has none. */
  readonly nameFor?: () => string
}

export interface Envelope {
  readonly chainId: bigint
  readonly nonce: number
  readonly gasLimit: bigint
  readonly fees: Fees
}

export async function signTransaction(
  signer: Signer,
  call: Call,
  { fees, ...envelope }: Envelope,
): Promise<SignedTransaction> {
  const { Transaction } = await import('ethers')
  const { to = null, data, value = 0n } = call
  return signed(signer, Transaction.from({ ...envelope, ...fees, to, data, value }))
}

/** The same nonce, call and gas. */
export async function withFees(
  signer: Signer,
  { serialized }: SignedTransaction,
  fees: Fees,
): Promise<SignedTransaction> {
  const { Transaction } = await import('ethers')
  const { chainId, nonce, gasLimit, to, data, value } = Transaction.from(serialized)
  const transaction = Transaction.from({ chainId, nonce, gasLimit, to, data, value, ...fees })
  return signed(signer, transaction)
}

export async function feesOf({ serialized }: SignedTransaction): Promise<Fees> {
  const { Transaction } = await import('ethers')
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(serialized)
  return maxFeePerGas === null
    ? { type: 0, gasPrice: gasPrice ?? 0n }
    : { type: 2, maxFeePerGas, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n }
}

async function signed(signer: Signer, transaction: Transaction): Promise<SignedTransaction> {
  transaction.signature = await signer.sign(fromHex(transaction.unsignedHash as Hex))
  return { hash: transaction.hash as Hex, serialized: transaction.serialized as Hex }
}
