// Own transactions of the last days, for people: counted as they are paid, on disk with what they did.
import type { ChannelEvent, Receipt } from '../../platform/chain/index.ts'
import { day, type Milliseconds } from '../../platform/time/clock.ts'
import { parseUint192 } from '../../protocol/index.ts'
import type { Notes } from './notes.ts'

export interface TransactionCounts {
  readonly opened: number
  readonly toppedUp: number
  /** Close requests and settlements too. */
  readonly closed: number
  /** Approvals among them. */
  readonly others: number
  /** In wei. */
  readonly fee: bigint
}

type What = Exclude<keyof TransactionCounts, 'fee'>

/** Of one day, by its number since 1970. */
interface DayNote extends Omit<TransactionCounts, 'fee'> {
  readonly day: number
  readonly fee: string
}

interface Noted {
  /** The day of the first one ever noted. */
  readonly since: number
  /** Of all that were ever noted; a state of earlier versions lacks it. */
  readonly all?: Omit<DayNote, 'day'>
  /** Oldest first. */
  readonly days: readonly DayNote[]
}

const key = 'transactions'
/** Today is one of them. */
const daysOfWeek = 7

const whatOf: { readonly [Kind in ChannelEvent['kind']]?: What } = {
  created: 'opened',
  toppedUp: 'toppedUp',
  closeRequested: 'closed',
  settled: 'closed',
}

/** Durable with the ledger's next write. `now` is the machine's clock, which may be wrong. */
export function noteTransaction(
  notes: Pick<Notes, 'get' | 'later'>,
  { events, fee }: Pick<Receipt, 'events' | 'fee'>,
  now: Milliseconds = Date.now(),
): void {
  const noted = notes.get(key) as Noted | undefined
  const today = dayOf(now, noted)
  const before = noted?.days.find((each) => each.day === today)
  const [event] = events
  const what = (event && whatOf[event.kind]) ?? 'others'
  const withThis = <Counted extends Omit<DayNote, 'day'>>(counted: Counted) => ({
    ...counted,
    [what]: counted[what] + 1,
    fee: `${parseUint192(counted.fee) + fee}`,
  })
  const entry = withThis(before ?? { day: today, ...nothing })
  const all = withThis(noted?.all ?? sumOf(noted?.days ?? []))
  const others = (noted?.days ?? []).filter((each) => each !== before && isOfWeek(each, today))
  notes.later(key, {
    ...{ since: noted?.since ?? today, all },
    days: [...others, entry],
  } satisfies Noted)
}

/** Of seven days; undefined while it is not known for so long. */
export function transactionsOfWeek(
  notes: Pick<Notes, 'get'>,
  now: Milliseconds = Date.now(),
): TransactionCounts | undefined {
  const noted = notes.get(key) as Noted | undefined
  const today = dayOf(now, noted)
  if (noted === undefined || today - noted.since < daysOfWeek) return undefined
  return countsOf(sumOf(noted.days.filter((each) => isOfWeek(each, today))))
}

/** Of all that were ever noted. */
export function transactionsInAll(notes: Pick<Notes, 'get'>): TransactionCounts {
  const noted = notes.get(key) as Noted | undefined
  return countsOf(noted?.all ?? sumOf(noted?.days ?? []))
}

const nothing = { opened: 0, toppedUp: 0, closed: 0, others: 0, fee: '0' }

function sumOf(days: readonly DayNote[]): Omit<DayNote, 'day'> {
  const sum = (what: What) => days.reduce((all, each) => all + each[what], 0)
  return {
    opened: sum('opened'),
    toppedUp: sum('toppedUp'),
    closed: sum('closed'),
    others: sum('others'),
    fee: `${days.reduce((all, each) => all + parseUint192(each.fee), 0n)}`,
  }
}

function countsOf(noted: Omit<DayNote, 'day'>): TransactionCounts {
  const { opened, toppedUp, closed, others, fee } = noted
  return { opened, toppedUp, closed, others, fee: parseUint192(fee) }
}

function isOfWeek({ day: number }: DayNote, today: number): boolean {
  return number > today - daysOfWeek
}

/** A clock that was set back stays on the last day. */
function dayOf(now: Milliseconds, noted: Noted | undefined): number {
  return Math.max(Math.floor(now / day), noted?.days.at(-1)?.day ?? 0)
}
