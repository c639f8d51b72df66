// What a request has cost, in one line: in which dialect, and what it would have cost otherwise.
import { formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import type { Asked, PaymentFacts } from '../../purchase/types.ts'

/** Undefined where nothing was paid. `payments` are those of all redirections. */
export function paidText(
  payments: readonly (PaymentFacts | undefined)[],
  token: TokenUnit,
): string | undefined {
  const paid = payments.filter((payment) => payment !== undefined)
  const last = paid.at(-1)
  if (last === undefined) return undefined
  const how = last.x402 === undefined ? 'through a channel' : `by x402 on ${last.x402.network}`
  const other = (last.otherwise ?? []).map((asked) => otherText(asked, token))
  const otherwise = other.length === 0 ? '' : `; otherwise ${other.join(', or ')}`
  return `paid ${sumText(paid, token)} ${how}${otherwise}`
}

function sumText(paid: readonly PaymentFacts[], token: TokenUnit): string {
  const sums = new Map<string, { readonly unit: TokenUnit; readonly sum: bigint }>()
  for (const { cost, x402 } of paid) {
    const unit = x402?.unit ?? token
    sums.set(unit.symbol, { unit, sum: (sums.get(unit.symbol)?.sum ?? 0n) + cost })
  }
  return [...sums.values()].map(({ unit, sum }) => formatAmount(sum, unit)).join(' and ')
}

function otherText({ dialect, price, unit }: Asked, token: TokenUnit): string {
  if (dialect === 'rdn') return `${formatAmount(price, token)} through a channel`
  return unit === undefined
    ? `${price} units of an asset that is not configured, by x402`
    : `${formatAmount(price, unit)} by x402`
}
