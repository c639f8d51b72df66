// Writes channels, sums and notes in one synced batch, so that they agree on disk at every moment.
import type { Accounts } from '../budget/accounts.ts'
import type { LedgerStorage } from './ledger-storage.ts'
import type { NoteBook } from './notes.ts'
import type { ChannelEntry, ChannelName } from './records.ts'
import { type Slot, written } from './slot.ts'

/** Other channels that have signed since are written too. Rejects when nothing was written for certain. */
export type LedgerWriter = (entries: ReadonlyMap<ChannelName, ChannelEntry>) => Promise<void>

export function createWriter(
  storage: LedgerStorage,
  slots: ReadonlyMap<ChannelName, Slot>,
  accounts: Accounts,
  notes: NoteBook,
): LedgerWriter {
  return async (entries) => {
    const channels = new Map(entries)
    for (const [name, slot] of slots) {
      if (slot.dirty && !channels.has(name)) channels.set(name, written(slot))
      slot.dirty = false
    }
    const changes = accounts.takeChanges()
    const noted = notes.takeChanges()
    try {
      await storage.write({ channels, ...changes, notes: noted })
    } catch (error) {
      accounts.putBack(changes)
      notes.putBack(noted)
      for (const name of channels.keys()) {
        const slot = slots.get(name)
        if (slot !== undefined) slot.dirty = true
      }
      throw error
    }
    for (const [name, entry] of channels) {
      const slot = slots.get(name)
      if (slot !== undefined) slot.entry = entry
    }
  }
}
