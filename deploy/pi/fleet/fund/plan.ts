// Who gets how much: up to a target, never over the caps. Pure, in smallest units.
import { type Address, largest, smallest } from '../../../../protocol/index.ts'

export interface Recipient {
  readonly host: string
  readonly address: Address
  /** What the account has now. */
  readonly owned: bigint
  /** What it should have. */
  readonly target: bigint
  /** What earlier runs have sent it, or whatever accounts its host had, if that is more. */
  readonly sent: bigint
}

/** Over all runs together. */
export interface Caps {
  readonly each: bigint
  readonly all: bigint
}

export interface Transfer {
  readonly host: string
  readonly address: Address
  readonly amount: bigint
}

/** An account that stays below its target because of a cap. */
export interface Shortfall {
  readonly host: string
  readonly missing: bigint
  readonly cap: keyof Caps
}

export interface FundingPlan {
  readonly transfers: readonly Transfer[]
  readonly shortfalls: readonly Shortfall[]
}

/** `sentInAll` is what earlier runs have sent to all accounts, those that are no longer listed included. */
export function planFunding(
  recipients: readonly Recipient[],
  caps: Caps,
  sentInAll: bigint,
): FundingPlan {
  const transfers: Transfer[] = []
  const shortfalls: Shortfall[] = []
  let room = largest(caps.all - sentInAll, 0n)
  for (const { host, address, owned, target, sent } of recipients) {
    const wanted = largest(target - owned, 0n)
    const own = largest(caps.each - sent, 0n)
    const amount = smallest(wanted, own, room)
    room -= amount
    if (amount > 0n) transfers.push({ host, address, amount })
    const missing = wanted - amount
    if (missing > 0n) shortfalls.push({ host, missing, cap: own <= amount ? 'each' : 'all' })
  }
  return { transfers, shortfalls }
}
