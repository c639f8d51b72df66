export * from './connect.ts'
export type { JournalEntry, TransactionJournal } from './journal.ts'
export * from './send.ts'
export * from './types.ts'
