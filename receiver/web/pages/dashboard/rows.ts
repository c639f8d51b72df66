// Which channels the table asks for, in which order; and what it saves as CSV. Pure functions.
import type { Channel } from './api.ts'

export type Column = 'sender' | 'block' | 'state' | 'deposit' | 'balance' | 'due'

export interface Selection {
  /** Part of a sender's address; empty for all. */
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

/** RFC 4180. Amounts in the smallest unit: spreadsheets round what has a point. */
export function csvOf(channels: readonly Channel[]): string {
  const names = ['sender_address', 'open_block', 'state', 'deposit', 'balance', 'due'] as const
  const lines = channels.map((channel) => names.map((name) => quoted(channel[name])).join(','))
  return `${[names.join(','), ...lines].join('\r\n')}\r\n`
}

/** A quote before =, +, - or @ keeps a spreadsheet from taking a cell for a formula. */
function quoted(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
