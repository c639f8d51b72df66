// What was spent in which hour, by whom and to whom, for 400 days: for people. Kept as notes, so it is on disk in
// the very batch that books the payment, and what a crash takes it takes together.
//
// An hour of today and yesterday is a note of its own, small enough to be written with every payment; the hours of
// a day before are folded into one.
import { day, hour, type Milliseconds } from '../../platform/time/clock.ts'
import { parseUint192, smallest, type TokenAmount } from '../../protocol/index.ts'
import type { NoteBook } from './notes.ts'

/** Who bought, and from whom. */
export interface Party {
  /**
   * A job, or `proxy/NAME` for a program of the proxy; `''` for a command or a program of its own; `'?'` where a crash
   * has hidden it; `'*'` for all beyond the most that are told apart in an hour.
   */
  readonly buyer: string
  /** An address; empty where it is not known, and of `'*'`. */
  readonly receiver: string
}

/** What one buyer spent at one receiver in one hour. */
export interface HourSum extends Party {
  /** Unix time of its beginning. */
  readonly start: Milliseconds
  readonly spent: TokenAmount
  /** Answered well. */
  readonly purchases: number
  readonly failures: number
}

export interface HourSums {
  readonly spend: (party: Party, amount: TokenAmount) => void
  /** What turned out not to be spent: of this party the newest first, then of others; never below zero. */
  readonly refund: (party: Party, amount: TokenAmount) => void
  readonly count: (party: Party, outcome: 'purchases' | 'failures') => void
  /** From an hour on that began then or later; oldest first. */
  readonly since: (start: Milliseconds) => readonly HourSum[]
}

export const commandBuyer = ''
export const unknownBuyer = '?'
export const otherBuyers = '*'

export function partyOf(receiver: string, job: string | undefined): Party {
  return { buyer: job ?? commandBuyer, receiver }
}

/** Today is one of them. */
export const daysKept = 400

/** Parties that an hour tells apart. */
export const mostParties = 16

/** Letters of a name. */
const mostName = 64

const hourPrefix = 'hour/'
const dayPrefix = 'hours/'

interface Row {
  readonly buyer: string
  readonly receiver: string
  spent: TokenAmount
  purchases: number
  failures: number
}

/** An hour that has a note of its own. */
interface OpenHour {
  /** Since 1970. */
  readonly number: number
  readonly rows: Row[]
  noted: boolean
}

type Counted = readonly [spent: string, purchases: number, failures: number]
type HourNote = readonly (readonly [buyer: string, receiver: string, ...Counted])[]
/** Parties once, then hours of the day with places among the parties. */
type DayNote = readonly [
  parties: readonly (readonly [buyer: string, receiver: string])[],
  hours: readonly (readonly [
    hourOfDay: number,
    rows: readonly (readonly [number, ...Counted])[],
  ])[],
]

type SumNotes = Pick<NoteBook, 'get' | 'set' | 'keysUnder' | 'beforeWrite'>

/** `now` is the time that budgets go by: it never goes back. */
export function createHourSums(notes: SumNotes, now: () => Milliseconds): HourSums {
  const open: OpenHour[] = [...notes.keysUnder(hourPrefix)]
    .sort()
    .map((key) => openHour(numberIn(key), notes.get(key) as HourNote))

  notes.beforeWrite(() => {
    for (const each of open) {
      if (!each.noted) notes.set(keyOf(hourPrefix, each.number), noteOf(each.rows))
      each.noted = true
    }
  })

  function current(): OpenHour {
    const number = Math.floor(now() / hour)
    const last = open.at(-1)
    // A ledger that was copied to a machine with an earlier clock goes on in its last hour.
    if (last !== undefined && last.number >= number) return last
    const begun = { number, rows: [], noted: true }
    open.push(begun)
    foldBefore(notes, open, dayOf(number) - 1)
    return begun
  }

  function changed(party: Party, change: (row: Row) => void): void {
    const hours = current()
    change(rowOf(hours.rows, named(party)))
    hours.noted = false
  }

  return {
    spend: (party, amount) =>
      changed(party, (row) => {
        row.spent += amount
      }),
    count: (party, outcome) =>
      changed(party, (row) => {
        row[outcome]++
      }),
    refund: (party, amount) => {
      const left = refund(open, named(party), amount)
      if (left > 0n) refundFolded(notes, named(party), left)
    },
    since: (start) => {
      const first = Math.floor(start / hour)
      const days = notes
        .keysUnder(dayPrefix)
        .filter((key) => numberIn(key) >= dayOf(first))
        .sort()
        .flatMap((key) => unfolded(numberIn(key), notes.get(key) as DayNote))
      return [...days, ...open]
        .filter(({ number }) => number >= first)
        .flatMap(({ number, rows }) => rows.map((row) => ({ start: number * hour, ...row })))
    },
  }
}

/** Hours of earlier days become a note for each day; what is older than all that is kept is forgotten. */
function foldBefore(notes: SumNotes, open: OpenHour[], first: number): void {
  const folded = open.filter(({ number }) => dayOf(number) < first)
  open.splice(0, folded.length)
  for (const each of new Set(folded.map(({ number }) => dayOf(number)))) {
    const hours = folded.filter(({ number }) => dayOf(number) === each)
    notes.set(keyOf(dayPrefix, each), foldedDay(hours))
  }
  for (const { number } of folded) notes.set(keyOf(hourPrefix, number), undefined)
  const oldest = keyOf(dayPrefix, first + 2 - daysKept)
  for (const key of notes.keysUnder(dayPrefix)) if (key < oldest) notes.set(key, undefined)
}

/** Returns what there was not enough for. */
function refund(hours: readonly OpenHour[], party: Party, amount: TokenAmount): TokenAmount {
  const { buyer, receiver } = party
  const rules: readonly ((row: Row) => boolean)[] = [
    (row) => row.buyer === buyer && row.receiver === receiver,
    (row) => row.receiver === receiver,
    () => true,
  ]
  let left = amount
  for (const isMeant of rules) {
    for (const each of [...hours].reverse()) {
      for (const row of each.rows.filter(isMeant)) {
        const taken = smallest(left, row.spent)
        if (taken === 0n) continue
        row.spent -= taken
        left -= taken
        each.noted = false
      }
    }
  }
  return left
}

/** What a receiver did not take after all may have been signed days ago. */
function refundFolded(notes: SumNotes, party: Party, amount: TokenAmount): void {
  let left = amount
  for (const key of [...notes.keysUnder(dayPrefix)].sort().reverse()) {
    if (left === 0n) return
    const hours = unfolded(numberIn(key), notes.get(key) as DayNote)
    left = refund(hours, party, left)
    notes.set(key, foldedDay(hours))
  }
}

/** The row of a party; of the others where there are too many. */
function rowOf(rows: Row[], { buyer, receiver }: Party): Row {
  const known = rows.find((row) => row.buyer === buyer && row.receiver === receiver)
  if (known !== undefined) return known
  if (rows.length >= mostParties && buyer !== otherBuyers) {
    return rowOf(rows, { buyer: otherBuyers, receiver: '' })
  }
  const row = { buyer, receiver, spent: 0n, purchases: 0, failures: 0 }
  rows.push(row)
  return row
}

function named({ buyer, receiver }: Party): Party {
  return { buyer: buyer.slice(0, mostName), receiver }
}

function foldedDay(hours: readonly OpenHour[]): DayNote {
  const parties: [string, string][] = []
  const placeOf = ({ buyer, receiver }: Row): number => {
    const at = parties.findIndex(([name, address]) => name === buyer && address === receiver)
    return at >= 0 ? at : parties.push([buyer, receiver]) - 1
  }
  const rows = hours.map(({ number, rows }) => {
    return [
      number - dayOf(number) * hoursOfDay,
      rows.filter(isSomething).map((row) => [placeOf(row), ...countedIn(row)] as const),
    ] as const
  })
  return [parties, rows]
}

function unfolded(number: number, [parties, hours]: DayNote): readonly OpenHour[] {
  return hours.map(([hourOfDay, rows]) => ({
    noted: true,
    number: number * hoursOfDay + hourOfDay,
    rows: rows.map(([place, ...counted]) => {
      const [buyer = otherBuyers, receiver = ''] = parties[place] ?? []
      return { buyer, receiver, ...countsOf(counted) }
    }),
  }))
}

function openHour(number: number, note: HourNote): OpenHour {
  const rows = note.map(([buyer, receiver, ...counted]) => {
    return { buyer, receiver, ...countsOf(counted) }
  })
  return { number, rows, noted: true }
}

function noteOf(rows: readonly Row[]): HourNote {
  return rows
    .filter(isSomething)
    .map((row) => [row.buyer, row.receiver, ...countedIn(row)] as const)
}

function isSomething({ spent, purchases, failures }: Row): boolean {
  return spent > 0n || purchases > 0 || failures > 0
}

function countedIn({ spent, purchases, failures }: Row): Counted {
  return [shortened(spent), purchases, failures]
}

function countsOf([spent, purchases, failures]: Counted) {
  return { spent: lengthened(spent), purchases, failures }
}

/** `3e17`: prices have many zeros, and 400 days have many prices. */
function shortened(amount: TokenAmount): string {
  return `${amount}`.replace(/0{3,}$/, ({ length }) => `e${length}`)
}

function lengthened(text: string): TokenAmount {
  const [digits = '0', zeros = '0'] = text.split('e')
  return parseUint192(digits + '0'.repeat(Number(zeros)))
}

const hoursOfDay = day / hour

function dayOf(hourNumber: number): number {
  return Math.floor(hourNumber / hoursOfDay)
}

/** In the order of the alphabet for a hundred thousand years. */
function keyOf(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(9, '0')}`
}

function numberIn(key: string): number {
  return Number(key.slice(key.indexOf('/') + 1))
}
