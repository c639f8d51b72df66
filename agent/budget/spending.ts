// What was spent in which window of time: pure functions on plain data.
import { smallest, type TokenAmount } from '../../protocol/index.ts'
import type { Milliseconds } from './clock.ts'

export const windows = ['hour', 'day', 'month', 'total'] as const

/** hour: the last 60 minutes, rolling; day and month: of the calendar; total: for ever. */
export type BudgetWindow = (typeof windows)[number]

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
  /** Five minutes each, oldest first; what is older than an hour is dropped. */
  readonly slots: readonly Slot[]
}

/** The calendar at a moment. */
export interface CalendarDate {
  readonly day: string
  readonly month: string
}

export const nothingSpent: Spending = {
  total: 0n,
  month: { key: '', amount: 0n },
  day: { key: '', amount: 0n },
  slots: [],
}

const slotLength: Milliseconds = 5 * 60_000
const hour: Milliseconds = 3_600_000

export function spend(
  spending: Spending,
  amount: TokenAmount,
  time: Milliseconds,
  date: CalendarDate,
): Spending {
  return {
    total: spending.total + amount,
    month: added(spending.month, date.month, amount),
    day: added(spending.day, date.day, amount),
    slots: addedToSlots(spending.slots, time, amount),
  }
}

/** Takes back what turned out not to be spent: the newest first, and never below zero. */
export function refund(spending: Spending, amount: TokenAmount): Spending {
  const slots: Slot[] = []
  let left = amount
  for (const slot of [...spending.slots].reverse()) {
    const taken = smallest(left, slot.amount)
    left -= taken
    if (slot.amount > taken) slots.unshift({ ...slot, amount: slot.amount - taken })
  }
  return {
    total: spending.total - smallest(amount, spending.total),
    month: {
      ...spending.month,
      amount: spending.month.amount - smallest(amount, spending.month.amount),
    },
    day: { ...spending.day, amount: spending.day.amount - smallest(amount, spending.day.amount) },
    slots,
  }
}

/** The clock was set forward by `jump`: everything stays as long ago as it was, in today and now. */
export function shift(spending: Spending, jump: Milliseconds, date: CalendarDate): Spending {
  return {
    total: spending.total,
    month: { key: later(spending.month.key, date.month), amount: spending.month.amount },
    day: { key: later(spending.day.key, date.day), amount: spending.day.amount },
    slots: spending.slots.map(({ from, amount }) => ({ from: from + jump, amount })),
  }
}

export function spentIn(
  spending: Spending,
  window: BudgetWindow,
  time: Milliseconds,
  date: CalendarDate,
): TokenAmount {
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
