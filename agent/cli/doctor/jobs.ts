// What doctor finds about a job before it has bought anything: its price against every cap, and what it comes to.
import { type Finding, failure, ok, warning } from '../../../platform/cli/doctor.ts'
import { mostTimesWithin, timesPerDay } from '../../../platform/config/every.ts'
import {
  type Address,
  formatAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { type Budget, type BudgetWindow, capsOf, windows } from '../../budget/caps.ts'
import type { Job } from '../../jobs/types.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'

/** What a receiver asked for a job. Amounts in the token's smallest unit. */
export interface Asked {
  readonly job: string
  readonly every: string
  readonly receiver: Address
  readonly price: TokenAmount
  readonly mostPrice: TokenAmount | undefined
}

const hour = 3_600_000

interface Cap {
  /** As the configuration names it. */
  readonly setting: string
  readonly amount: TokenAmount
}

/** Of one job. */
export function judgePrice(asked: Asked, budget: Budget, token: TokenUnit): Finding {
  const { job, price, mostPrice } = asked
  const money = (amount: TokenAmount) => formatAmount(amount, token)
  const caps = [
    ...capOf(`jobs.${job}.mostPrice`, mostPrice),
    ...capOf('budget.request', budget.request),
    ...windowCapsOf(asked, budget).map(({ cap }) => cap),
  ]
  const says = `${job} costs ${money(price)}`
  const [under] = caps.filter(({ amount }) => amount < price)
  if (under !== undefined) {
    return failure(
      `${says}, more than ${under.setting} of ${money(under.amount)}: it buys nothing. Raise it, or buy elsewhere.`,
    )
  }
  const runs = timesPerDay(asked.every)
  const perDay = daily(asked)
  const [short] = windowCapsOf(asked, budget).filter(({ cap, window }) => {
    const need = needIn(asked, window)
    return need !== undefined && cap.amount < need
  })
  if (short !== undefined) {
    const { setting, amount } = short.cap
    const need =
      short.window === 'hour'
        ? `${money(needIn(asked, 'hour') ?? 0n)} an hour`
        : `${money(perDay)} a day`
    return warning(
      `${says}, and ${need}, but ${setting} of ${money(amount)} is for ${amount / price} runs. Raise it, or run the job less often.`,
    )
  }
  return ok(`${says}, about ${countText(runs)} a day: ${money(perDay)}`)
}

/** Of one whose price cannot be asked for: what keeps it from being too high. */
export function judgeUnasked(
  { name, method, mostPrice }: Pick<Job, 'name' | 'method' | 'mostPrice'>,
  { request }: Pick<Budget, 'request'>,
  token: TokenUnit,
): Finding {
  const says = `${name} is not asked for its price: without a payment a ${method} might already do something`
  const [least] = [
    ...capOf(`jobs.${name}.mostPrice`, mostPrice),
    ...capOf('budget.request', request),
  ].sort((a, b) => (a.amount < b.amount ? -1 : 1))
  if (least === undefined) {
    return warning(`${says}. Nothing limits it: set mostPrice of the job, or budget.request.`)
  }
  return ok(`${says}. It pays at most ${formatAmount(least.amount, token)}, ${least.setting}`)
}

/** What all of it comes to; undefined where no job costs anything. */
export function judgeCost(
  asked: readonly Asked[],
  { day }: Pick<Budget, 'day'>,
  token: TokenUnit,
): Finding | undefined {
  const sum = asked.reduce((all, each) => all + daily(each), 0n)
  if (sum === 0n) return undefined
  const money = (amount: TokenAmount) => formatAmount(rounded(amount), token)
  const says = `jobs buy for about ${money(sum)} a day, ${money(sum * 365n)} a year`
  if (day === undefined || day >= sum) return ok(says)
  return warning(
    `${says}, more than budget.day of ${formatAmount(day, token)}: they stop before the day is over. Raise it, or run them less often.`,
  )
}

/** As if each job had bought once: what transactions are forecast by where none was made. */
export function asPurchases(asked: readonly Asked[]): readonly PurchaseRecord[] {
  return asked.map(({ job, receiver, price }) => {
    const known = { time: 0, method: 'GET', url: '', status: 200, balance: price }
    return { ...known, job, cost: price, channel: `${receiver}/0` }
  })
}

function capOf(setting: string, amount: TokenAmount | undefined): readonly Cap[] {
  return amount === undefined ? [] : [{ setting, amount }]
}

/** What a job needs in each window, at most in an hour; undefined: it is not for always. */
function needIn(asked: Asked, window: BudgetWindow): TokenAmount | undefined {
  if (window === 'total') return undefined
  if (window === 'hour') return BigInt(mostTimesWithin(asked.every, hour)) * asked.price
  return (window === 'day' ? 1n : 30n) * daily(asked)
}

/** Of everything that a purchase of the job is counted against. */
function windowCapsOf({ job, receiver }: Asked, budget: Budget) {
  const scopes = [
    ['budget', 'all'],
    [`the budget of ${receiver}`, `receiver/${receiver}`],
    [`the budget of ${job}`, `job/${job}`],
  ] as const
  return scopes.flatMap(([setting, scope]) => {
    const caps = capsOf(budget, scope)
    return windows.flatMap((window) =>
      capOf(`${setting}${setting === 'budget' ? '.' : ', '}${window},`, caps[window]).map(
        (cap) => ({ cap, window }),
      ),
    )
  })
}

function daily({ every, price }: Asked): TokenAmount {
  // Runs are whole ones in a year.
  return (BigInt(Math.round(timesPerDay(every) * 365)) * price) / 365n
}

function countText(runs: number): string {
  return runs >= 10 ? `${Math.round(runs)} times` : `${Math.round(runs * 100) / 100} times`
}

/** To three digits. */
function rounded(amount: TokenAmount): TokenAmount {
  const unit = 10n ** BigInt(Math.max(`${amount}`.length - 3, 0))
  return ((amount + unit / 2n) / unit) * unit
}
