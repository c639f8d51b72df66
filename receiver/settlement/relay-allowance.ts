// How much is sent for one sender in a day.

import type { Address } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

export interface RelayLimits {
  /** Transactions for one sender and day (UTC). */
  readonly mostPerDay: number
  /** Gas for one sender and day. */
  readonly mostGasPerDay: bigint
}

export interface RelayAllowance {
  /** @throws UraidenError `relay_limit` when one more with so much gas is too much */
  readonly check: (sender: Address, gas: bigint) => void
  /** To be called for what was sent; resolves a difference once the gas is known. */
  readonly spend: (sender: Address, gas: bigint) => { readonly used: (gas: bigint) => void }
}

interface Spent {
  count: number
  gas: bigint
}

const day = 86_400_000

/** `now` is Unix time in milliseconds. Only senders whose transactions were sent are remembered. */
export function createRelayAllowance(
  { mostPerDay, mostGasPerDay }: RelayLimits,
  now: () => number,
): RelayAllowance {
  const today = { day: -1, spent: new Map<Address, Spent>() }
  const spentBy = (sender: Address): Spent => {
    const current = Math.floor(now() / day)
    if (today.day !== current) {
      today.day = current
      today.spent.clear()
    }
    return today.spent.get(sender) ?? { count: 0, gas: 0n }
  }
  return {
    check: (sender, gas) => {
      const spent = spentBy(sender)
      if (spent.count < mostPerDay && spent.gas + gas <= mostGasPerDay) return
      throw receiverError({
        code: 'relay_limit',
        message: `For ${sender} ${spent.count} transactions with ${spent.gas} gas were sent today; this receiver sends ${mostPerDay} with ${mostGasPerDay} gas a day.`,
      })
    },
    spend: (sender, gas) => {
      const spent = spentBy(sender)
      today.spent.set(sender, spent)
      spent.count++
      spent.gas += gas
      return {
        used: (really) => {
          spent.gas += really - gas
        },
      }
    },
  }
}
