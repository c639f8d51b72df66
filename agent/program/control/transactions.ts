// How many transactions the agent makes and what they cost: by the last days where they are known, else by what
// its jobs buy and how large deposits are. Pure functions.
import { timesPerDay } from '../../../platform/config/every.ts'
import type { Address } from '../../../protocol/index.ts'
import {
  etherUnit,
  formatAmount,
  largest,
  smallest,
  type TokenAmount,
} from '../../../protocol/index.ts'
import type { Budget } from '../../budget/caps.ts'
import { type DepositPolicy, defaultDeposits } from '../../channels/choose.ts'
import { gasOfDeposit } from '../../channels/deposit-fees.ts'
import type { FundingMethod } from '../../channels/opening.ts'
import type { TransactionCounts } from '../../channels/transaction-history.ts'
import type { TransactionFacts } from '../../options.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import type { TokenSettings } from '../configuration/settings.ts'

export type TransactionRate =
  /** Of the last seven days. */
  | { readonly by: 'history'; readonly counts: TransactionCounts }
  | {
      readonly by: 'forecast'
      /** In a day. */
      readonly transactions: number
      /** In a day. */
      readonly gas: number
      /** What a unit of gas cost last, in wei; undefined before the first transaction. */
      readonly gasPrice: bigint | undefined
    }

interface ScheduledJob {
  readonly name: string
  readonly every: string
}

export interface RateSettings {
  readonly jobs: readonly ScheduledJob[]
  readonly deposit: Partial<DepositPolicy>
  readonly budget: Pick<Budget, 'day' | 'month' | 'total'>
  readonly funding: FundingMethod | undefined
}

/** Of a configuration. */
export function rateSettings(
  { deposit, budget, funding }: TokenSettings['policy'],
  jobs: TokenSettings['jobs'],
): RateSettings {
  return { jobs: jobs.map(({ job }) => job), deposit, budget, funding }
}

/** Undefined where nothing is known to go by. `purchases` have the oldest first. */
export function transactionRate(
  { lastWeek, gasPrice }: Pick<TransactionFacts, 'lastWeek' | 'gasPrice'>,
  purchases: readonly PurchaseRecord[],
  settings: RateSettings,
): TransactionRate | undefined {
  if (lastWeek !== undefined) return { by: 'history', counts: lastWeek }
  const uses = usesOf(settings.jobs, purchases)
  if (uses.length === 0) return undefined
  const { funding = 'auto' } = settings
  const deposits = uses
    .map((use) => use.perDay / Number(between(use, gasPrice, settings)))
    .reduce((sum, each) => sum + each, 0)
  if (funding === 'relay') return { by: 'forecast', transactions: 0, gas: 0, gasPrice }
  return {
    by: 'forecast',
    transactions: deposits * (funding === 'approve' ? 2 : 1),
    gas: deposits * Number(gasOfDeposit(funding).topUp),
    gasPrice,
  }
}

/** What jobs buy from one receiver, which one channel pays. */
interface Use {
  /** In the token's smallest unit; less than one where little is bought. */
  readonly perDay: number
  readonly price: TokenAmount
}

/** By what each job paid last: before that nobody knows what, and whom. */
function usesOf(
  jobs: readonly ScheduledJob[],
  purchases: readonly PurchaseRecord[],
): readonly Use[] {
  const uses = new Map<Address, Use>()
  for (const { name, every } of jobs) {
    // What is paid with an asset needs no channel.
    const last = purchases.findLast(
      ({ job, cost, unit }) => job === name && cost > 0n && unit === undefined,
    )
    if (last === undefined) continue
    const [receiver = ''] = last.channel.split('/')
    const { perDay, price } = uses.get(receiver as Address) ?? { perDay: 0, price: 0n }
    uses.set(receiver as Address, {
      perDay: perDay + timesPerDay(every) * Number(last.cost),
      price: largest(price, last.cost),
    })
  }
  return [...uses.values()]
}

/** What is used from one deposit to the next: the rest of it is there when it is topped up. */
function between(
  { price, perDay }: Use,
  gasPrice: bigint | undefined,
  { deposit, budget, funding = 'auto' }: RateSettings,
): TokenAmount {
  const { topUp, least, most, mostInAll } = { ...defaultDeposits, ...deposit }
  const whole = topUp(price, BigInt(Math.round(perDay)))
  const lasting = whole - largest(2n * price, whole / 4n)
  const fee = gasOfDeposit(funding).topUp * (gasPrice ?? 0n)
  const wanted = largest(lasting, price, least?.('topUp', fee) ?? 0n)
  const { day, month, total } = budget
  return largest(smallest(wanted, most, mostInAll, day, month, total), 1n)
}

/** `about 2 transactions a week, 0.0001 ETH`; `gasPrice` in wei is for those that have made none. */
export function rateText(rate: TransactionRate | undefined, gasPrice?: bigint): string {
  if (rate === undefined) {
    return 'how many transactions there will be is not known before jobs have bought'
  }
  if (rate.by === 'history') return historyText(rate.counts)
  const { transactions, gas } = rate
  if (transactions === 0) return 'no transactions of its own'
  const [days, period] = periodOf(transactions)
  if (days === undefined) return 'less than one transaction a year'
  const count = Math.round(transactions * days)
  const price = rate.gasPrice ?? gasPrice
  const fee = price === undefined ? '' : `, ${etherText(BigInt(Math.round(gas * days)) * price)}`
  return `about ${counted(count, 'transaction')} a ${period}${fee}`
}

function historyText({ fee, ...counts }: TransactionCounts): string {
  const words = { opened: 'opening', toppedUp: 'top-up', closed: 'close', others: 'other' } as const
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0)
  if (all === 0) return 'no transactions in the last 7 days'
  const parts = Object.entries(words)
    .map(([what, word]) => [counts[what as keyof typeof counts], word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => counted(count, word))
  return `${counted(all, 'transaction')} in the last 7 days (${parts.join(', ')}), ${etherText(fee)}`
}

/** The shortest in which there is one at least. */
function periodOf(transactions: number) {
  return periods.find(([days]) => transactions * days >= 1) ?? []
}

const periods = [
  [1, 'day'],
  [7, 'week'],
  [30, 'month'],
  [365, 'year'],
] as const

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

/** To two digits. */
function etherText(wei: bigint): string {
  const unit = 10n ** BigInt(Math.max(`${wei}`.length - 2, 0))
  const rounded = ((wei + unit / 2n) / unit) * unit
  return formatAmount(rounded, etherUnit)
}
