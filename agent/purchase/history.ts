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
  authentic?: boolean | null | undefined,
  asset?: readonly [symbol: string, decimals: number],
]

/** What one purchase has in common with others. */
type Kind = readonly [
  method: string,
  url: string,
  status: number,
  cost: string,
  channel: string,
  job: string | null,
  authentic: boolean | null,
  asset?: readonly [symbol: string, decimals: number],
]

/** How long it came after the one before, the place of its kind, and the balance where that is not the next one. */
type PackedRow = readonly [after: number, kind: number, balance?: string]

/** Kinds once. */
type Packed = readonly [kinds: readonly Kind[], rows: readonly PackedRow[]]

/** Purchases, unless the configuration says another number. */
export const mostRemembered = 500

const prefix = 'purchases/'
/** Of an earlier version, each purchase with all of it. */
const formerPrefix = 'bought/'
const rowsPerRecord = 16

/** Keeps at least the `most` newest; 0 keeps none. Each counts in its hour, too, where there are `hours`. */
export function createPurchaseHistory(
  notes: Notes,
  most: number,
  hours?: Pick<HourSums, 'count'>,
): PurchaseHistory {
  // The former ones first, in the order of the alphabet, too.
  const keys = [...notes.keysUnder(formerPrefix), ...notes.keysUnder(prefix)].sort()
  const read = (each: string): readonly Row[] => (each === key ? rows : rowsAt(notes, each))
  let key = keys.at(-1) ?? keyOf(0)
  let rows = [...rowsAt(notes, key)]
  let noted = true

  function note(): void {
    if (!noted) notes.later(key, packed(rows))
    noted = true
  }

  function nextRecord(): void {
    note()
    key = keyAfter(key)
    rows = []
  }

  /** What a former one has left room for goes on in one of ours. */
  function takeOver(): void {
    if (!key.startsWith(formerPrefix)) return
    notes.later(key, undefined)
    keys.pop()
    key = keyAfter(key)
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
      takeOver()
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
        else if (keys.includes(record.key)) notes.later(record.key, packed(record.rows))
      }
    },
    all: () => (most === 0 ? [] : keys.flatMap(read).map(purchaseOf).slice(-most)),
  }
}

/** In the order of the alphabet for a hundred years of a purchase a second. */
function keyOf(number: number): string {
  return `${prefix}${String(number).padStart(12, '0')}`
}

function keyAfter(key: string): string {
  return keyOf(Number(key.slice(key.indexOf('/') + 1)) + 1)
}

function rowsAt(notes: Notes, key: string): readonly Row[] {
  const note = notes.get(key) ?? []
  return key.startsWith(formerPrefix) ? (note as readonly Row[]) : unpacked(note as Packed)
}

function packed(rows: readonly Row[]): Packed {
  const kinds: Kind[] = []
  const places = new Map<string, number>()
  let [before, expected] = [0, '']
  const short = rows.map((row): PackedRow => {
    const [time, , , , cost, , balance] = row
    const kind = kindOf(row)
    const text = JSON.stringify(kind)
    const place = places.get(text) ?? kinds.push(kind) - 1
    places.set(text, place)
    const packedRow = [time - before, place] as const
    const isExpected = balance === expected
    before = time
    expected = nextBalance(balance, cost)
    return isExpected ? packedRow : [...packedRow, balance]
  })
  return [kinds, short]
}

/** Of the same price once more. */
function nextBalance(balance: string, cost: string): string {
  return `${BigInt(balance) + BigInt(cost)}`
}

function kindOf(row: Row): Kind {
  const [, method, url, status, cost, channel, , job, authentic = null, asset] = row
  const kind = [method, url, status, cost, channel, job, authentic] as const
  return asset === undefined ? kind : [...kind, asset]
}

/** @throws TypeError when it is damaged */
function unpacked([kinds = [], rows = []]: Packed | readonly []): readonly Row[] {
  let [time, expected] = [0, '']
  return rows.map(([after, place, balance = expected]) => {
    const kind = kinds[place]
    if (kind === undefined) throw new TypeError('a purchase without its kind')
    const [method, url, status, cost, channel, job, authentic, asset] = kind
    time += after
    expected = nextBalance(balance, cost)
    const row = [time, method, url, status, cost, channel, balance, job, authentic] as const
    return asset === undefined ? row : [...row, asset]
  })
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
