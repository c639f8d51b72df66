// What was spent over time, as the page and its CSV file have it: pure functions on the sums by the hour.
import { calendar } from '../../../platform/time/calendar.ts'
import { day, hour, type Milliseconds } from '../../../platform/time/clock.ts'
import { formatNumber, largest, type TokenUnit } from '../../../protocol/index.ts'
import {
  commandBuyer,
  daysKept,
  type HourSum,
  otherBuyers,
  unknownBuyer,
} from '../../channels/hours.ts'
import { programOfJob } from '../../proxy/pay.ts'
import type { PageSpending, PageSum } from './state.ts'

/** Hours that the page shows. */
const hoursShown = 48

/** Buyers with a colour of their own. */
const mostBuyers = 7
const others = 'others'

/** As a person knows them. */
function buyerName(buyer: string): string {
  if (buyer === commandBuyer) return 'commands'
  if (buyer === unknownBuyer) return 'not known'
  if (buyer === otherBuyers) return others
  const program = programOfJob(buyer)
  return program === undefined ? buyer : `program ${program}`
}

export function spendingOf(
  rows: readonly HourSum[],
  now: Milliseconds,
  timeZone?: string,
): PageSpending {
  const named = rows.map((row) => ({ ...row, name: buyerName(row.buyer) }))
  const buyers = mostSpending(named)
  const shown = named.map((row) => ({
    ...row,
    place: buyers.indexOf(buyers.includes(row.name) ? row.name : others),
  }))
  const thisHour = Math.floor(now / hour) * hour
  const hours = Array.from({ length: hoursShown }, (_, at) => {
    const start = thisHour - (hoursShown - 1 - at) * hour
    const label = `${new Date(start).toISOString().slice(0, 13).replace('T', ' ')}:00`
    return sumUp(
      start,
      label,
      shown.filter((row) => row.start === start),
      buyers.length,
    )
  })
  return { buyers, hours, days: daysOf(shown, { now, timeZone, buyers }) }
}

interface Shown extends HourSum {
  readonly place: number
}

interface Days {
  readonly now: Milliseconds
  readonly timeZone: string | undefined
  readonly buyers: readonly string[]
}

/** From the first one with anything on, those without anything among them. */
function daysOf(rows: readonly Shown[], { now, timeZone, buyers }: Days): readonly PageSum[] {
  const date = calendar(timeZone)
  const byDay = new Map<string, Shown[]>()
  for (const row of rows) {
    const label = date(row.start).day
    const known = byDay.get(label)
    if (known === undefined) byDay.set(label, [row])
    else known.push(row)
  }
  const first = Date.parse([...byDay.keys()].sort()[0] ?? date(now).day)
  const last = Date.parse(date(now).day)
  const count = Math.min(daysKept, Math.max(0, Math.round((last - first) / day)) + 1)
  return Array.from({ length: count }, (_, at) => {
    const start = last - (count - 1 - at) * day
    const label = new Date(start).toISOString().slice(0, 10)
    return sumUp(start, label, byDay.get(label) ?? [], buyers.length)
  })
}

function sumUp(
  start: Milliseconds,
  label: string,
  rows: readonly Shown[],
  buyers: number,
): PageSum {
  const spent = Array<bigint>(buyers).fill(0n)
  let [purchases, failures] = [0, 0]
  for (const row of rows) {
    spent[row.place] = (spent[row.place] ?? 0n) + row.spent
    purchases += row.purchases
    failures += row.failures
  }
  return { start: start / 1000, label, spent: spent.map(String), purchases, failures }
}

/** Who spent most first; what is beyond the most is one. */
function mostSpending(rows: readonly { readonly name: string; readonly spent: bigint }[]) {
  const sums = new Map<string, bigint>()
  for (const { name, spent } of rows) sums.set(name, (sums.get(name) ?? 0n) + spent)
  const names = [...sums]
    .filter(([name]) => name !== others)
    .sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0))
    .map(([name]) => name)
  const fits = names.length <= mostBuyers && !sums.has(others)
  return fits ? names : [...names.slice(0, mostBuyers), others]
}

/** By the hour in UTC, RFC 4180. Amounts in the token's unit, in the smallest one until that is known. */
export function spendingCsv(
  rows: readonly HourSum[],
  token: TokenUnit | undefined,
  nameOf: (receiver: string) => string | null,
): string {
  const unit = token?.symbol ?? 'units'
  const head = ['hour', 'buyer', 'receiver', `spent ${unit}`, 'purchases', 'failures']
  const lines = rows.map(({ start, buyer, receiver, spent, purchases, failures }) => [
    new Date(start).toISOString(),
    cell(buyerName(buyer)),
    cell(nameOf(receiver) ?? receiver),
    token === undefined ? `${spent}` : formatNumber(spent, token.decimals),
    purchases,
    failures,
  ])
  return [head.map(cell), ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

/** A quote before =, +, -, @, tab or return keeps a spreadsheet from taking a name for a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Of all, of a receiver, or of a job or program, as budgets have them. */
export function spentIn(rows: readonly HourSum[], scope: string): bigint {
  return rows
    .filter(({ buyer, receiver }) => {
      return scope === 'all' || scope === `receiver/${receiver}` || scope === `job/${buyer}`
    })
    .reduce((sum, { spent }) => sum + spent, 0n)
}

export interface Pace {
  readonly cap: bigint
  readonly used: bigint
  /** What was spent in so long a time. */
  readonly spent: bigint
  readonly within: Milliseconds
  readonly now: Milliseconds
  /** When the window ends; undefined for one that does not. */
  readonly ends: Milliseconds | undefined
}

/** Less says nothing of what comes. */
const leastWithin: Milliseconds = 10 * 60_000

/** Until when a cap lasts if spending goes on so; `window`: longer than that; null: nothing is spent. */
export function lasting({ cap, used, spent, within, now, ends }: Pace): number | 'window' | null {
  if (spent <= 0n) return ends === undefined ? null : 'window'
  const left = largest(cap - used, 0n)
  const time = (left * BigInt(Math.round(Math.max(within, leastWithin)))) / spent
  const longest = BigInt(10_000 * day)
  if (time > longest) return ends === undefined ? null : 'window'
  const until = now + Number(time)
  return ends !== undefined && until >= ends ? 'window' : until
}
