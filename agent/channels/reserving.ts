// Raises the bounds of channels as far as the budget allows, and says what it still allows, with all that is
// reserved counted as spent. How far a bound is raised is reservation.ts.
import { type Address, largest, type TokenAmount } from '../../protocol/index.ts'
import type { Accounts } from '../budget/accounts.ts'
import { type BudgetLimit, type BudgetScope, countsTokens, left, tightest } from '../budget/caps.ts'
import type { OwnCommitment } from './commitment.ts'
import type { Purchase, Shortfall } from './ledger-types.ts'
import { type ChannelEntry, type ChannelName, canPay } from './records.ts'
import { nextBound } from './reservation.ts'
import { isIn, type LedgerWriter, type Slot, unspent, written } from './slots.ts'

export interface ReservingParts {
  readonly slots: ReadonlyMap<ChannelName, Slot>
  readonly accounts: Accounts
  /** How many payments one synced write reserves. */
  readonly reservation: number
  /** A bound that leaves less than this for the price is raised. */
  readonly lowWater: (price: TokenAmount) => TokenAmount
  readonly write: LedgerWriter
  /** Undefined without a spool. */
  readonly spool?: LedgerWriter | undefined
}

export interface Reserving {
  readonly limits: (scopes: readonly BudgetScope[]) => readonly BudgetLimit[]
  /** Why the budget has no room for a new payment; undefined when it has. */
  readonly shortfall: (receiver: Address, purchase: Purchase) => Shortfall | undefined
  readonly jobShortfall: (price: TokenAmount, job: string) => Shortfall | undefined
  /**
   * Raises a bound so that payments fit, as many as reservation, deposit and budget allow, and makes a
   * commitment the channel's in the same write; in the spool where the bound needs none. No other write may be on its
   * way.
   */
  readonly reserve: (wanted: Reservation) => Promise<Shortfall | undefined>
  /** Channels with bounds for a whole reservation at these prices, as far as deposit and budget allow. */
  readonly refilled: (
    prices: ReadonlyMap<ChannelName, TokenAmount>,
  ) => ReadonlyMap<ChannelName, ChannelEntry>
}

export interface Reservation {
  readonly name: ChannelName
  readonly price: TokenAmount
  readonly commitment?: OwnCommitment
}

export function createReserving(parts: ReservingParts): Reserving {
  const { slots, accounts } = parts
  const slotsIn = (scope: BudgetScope): readonly Slot[] =>
    [...slots.values()].filter((slot) => isIn(scope, slot))
  /** What a crash may have hidden. */
  const hiddenIn = (scope: BudgetScope): TokenAmount =>
    sum(slotsIn(scope).filter(({ position }) => !position.certain))
  /** A job reserves nothing, but a crash may have hidden its payments. */
  const reservedFor = (scope: BudgetScope): TokenAmount =>
    scope.startsWith('job/') ? hiddenIn(scope) : sum(slotsIn(scope))
  const limits: Reserving['limits'] = (scopes) =>
    scopes.flatMap((scope) => accounts.limits(scope, countsTokens(scope) ? reservedFor(scope) : 0n))
  const jobShortfall: Reserving['jobShortfall'] = (price, job) =>
    exceeded(tightest(limits([`job/${job}`])), price)
  return {
    limits,
    jobShortfall,
    shortfall: (receiver, { price, job }) => {
      // What other channels have reserved and not signed can be released, so it is there to be spent.
      const scopes: readonly BudgetScope[] = ['all', `receiver/${receiver}`]
      const unreserved = scopes.flatMap((scope) => accounts.limits(scope, hiddenIn(scope)))
      const short = exceeded(tightest(unreserved), price)
      return short ?? (job === undefined ? undefined : jobShortfall(price, job))
    },
    reserve: (wanted) => {
      const { name } = wanted
      const slot = slots.get(name)
      if (slot === undefined) throw new Error(`no channel ${name} in the ledger`)
      const { receiver } = slot.entry
      const limit = () => tightest(limits(['all', `receiver/${receiver}`]))
      return reserve(parts, { ...wanted, slot, limit })
    },
    refilled: (prices) => refilled(parts, prices, limits),
  }
}

function refilled(
  { slots, reservation }: ReservingParts,
  prices: ReadonlyMap<ChannelName, TokenAmount>,
  limits: Reserving['limits'],
): ReadonlyMap<ChannelName, ChannelEntry> {
  const entries = new Map<ChannelName, ChannelEntry>()
  /** Of all of them: what one is given the others cannot have. */
  let raised = 0n
  for (const [name, price] of prices) {
    const slot = slots.get(name)
    if (slot === undefined || !slot.position.certain || !canPay(slot.entry)) continue
    const { entry, position } = slot
    const limit = tightest(limits(['all', `receiver/${entry.receiver}`]))
    const room = limit && largest(left(limit) - raised, 0n)
    const bound = nextBound({ ...entry, balance: position.signed, price, reservation, room })
    if (bound <= entry.bound) continue
    raised += bound - entry.bound
    entries.set(name, { ...written(slot), bound, exact: false })
  }
  return entries
}

interface WantedReserve extends Reservation {
  readonly slot: Slot
  /** The one that leaves least for reserving on the channel; undefined without any. */
  readonly limit: () => BudgetLimit | undefined
}

async function reserve(
  parts: ReservingParts,
  { name, slot, price, commitment, limit: readLimit }: WantedReserve,
): Promise<Shortfall | undefined> {
  const { reservation, lowWater, write, spool } = parts
  const { entry, position } = slot
  const isCovered = !entry.exact && entry.bound - position.signed >= price
  if (spool !== undefined && commitment !== undefined && isCovered) {
    // A power cut may take it: what the receiver shows of it then is believed, and it is never paid with again.
    await spool(new Map([[name, { ...written(slot), commitment }]]))
    return
  }
  // A write that was waited for may have made the room already.
  if (commitment === undefined && entry.bound - position.signed >= lowWater(price)) return
  if (position.signed + price > entry.deposit) return { short: 'deposit' }
  let limit = readLimit()
  if (limit !== undefined && entry.bound + left(limit) < position.signed + price) {
    await releaseIdle(parts, name)
    limit = readLimit()
  }
  const room = limit && left(limit)
  const bound = nextBound({ ...entry, balance: position.signed, price, reservation, room })
  if (bound < slot.position.signed + price) {
    return limit === undefined
      ? { short: 'deposit' }
      : { short: 'budget', limit, available: left(limit) + entry.bound - slot.position.signed }
  }
  if (bound > entry.bound || commitment !== undefined) {
    const committed = commitment === undefined ? {} : { commitment }
    await write(new Map([[name, { ...written(slot), ...committed, bound, exact: false }]]))
  }
  return
}

/** Other channels give back what they have reserved and not signed. */
async function releaseIdle({ slots, write }: ReservingParts, wanted: ChannelName): Promise<void> {
  const released = new Map<ChannelName, ChannelEntry>()
  for (const [name, slot] of slots) {
    const { entry, position } = slot
    if (name === wanted || !position.certain || entry.bound === position.top) continue
    // Lower in memory first: from here on nothing is signed above, whatever becomes of the write.
    slot.entry = { ...entry, bound: position.top }
    released.set(name, written(slot))
  }
  if (released.size > 0) await write(released)
}

function exceeded(limit: BudgetLimit | undefined, price: TokenAmount): Shortfall | undefined {
  if (limit === undefined || left(limit) >= price) return undefined
  return { short: 'budget', limit, available: left(limit) }
}

function sum(slots: readonly Slot[]): TokenAmount {
  return slots.reduce((amount, slot) => amount + unspent(slot), 0n)
}
