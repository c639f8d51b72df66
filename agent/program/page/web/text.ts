// How the page says things: pure functions.

import {
  etherUnit,
  formatAmount,
  formatNumber,
  type TokenUnit,
} from '../../../../protocol/amount.ts'
import { largest } from '../../../../protocol/bigint.ts'
import type {
  PageBehaviour,
  PageBudget,
  PageChannel,
  PageHealth,
  PageJob,
  PagePurchase,
  PageSum,
} from '../state.ts'

/** What every list of the page is drawn with. */
export interface RenderContext {
  /** Milliseconds since 1970. */
  readonly now: number
  /** A number of smallest units, in the token's own. */
  readonly amount: (text: string) => string
  /** A token was given. */
  readonly mayAct: boolean
}

/** In the token's units; in the smallest ones until they are known. */
export function amountIn(token: TokenUnit | null): (text: string) => string {
  return (text) => (token === null ? `${text} units` : formatAmount(BigInt(text), token))
}

/** Ether with six digits after the point, which is enough for fees. */
export function etherOf(wei: string): string {
  return formatAmount((BigInt(wei) / 10n ** 12n) * 10n ** 12n, etherUnit)
}

const units = [
  [86_400, 2, 'd'],
  [3600, 2, 'h'],
  [60, 2, 'min'],
] as const

/** `5 min`: in the largest unit of which there are two. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  for (const [length, least, name] of units) {
    if (seconds >= least * length) return `${Math.round(seconds / length)} ${name}`
  }
  return `${seconds} s`
}

export function when(time: number, now: number): string {
  return time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`
}

export interface Left {
  readonly amount: bigint
  /** Of the cap, rounded down, from 0 to 100. */
  readonly percent: number
}

/** What is left of a cap. A cap of nothing has nothing left. */
export function leftOf(budget: Pick<PageBudget, 'cap' | 'spent'>): Left {
  const [most, spent] = [BigInt(budget.cap), BigInt(budget.spent)]
  const amount = largest(most - spent, 0n)
  return { amount, percent: most === 0n ? 0 : Number((100n * amount) / most) }
}

/** `0.69 of 1 TKN left` */
export function leftText(
  budget: Pick<PageBudget, 'cap' | 'spent' | 'unit'>,
  channels: TokenUnit | null,
): string {
  const token = budget.unit ?? channels
  const { amount } = leftOf(budget)
  const number = token === null ? `${amount}` : formatNumber(amount, token.decimals)
  return `${number} of ${amountIn(token)(budget.cap)} left`
}

const windows = { hour: 'Hour', day: 'Day', month: 'Month', total: 'In all' } as const

export function windowName({ window }: PageBudget): string {
  return windows[window]
}

export function ownerName({ owner, name, unit }: PageBudget): string {
  const whose =
    owner === 'all' ? 'Everything' : `${owner[0]?.toUpperCase()}${owner.slice(1)} ${name}`
  return unit === undefined ? whose : `${whose} in ${unit.symbol}`
}

/** `0.05 of 0.2 TKN left`, or that it is spent and when it is free again. */
export function budgetText(budget: PageBudget, token: TokenUnit | null, now: number): string {
  return budget.over === null ? leftText(budget, token) : `spent, ${freeText(budget.over, now)}`
}

function freeText({ free }: NonNullable<PageBudget['over']>, now: number): string {
  return free === null ? 'until it is raised' : `free again at ${momentText(free, now)}`
}

const throughWindow = {
  hour: 'lasts at this pace',
  day: 'lasts through the day',
  month: 'lasts through the month',
  total: '',
} as const

/** `lasts until 17:40 UTC` */
export function lastsText({ lasts, window }: PageBudget, now: number): string {
  if (lasts === null) return ''
  return lasts === 'window' ? throughWindow[window] : `lasts until ${momentText(lasts, now)}`
}

/** `17:40 UTC` within a day, else `2026-12-01`; to the minute. */
function momentText(time: number, now: number): string {
  const text = new Date(Math.round(time / 60_000) * 60_000).toISOString()
  return time - now < 86_400_000 ? `${text.slice(11, 16)} UTC` : text.slice(0, 10)
}

/** `0.31 TKN spent on 62 purchases, 2 failed` */
export function sumText(sums: readonly PageSum[], amount: (text: string) => string): string {
  const spent = sums.flatMap((sum) => sum.spent).reduce((all, each) => all + BigInt(each), 0n)
  const count = (what: 'purchases' | 'failures') => sums.reduce((all, sum) => all + sum[what], 0)
  const failures = count('failures')
  const bought = count('purchases')
  const failed = failures > 0 ? `, ${failures} failed` : ''
  return `${amount(`${spent}`)} spent on ${bought} ${bought === 1 ? 'purchase' : 'purchases'}${failed}`
}

export const healthNames = {
  ok: 'all is well',
  attention: 'needs attention',
  failing: 'failing',
} as const

/** For the tab: what is wrong stands first. */
export function titleOf({ level, reasons }: PageHealth): string {
  const marks = { ok: '✔', attention: '!', failing: '✘' } as const
  const what = level === 'ok' ? '' : `${reasons[0] ?? ''} – `
  return `${marks[level]} ${what}µRaiden agent`
}

const jobStates = {
  waiting: 'waiting',
  running: 'running',
  paused: 'paused',
  slowed: 'keeps failing',
  budgetSpent: 'budget spent',
} as const

export function jobState({ state }: PageJob): string {
  return jobStates[state]
}

/** What came of the last run, and when. */
export function lastResult(
  { last, failures }: PageJob,
  now: number,
  amount: (text: string) => string,
): string {
  if (last === null) return 'has not run yet'
  const ago = when(last.ended, now)
  if (last.problem !== null) {
    const times = failures > 1 ? `, ${failures} times in a row` : ''
    return `failed ${ago}${times}: ${last.problem.message} (${last.problem.code})`
  }
  const price =
    last.cost === null || last.cost === '0'
      ? 'for nothing'
      : `for ${(last.unit ? amountIn(last.unit) : amount)(last.cost)}`
  return `went well ${ago}, ${price}${proofText(last.authentic)}`
}

/** Whether it is proven that the data is the receiver's. */
function proofText(authentic: boolean | null): string {
  if (authentic === null) return ''
  return authentic ? ', authentic' : ', not proven'
}

/** What became of a purchase. */
export function outcomeText({ status, authentic }: PagePurchase): string {
  const outcome = isGood(status) ? `got it (${status})` : `the receiver answered ${status}`
  return `${outcome}${proofText(authentic)}`
}

/** `200`: what HTTP calls success is one. */
export function isGood(status: number): boolean {
  return status >= 200 && status < 400
}

/** `refused 3.0, broken 0.5; last proof_refused 5 min ago` */
export function behaviourText(
  { refused, overcharged, broken, code, time }: PageBehaviour,
  now: number,
): string {
  const counts = Object.entries({ refused, overcharged, broken })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count.toFixed(1)}`)
  return `${counts.join(', ')}; last ${code} ${when(time, now)}`
}

export function trustText({ trust, leftAloneUntil }: PageBehaviour, now: number): string {
  if (trust === 'leftAlone')
    return `Left alone: it is tried again ${when(leftAloneUntil ?? now, now)}.`
  return trust === 'noDeposit'
    ? 'It is paid on its channels, and no more is locked for it for a while.'
    : 'It is paid as always.'
}

/** In all channels that are open. */
export function leftInChannels(channels: readonly PageChannel[]): bigint {
  return channels
    .filter(({ state }) => state === 'open')
    .reduce((sum, { deposit, spent }) => sum + BigInt(deposit) - BigInt(spent), 0n)
}
