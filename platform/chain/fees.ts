// What a transaction offers for a unit of gas: EIP-1559, or one price on chains without a base fee.

import { largest, smallest } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

/** In wei. */
export type Fees =
  | { readonly type: 2; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 0; readonly gasPrice: bigint }

/** What the node says about the price of gas now, in wei. */
export type Market =
  | { readonly baseFee: bigint; readonly tip: bigint }
  | { readonly gasPrice: bigint }

/**
 * Twice the base fee leaves room for six full blocks in a row (EIP-1559: at most an eighth each).
 * @throws UraidenError `fee_over_cap` when the cap is below what a transaction costs now
 */
export function chooseFees(market: Market, cap: bigint | undefined): Fees {
  if ('gasPrice' in market) {
    checkCap(market.gasPrice, cap)
    return { type: 0, gasPrice: market.gasPrice }
  }
  const { baseFee, tip } = market
  checkCap(baseFee + tip, cap)
  return { type: 2, maxFeePerGas: smallest(2n * baseFee + tip, cap), maxPriorityFeePerGas: tip }
}

/**
 * Fees for a transaction that takes the place of a stuck one: at least an eighth more, of which
 * nodes ask a tenth. Undefined when the cap leaves no room for that.
 */
export function replacementFees(stuck: Fees, now: Fees, cap: bigint | undefined): Fees | undefined {
  if (stuck.type === 0) {
    const gasPrice = largest(raised(stuck.gasPrice), now.type === 0 ? now.gasPrice : 0n)
    return cap !== undefined && gasPrice > cap ? undefined : { type: 0, gasPrice }
  }
  const current = now.type === 2 ? now : stuck
  const maxFeePerGas = largest(raised(stuck.maxFeePerGas), current.maxFeePerGas)
  if (cap !== undefined && maxFeePerGas > cap) return undefined
  const tip = largest(raised(stuck.maxPriorityFeePerGas), current.maxPriorityFeePerGas)
  return { type: 2, maxFeePerGas, maxPriorityFeePerGas: smallest(tip, maxFeePerGas) }
}

function raised(fee: bigint): bigint {
  return (fee * 9n) / 8n + 1n
}

function checkCap(price: bigint, cap: bigint | undefined): void {
  if (cap === undefined || price <= cap) return
  throw platformError({
    code: 'fee_over_cap',
    message: `Gas costs ${price} wei now, more than the cap of ${cap} wei.`,
  })
}
