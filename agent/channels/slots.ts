// Channels in memory, each with what the disk has of it and where it stands now, and the write that brings
// both to agree: channels, sums and notes in one synced batch.
import type { Interval, TokenAmount } from '../../protocol/index.ts'
import type { Accounts } from '../budget/accounts.ts'
import type { BudgetScope } from '../budget/caps.ts'
import type { LedgerStorage } from './ledger-storage.ts'
import type { ChannelBalance } from './ledger-types.ts'
import type { NoteBook } from './notes.ts'
import { freeSum, type Position } from './position.ts'
import { type ChannelEntry, type ChannelName, type UnseenDeposit, unseenWhere } from './records.ts'

export interface Slot {
  /** As on disk. */
  entry: ChannelEntry
  position: Position
  /** Signed since the last write. */
  dirty: boolean
  /** Taken, and not settled yet. */
  underWay: readonly Interval[]
  /** As it was last shown: a purchase looks ten times between two changes. */
  seen?: {
    readonly entry: ChannelEntry
    readonly position: Position
    /** A receiver has shown where it stands. */
    readonly isHeard: boolean
    readonly balance: ChannelBalance
  }
}

/** `known` is where it stands by the spool of a process that was killed. */
export function slotOf(entry: ChannelEntry, known?: Position): Slot {
  const isUsable = known?.certain === true && !entry.exact && known.top <= entry.bound
  const position = isUsable ? known : positionOf(entry)
  return { entry, position, dirty: false, underWay: [] }
}

/** What a killed process leaves of it: nobody knows what became of that which was under way. */
function positionToKeep({ position, underWay }: Slot): Position {
  return { ...position, doubtful: [...position.doubtful, ...underWay] }
}

function positionOf({ signed, bound, exact, free, doubtful = [] }: ChannelEntry): Position {
  return exact
    ? { signed, top: bound, free, doubtful, certain: true }
    : { signed, top: bound, free, doubtful: [], certain: false }
}

/** As it is to be written. While a crash hides the balance, the last certain one stays. */
export function written({ entry, position }: Slot): ChannelEntry {
  const { signed, free, certain } = position
  const doubtful = position.doubtful.length > 0 ? position.doubtful : undefined
  return certain ? { ...entry, signed, free, doubtful } : entry
}

/** At a clean stop: nothing above what was signed stays reserved. */
export function writtenExactly(slot: Slot): ChannelEntry {
  return { ...written(slot), bound: slot.position.top, exact: true }
}

/** Below the bound and not signed. */
export function unspent({ entry, position }: Slot): TokenAmount {
  return entry.bound - position.signed + freeSum(position)
}

export function isIn(scope: BudgetScope, { entry }: Slot): boolean {
  return !scope.startsWith('receiver/') || scope === `receiver/${entry.receiver}`
}

export interface WriterParts {
  /** Onto the card, or into the spool. */
  readonly write: LedgerStorage['write']
  /** Where channels stand is kept, too: there is a spool. */
  readonly keepsPositions: boolean
  readonly slots: ReadonlyMap<ChannelName, Slot>
  readonly accounts: Accounts
  readonly notes: NoteBook
}

/** Other channels that have signed since are written too. Rejects when nothing was written for certain. */
export type LedgerWriter = (entries: ReadonlyMap<ChannelName, ChannelEntry>) => Promise<void>

export function createWriter(parts: WriterParts): LedgerWriter {
  const { slots, accounts, notes } = parts
  return async (entries) => {
    const channels = new Map(entries)
    const before = new Map([...slots].map(([name, slot]) => [name, slot.entry]))
    for (const [name, slot] of slots) {
      if (slot.dirty && !channels.has(name)) channels.set(name, written(slot))
      slot.dirty = false
    }
    const changes = accounts.takeChanges()
    const noted = notes.takeChanges()
    try {
      const positions = positionsOf(parts, [...channels.keys()])
      await parts.write({ channels, ...changes, notes: noted, positions })
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
      const earlier = before.get(name)
      if (slot === undefined) continue
      slot.entry = earlier === undefined ? entry : withNoted(entry, earlier, slot.entry)
    }
  }
}

function positionsOf({ keepsPositions, slots }: WriterParts, names: readonly ChannelName[]) {
  const positions = new Map<ChannelName, Position>()
  if (!keepsPositions) return positions
  for (const name of names) {
    const slot = slots.get(name)
    if (slot !== undefined) positions.set(name, positionToKeep(slot))
  }
  return positions
}

/** What was noted of a channel while an entry was written is newer than that. */
function withNoted(entry: ChannelEntry, before: ChannelEntry, now: ChannelEntry): ChannelEntry {
  if (now === before) return entry
  const { refusals, excused } = now
  const isSeen = (deposit: UnseenDeposit) =>
    before.unseen?.includes(deposit) === true && now.unseen?.includes(deposit) !== true
  return {
    ...entry,
    ...(refusals !== before.refusals && { refusals }),
    ...(excused !== before.excused && { excused }),
    unseen: unseenWhere(entry, (deposit) => !isSeen(deposit)),
  }
}
