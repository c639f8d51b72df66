// Which channels the table asks for, in which order; and what it saves. Pure functions.
import type { Channel } from './api.ts'

export type Column = 'sender' | 'block' | 'state' | 'deposit' | 'balance' | 'due'

export interface Selection {
  /** Part of a buyer’s address or name; empty for all. */
  readonly text: string
  /** Empty for all. */
  readonly state: string
  readonly column: Column
  readonly descending: boolean
}

/** Rows of one page of the table. */
export const pageSize = 50

/** The receiver chooses and sorts: ten thousand channels are no more work here than fifty. */
export function listingOf(selection: Selection, limit: number): string {
  const { text, state, column, descending } = selection
  const query = new URLSearchParams({
    sort: column,
    order: descending ? 'desc' : 'asc',
    limit: `${limit}`,
  })
  if (text.trim() !== '') query.set('sender', text.trim())
  if (state !== '') query.set('state', state)
  return `/admin/channels?${query}`
}

export function pagesOf(total: number): number {
  return Math.max(1, Math.ceil(total / pageSize))
}

export const channelNames = [
  'sender_address',
  'sender_name',
  'open_block',
  'state',
  'deposit',
  'balance',
  'due',
] as const

/** For a file. */
export function channelRow(channel: Channel): readonly string[] {
  return channelNames.map((name) => channel[name] ?? '')
}
