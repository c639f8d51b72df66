// Where a signed transaction is written down before it leaves, so that after a crash it is found
// again instead of sent twice.
import type { Hex } from '../../protocol/index.ts'

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
}
