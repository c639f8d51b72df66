// One channel in memory: what the disk has of it, and where it stands now.
import type { TokenAmount } from '../../protocol/index.ts'
import type { BudgetScope } from '../budget/caps.ts'
import { freeSum, type Position } from './position.ts'
import type { ChannelEntry } from './records.ts'

export interface Slot {
  /** As on disk. */
  entry: ChannelEntry
  position: Position
  /** Signed since the last write. */
  dirty: boolean
}

export function slotOf(entry: ChannelEntry): Slot {
  return { entry, position: positionOf(entry), dirty: false }
}

function positionOf({ signed, bound, exact, free }: ChannelEntry): Position {
  return exact
    ? { signed, top: bound, free, doubtful: [], certain: true }
    : { signed, top: bound, free: [], doubtful: [], certain: false }
}

/** As it is to be written. While a crash hides the balance, the last certain one stays. */
export function written({ entry, position }: Slot): ChannelEntry {
  const { signed, free, certain } = position
  return certain ? { ...entry, signed, free } : entry
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
