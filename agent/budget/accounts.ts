// How much was spent in which window of time, by all, by receiver and by job: kept in memory, written by the ledger in the same batch as
// the balance.

import type { CalendarDate } from '../../platform/time/calendar.ts'
import {
  advance,
  type ClockReading,
  day,
  type Milliseconds,
  type ProvenClock,
} from '../../platform/time/clock.ts'
import { type Address, largest, smallest, type TokenAmount } from '../../protocol/index.ts'
import {
  type Budget,
  type BudgetLimit,
  type BudgetScope,
  type BudgetWindow,
  capsOf,
  left,
  windows,
} from './caps.ts'

interface CalendarSum {
  /** `2026-11-21` or `2026-11`: of equal length, so that they compare as text. */
  readonly key: string
  readonly amount: TokenAmount
}

interface Slot {
  readonly from: Milliseconds
  readonly amount: TokenAmount
}

export interface Spending {
  readonly total: TokenAmount
  readonly month: CalendarSum
  readonly day: CalendarSum
  /** Of the last day before on which anything was spent. */
  readonly lastDay?: TokenAmount
  /** Five minutes each, oldest first; what is older than an hour is dropped. */
  readonly slots: readonly Slot[]
}

const nothingSpent: Spending = {
  total: 0n,
  month: { key: '', amount: 0n },
  day: { key: '', amount: 0n },
  slots: [],
}

const slotLength: Milliseconds = 5 * 60_000
const hour: Milliseconds = 3_600_000

/** What is bought within less time says nothing of a day. */
const leastObserved: Milliseconds = 10 * 60_000

export interface AccountsOptions {
  readonly budget: Budget
  readonly readClock: () => ClockReading
  readonly date: (time: number) => CalendarDate
  /** As they were on disk. */
  readonly clock: ProvenClock | undefined
  readonly spent: ReadonlyMap<BudgetScope, Spending>
}

/** What has changed since the last write. */
export interface AccountChanges {
  readonly clock: ProvenClock
  readonly spent: ReadonlyMap<BudgetScope, Spending>
}

interface Moment {
  readonly time: Milliseconds
  readonly date: CalendarDate
}

/** What is spent in a day. */
export interface DailyUse {
  readonly amount: TokenAmount
  /** That of a whole day, or what an hour would make. */
  readonly by: 'day' | 'hour'
}

export interface Accounts {
  /** The time that windows go by: as far as it is proven. */
  readonly time: () => Milliseconds
  /** Returns when it was, by the time that windows go by. */
  readonly spend: (scopes: readonly BudgetScope[], amount: TokenAmount) => Milliseconds
  /** `at`: only in the windows in which it was spent, where that is known. */
  readonly refund: (scopes: readonly BudgetScope[], amount: TokenAmount, at?: Milliseconds) => void
  /** Each cap of a scope, with `reserved` counted as spent now. */
  readonly limits: (scope: BudgetScope, reserved: TokenAmount) => readonly BudgetLimit[]
  /**
   * When so much more can be spent under a limit if nothing else is, by the wall clock; undefined: never. Of an
   * amount that is over the cap, when the window is empty.
   */
  readonly freeAt: (limit: BudgetLimit, needed: TokenAmount) => Milliseconds | undefined
  /**
   * What is spent in a day, by the last whole one and by this one; before there was one, by the last hour.
   */
  readonly perDay: (scope: BudgetScope) => DailyUse
  readonly today: (scope: BudgetScope) => TokenAmount
  /** Takes the changes for a write; `putBack` when it failed. */
  readonly takeChanges: () => AccountChanges
  readonly putBack: (changes: AccountChanges) => void
}

export function scopesOf(receiver: Address, job: string | undefined): readonly BudgetScope[] {
  const both: readonly BudgetScope[] = ['all', `receiver/${receiver}`]
  return job === undefined ? both : [...both, `job/${job}`]
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { budget, readClock, date } = options
  const spent = new Map(options.spent)
  let clock = options.clock
  let dirty = new Set<BudgetScope>()
  const of = (scope: BudgetScope): Spending => spent.get(scope) ?? nothingSpent

  function tick(): ProvenClock {
    const step = advance(clock, readClock())
    const { time } = step.clock
    clock = step.clock
    // Nothing is freed by it: what was spent before keeps its distance, and its day and month stay counted.
    if (step.jump > 0) {
      for (const [scope, spending] of spent) set(scope, shift(spending, step.jump, date(time)))
    }
    return clock
  }

  function now(): Moment {
    const { time } = tick()
    return { time, date: date(time) }
  }

  function set(scope: BudgetScope, spending: Spending): void {
    spent.set(scope, spending)
    dirty.add(scope)
  }

  return {
    time: () => tick().time,
    spend: (scopes, amount) => {
      const moment = now()
      for (const scope of scopes) set(scope, spend(of(scope), amount, moment))
      return moment.time
    },
    refund: (scopes, amount, at) => {
      const moment = at === undefined ? undefined : { time: at, date: date(at) }
      for (const scope of scopes) {
        const spending = of(scope)
        set(scope, moment ? refundOf(spending, amount, moment) : refund(spending, amount))
      }
    },
    limits: (scope, reserved) => {
      const moment = now()
      const caps = capsOf(budget, scope)
      return windows.flatMap((window) => {
        const cap = caps[window]
        if (cap === undefined) return []
        const used = spentIn(of(scope), window, moment) + reserved
        return [{ scope, window, cap, used }]
      })
    },
    freeAt: (limit, needed) => {
      const { time, reading } = tick()
      const free = freeTime(of(limit.scope), { limit, needed, time, date })
      return free && reading.wall + free - time
    },
    perDay: (scope) => perDay(of(scope), now()),
    today: (scope) => spentIn(of(scope), 'day', now()),
    takeChanges: () => {
      const changes = {
        clock: tick(),
        spent: new Map([...dirty].map((scope) => [scope, of(scope)])),
      }
      dirty = new Set()
      return changes
    },
    putBack: (changes) => {
      for (const scope of changes.spent.keys()) dirty.add(scope)
    },
  }
}

function spend(spending: Spending, amount: TokenAmount, { time, date }: Moment): Spending {
  const { day: before, lastDay = 0n } = spending
  const today = added(before, date.day, amount)
  const last = today.key === before.key ? lastDay : before.amount
  return {
    total: spending.total + amount,
    month: added(spending.month, date.month, amount),
    day: today,
    ...(last > 0n && { lastDay: last }),
    slots: addedToSlots(spending.slots, time, amount),
  }
}

interface Wait {
  readonly limit: BudgetLimit
  readonly needed: TokenAmount
  readonly time: Milliseconds
  readonly date: (time: Milliseconds) => CalendarDate
}

function freeTime(spending: Spending, { limit, needed, time, date }: Wait): number | undefined {
  const { window } = limit
  if (window === 'total') return undefined
  if (window === 'hour') return freeInHour(recent(spending.slots, time), needed - left(limit), time)
  const key = later(spending[window].key, date(time)[window])
  // The first minute after it. A clock that was set back is before it by more than one of them.
  let from = time
  let to = Math.max(time, Date.parse(key)) + (window === 'day' ? 2 : 33) * day
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (date(middle)[window] > key) to = middle
    else from = middle
  }
  return to
}

function freeInHour(
  slots: readonly Slot[],
  missing: TokenAmount,
  time: Milliseconds,
): Milliseconds {
  let freed = 0n
  for (const { from, amount } of slots) {
    freed += amount
    if (freed >= missing) return from + slotLength + hour
  }
  return (slots.at(-1)?.from ?? time) + slotLength + hour
}

function perDay(spending: Spending, moment: Moment): DailyUse {
  const today = spentIn(spending, 'day', moment)
  const isNewDay = spending.day.key < moment.date.day
  const last = isNewDay ? spending.day.amount : (spending.lastDay ?? 0n)
  if (last > 0n) return { amount: largest(last, today), by: 'day' }
  const slots = recent(spending.slots, moment.time)
  const since = moment.time - (slots[0]?.from ?? moment.time)
  const observed = Math.min(Math.max(since, leastObserved), hour)
  const inHour = spentIn(spending, 'hour', moment)
  return { amount: (inHour * BigInt(day)) / BigInt(Math.round(observed)), by: 'hour' }
}

/** Takes back what turned out not to be spent: the newest first, and never below zero. */
function refund(spending: Spending, amount: TokenAmount): Spending {
  const slots: Slot[] = []
  let left = amount
  for (const slot of [...spending.slots].reverse()) {
    const taken = smallest(left, slot.amount)
    left -= taken
    if (slot.amount > taken) slots.unshift({ ...slot, amount: slot.amount - taken })
  }
  return {
    ...spending,
    total: spending.total - smallest(amount, spending.total),
    month: {
      ...spending.month,
      amount: spending.month.amount - smallest(amount, spending.month.amount),
    },
    day: { ...spending.day, amount: spending.day.amount - smallest(amount, spending.day.amount) },
    slots,
  }
}

/** Takes back what was spent then: a window that has begun since has nothing of it. */
function refundOf(spending: Spending, amount: TokenAmount, { time, date }: Moment): Spending {
  const without = (sum: CalendarSum, key: string): CalendarSum =>
    sum.key === key ? { key, amount: sum.amount - smallest(amount, sum.amount) } : sum
  return {
    ...spending,
    total: spending.total - smallest(amount, spending.total),
    month: without(spending.month, date.month),
    day: without(spending.day, date.day),
    slots: spending.slots.map((slot) => {
      const isThen = slot.from <= time && time < slot.from + slotLength
      return isThen ? { ...slot, amount: slot.amount - smallest(amount, slot.amount) } : slot
    }),
  }
}

/** The clock was set forward by `jump`: everything stays as long ago as it was, in today and now. */
function shift(spending: Spending, jump: Milliseconds, date: CalendarDate): Spending {
  return {
    ...spending,
    month: { key: later(spending.month.key, date.month), amount: spending.month.amount },
    day: { key: later(spending.day.key, date.day), amount: spending.day.amount },
    slots: spending.slots.map(({ from, amount }) => ({ from: from + jump, amount })),
  }
}

function spentIn(spending: Spending, window: BudgetWindow, { time, date }: Moment): TokenAmount {
  switch (window) {
    case 'total':
      return spending.total
    case 'month':
      return spending.month.key >= date.month ? spending.month.amount : 0n
    case 'day':
      return spending.day.key >= date.day ? spending.day.amount : 0n
    case 'hour':
      return recent(spending.slots, time).reduce((sum, { amount }) => sum + amount, 0n)
  }
}

/** A day that was once entered is not entered again: an earlier date counts as the later one. */
function added(sum: CalendarSum, key: string, amount: TokenAmount): CalendarSum {
  return sum.key >= key ? { key: sum.key, amount: sum.amount + amount } : { key, amount }
}

function addedToSlots(
  slots: readonly Slot[],
  time: Milliseconds,
  amount: TokenAmount,
): readonly Slot[] {
  const kept = recent(slots, time)
  const newest = kept.at(-1)
  if (newest !== undefined && time < newest.from + slotLength) {
    return [...kept.slice(0, -1), { from: newest.from, amount: newest.amount + amount }]
  }
  return [...kept, { from: time, amount }]
}

/** A slot counts until its youngest part is an hour old. */
function recent(slots: readonly Slot[], time: Milliseconds): readonly Slot[] {
  return slots.filter(({ from }) => from + slotLength > time - hour)
}

function later(a: string, b: string): string {
  return a > b ? a : b
}
