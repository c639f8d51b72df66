// What was to happen on the chain and has not been booked yet: noted in the ledger before anything
// leaves, deleted in the write that books it. So a kill at any moment leaves no channel unknown and
// sends nothing twice.
import type { JournalEntry, TransactionJournal } from '../../platform/chain/index.ts'
import type { Address, ChainBlock, ContractBlock, Hex, TokenAmount } from '../../protocol/index.ts'
import type { Notes } from './notes.ts'

/** Into a new channel, or with an open block into that one. */
export interface Deposit {
  readonly sender: Address
  readonly receiver: Address
  readonly amount: TokenAmount
  readonly openBlock?: ContractBlock
}

const transactions = 'transaction/'
const relayed = 'relayed/'

/** The note of an operation that we send ourselves. */
export function transactionIntent(operation: string): string {
  return `${transactions}${operation}`
}

export function pendingOperations(notes: Notes): readonly string[] {
  return notes.keysUnder(transactions).map((key) => key.slice(transactions.length))
}

/** For people: what is on its way to the chain, or was when the process ended. */
export function unfinishedWork(notes: Notes): readonly string[] {
  const deposits = relayedDeposits(notes).map(
    (key) => `signed deposit ${key.slice(relayed.length)}`,
  )
  return [...pendingOperations(notes), ...deposits]
}

/** Survives a crash, because it is the ledger's; an entry goes with the booking. */
export function ledgerJournal(notes: Notes): TransactionJournal {
  return {
    put: (operation, entry) => notes.now(transactionIntent(operation), entry),
    get: async (operation) => notes.get(transactionIntent(operation)) as JournalEntry | undefined,
    delete: (operation) => notes.now(transactionIntent(operation), undefined),
    mined: async () => undefined,
  }
}

/** A deposit that we have signed: the receiver was asked to send it, or we have sent it. */
export interface RelayedDeposit {
  /** It is in a later block, or in none. */
  readonly since: ChainBlock
  /** Unix seconds after which nobody can send it. */
  readonly deadline: number
  /** Of an authorization; undefined: permit and message of the contract. */
  readonly salt?: Hex
  /** As the receiver says. */
  readonly transaction?: Hex
}

/** One for each channel, or for the opening of one, so that two cannot be on their way. */
export function relayedIntent({ receiver, openBlock }: Pick<Deposit, 'receiver' | 'openBlock'>) {
  return `${relayed}${receiver}/${openBlock ?? 'open'}`
}

export function relayedDeposits(notes: Notes): readonly string[] {
  return notes.keysUnder(relayed)
}

export function readRelayed(notes: Notes, intent: string): RelayedDeposit | undefined {
  return notes.get(intent) as RelayedDeposit | undefined
}
