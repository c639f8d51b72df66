// The last purchases, for people. They go to disk with the ledger's own writes, several in a record: a
// crash may lose the newest, never a balance.

import { parseUint192, type TokenAmount, type TokenUnit } from '../../protocol/index.ts'
import { type HourSums, partyOf } from '../channels/hours.ts'
import type { Notes } from '../channels/notes.ts'
import type { PaidThrough } from '../channels/records.ts'

export interface PurchaseRecord {
  /** Milliseconds since 1970, by the machine's clock, which may be wrong. */
  readonly time: number
  readonly method: string
  /** Without query, user and password. */
  readonly url: string
  readonly status: number
  readonly cost: TokenAmount
  readonly channel: PaidThrough
  /** 0 where there is no channel. */
  readonly balance: TokenAmount
  /** What the cost is in; undefined for the channels' token. */
  readonly unit?: TokenUnit
  /** As `PaymentFacts`; undefined of what an earlier version bought. */
  readonly authentic?: boolean
  readonly job?: string
}

export interface PurchaseHistory {
  /** Returns what notes another cost once it is known. */
  readonly add: (purchase: PurchaseRecord) => (cost: TokenAmount) => void
  /** Oldest first. */
  readonly all: () => readonly PurchaseRecord[]
}

/** Short on the SD card: a field's place is its name. */
type Row = readonly [
  time: number,
  method: string,
  url: string,
  status: number,
  cost: string,
  channel: string,
  balance: string,
  job: string | null,
  authentic?: boolean | undefined,
  asset?: readonly [symbol: string, decimals: number],
]

/** Purchases, unless the configuration says another number. */
export const mostRemembered = 500

const prefix = 'bought/'
const rowsPerRecord = 16

/** Keeps at least the `most` newest; 0 keeps none. Each counts in its hour, too, where there are `hours`. */
export function createPurchaseHistory(
  notes: Notes,
  most: number,
  hours?: Pick<HourSums, 'count'>,
): PurchaseHistory {
  const keys = [...notes.keysUnder(prefix)].sort()
  const read = (each: string): readonly Row[] =>
    each === key ? rows : ((notes.get(each) ?? []) as readonly Row[])
  let key = keys.at(-1) ?? keyOf(0)
  let rows = [...((notes.get(key) ?? []) as readonly Row[])]
  let noted = true

  function note(): void {
    if (!noted) notes.later(key, rows)
    noted = true
  }

  function nextRecord(): void {
    note()
    key = keyOf(Number(key.slice(prefix.length)) + 1)
    rows = []
  }

  /** While there are enough without the oldest record. */
  function forgetOldest(): void {
    while (keys.length > 1 && (keys.length - 2) * rowsPerRecord + rows.length >= most) {
      const oldest = keys.shift()
      if (oldest !== undefined) notes.later(oldest, undefined)
    }
  }

  notes.beforeWrite(note)
  return {
    add: (purchase) => {
      const { channel, job, status } = purchase
      const party = partyOf(channel.slice(0, channel.indexOf('/')), job)
      hours?.count(party, status < 400 ? 'purchases' : 'failures')
      if (most === 0) return () => undefined
      if (rows.length >= rowsPerRecord) nextRecord()
      const row = rowOf(purchase)
      rows.push(row)
      if (keys.at(-1) !== key) keys.push(key)
      noted = false
      forgetOldest()
      const record = { key, rows }
      return (cost) => {
        const at = record.rows.indexOf(row)
        record.rows[at] = rowOf({ ...purchase, cost })
        if (record.key === key) noted = false
        else if (keys.includes(record.key)) notes.later(record.key, record.rows)
      }
    },
    all: () => (most === 0 ? [] : keys.flatMap(read).map(purchaseOf).slice(-most)),
  }
}

/** In the order of the alphabet for a hundred years of a purchase a second. */
function keyOf(number: number): string {
  return `${prefix}${String(number).padStart(12, '0')}`
}

function rowOf(purchase: PurchaseRecord): Row {
  const { time, method, url, status, cost, channel, balance, job = null, authentic } = purchase
  const { unit } = purchase
  const row = [time, method, url, status, `${cost}`, channel, `${balance}`, job] as const
  if (unit !== undefined) return [...row, authentic, [unit.symbol, unit.decimals]]
  return authentic === undefined ? row : [...row, authentic]
}

function purchaseOf(row: Row): PurchaseRecord {
  const [time, method, url, status, cost, channel, balance, job, authentic, asset] = row
  return {
    ...{ time, method, url, status },
    cost: parseUint192(cost),
    channel: channel as PaidThrough,
    balance: parseUint192(balance),
    ...(asset !== undefined && { unit: { symbol: asset[0], decimals: asset[1] } }),
    ...(typeof authentic === 'boolean' && { authentic }),
    ...(job !== null && { job }),
  }
}
