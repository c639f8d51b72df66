// How much is sent for one sender in a day.

import { day } from '../../platform/time/clock.ts'
import type { Address } from '../../protocol/index.ts'
import type { Allowance, AllowanceDisk } from '../channels/store.ts'
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

export interface AllowanceParts extends RelayLimits {
  /** Unix time in milliseconds. */
  readonly now: () => number
  readonly disk: AllowanceDisk
  /** What was sent could not be written down: it counts until the process ends. */
  readonly onFailure: (error: unknown) => void
}

/** Only senders whose transactions were sent are remembered. */
export async function openRelayAllowance(parts: AllowanceParts): Promise<RelayAllowance> {
  const { mostPerDay, mostGasPerDay, now, disk, onFailure } = parts
  const today = { day: Math.floor(now() / day), spent: new Map<Address, Spent>() }
  const save = (changes: ReadonlyMap<Address, Allowance | undefined>) =>
    void disk.save(changes).catch(onFailure)
  const forget = (senders: Iterable<Address>) =>
    save(new Map([...senders].map((sender) => [sender, undefined])))

  const former = await disk.load()
  for (const [sender, { count, gas, ...known }] of former) {
    if (known.day === today.day) today.spent.set(sender, { count, gas })
  }
  const old = [...former.keys()].filter((sender) => !today.spent.has(sender))
  if (old.length > 0) forget(old)

  const spentBy = (sender: Address): Spent => {
    const current = Math.floor(now() / day)
    if (today.day !== current) {
      if (today.spent.size > 0) forget(today.spent.keys())
      today.day = current
      today.spent = new Map()
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
      const write = () => {
        // What belongs to a day that is over was forgotten with it.
        if (today.spent.get(sender) === spent)
          save(new Map([[sender, { day: today.day, ...spent }]]))
      }
      write()
      return {
        used: (really) => {
          spent.gas += really - gas
          write()
        },
      }
    },
  }
}
