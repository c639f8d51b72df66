// What was spent on each day, newest last, and what it came to.
import type { TokenUnit } from '../../../protocol/index.ts'
import type { PageSpending } from '../../program/page/state.ts'
import { fitted, shortAmount, wholeAmount } from './columns.ts'

/** Days that a person looks back. */
const daysShown = 30

export function spendingTable({ buyers, days }: PageSpending, token: TokenUnit): string {
  const shown = days.slice(-daysShown)
  const amounts = shown.map(({ spent }) => spent.map(BigInt))
  const sums = amounts.map((spent) => spent.reduce((all, each) => all + each, 0n))
  const rows = shown.map(({ label, purchases, failures }, at) => [
    label,
    shortAmount(sums[at] ?? 0n, token),
    `${purchases}`,
    failures > 0 ? `${failures}` : '',
    sharesOf(buyers, amounts[at] ?? []),
  ])
  const total = wholeAmount(
    sums.reduce((all, each) => all + each, 0n),
    token,
  )
  return [
    fitted({ head: ['DAY', 'SPENT', 'BOUGHT', 'FAILED', 'BY'], flexible: [4], rows }),
    `${shown.length === 1 ? '1 day' : `${shown.length} days`}: ${total}`,
  ].join('\n')
}

/** `temperature 62 %, program wiki 38 %` */
function sharesOf(buyers: readonly string[], spent: readonly bigint[]): string {
  const sum = spent.reduce((all, each) => all + each, 0n)
  return buyers
    .map((name, at) => ({ name, amount: spent[at] ?? 0n }))
    .filter(({ amount }) => amount > 0n)
    .sort((a, b) => (a.amount < b.amount ? 1 : -1))
    .map(({ name, amount }) => `${name} ${(amount * 100n) / sum} %`)
    .join(', ')
}
