// Which channels the table shows, in which order; and the same as CSV. Pure functions.
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

const pageSize = 50

const compare: { readonly [Name in Column]: (a: Channel, b: Channel) => number } = {
  sender: (a, b) => order(a.sender_address.toLowerCase(), b.sender_address.toLowerCase()),
  block: (a, b) => Number(a.open_block) - Number(b.open_block),
  state: (a, b) => order(a.state, b.state),
  deposit: (a, b) => order(BigInt(a.deposit), BigInt(b.deposit)),
  balance: (a, b) => order(BigInt(a.balance), BigInt(b.balance)),
  due: (a, b) => order(BigInt(a.due), BigInt(b.due)),
}

export function select(channels: readonly Channel[], selection: Selection): readonly Channel[] {
  const { text, state, column, descending } = selection
  const wanted = text.trim().toLowerCase()
  const found = channels.filter(
    (channel) =>
      (state === '' || channel.state === state) &&
      channel.sender_address.toLowerCase().includes(wanted),
  )
  const sorted = found.sort(compare[column])
  return descending ? sorted.reverse() : sorted
}

/** Pages count from 0; one past the last is the last one. */
export function pageOf(
  channels: readonly Channel[],
  page: number,
): { readonly rows: readonly Channel[]; readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(channels.length / pageSize))
  const shown = Math.min(Math.max(page, 0), pages - 1)
  return { rows: channels.slice(shown * pageSize, (shown + 1) * pageSize), page: shown, pages }
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

function order<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}
