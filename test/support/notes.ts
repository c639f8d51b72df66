// Notes of a ledger that has no disk; `write` does what comes before a write.
import { createNoteBook, type Notes } from '../../agent/channels/notes.ts'

export function memoryNotes() {
  const book = createNoteBook(new Map())
  const { get, keysUnder, set: later, beforeWrite, takeChanges: write } = book
  const now: Notes['now'] = async (key, value) => later(key, value)
  return {
    notes: { get, keysUnder, later, beforeWrite, now, soon: now },
    write,
    count: () => keysUnder('').length,
  }
}
