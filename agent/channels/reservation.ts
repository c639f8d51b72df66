// How far to raise a channel's bound: a pure function.
import { largest, smallest, type TokenAmount } from '../../protocol/index.ts'

export interface ReservationCase {
  /** Signed so far. */
  readonly balance: TokenAmount
  /** On disk now; at or above the balance. */
  readonly bound: TokenAmount
  readonly deposit: TokenAmount
  readonly price: TokenAmount
  /** Payments to reserve for. */
  readonly reservation: number
  /** What the budget still has, over what is reserved already; undefined when unlimited. */
  readonly room: TokenAmount | undefined
}

/**
 * The new bound: room for so many payments, but never over the deposit, never over the budget, and
 * never below the bound on disk.
 */
export function nextBound(given: ReservationCase): TokenAmount {
  const { balance, bound, deposit, price, reservation, room } = given
  const wanted = balance + price * BigInt(reservation)
  const affordable = room === undefined ? wanted : bound + room
  const limit = smallest(wanted, deposit, affordable)
  // Part of a payment is of no use: it would only be missing elsewhere.
  const next = limit > balance ? limit - ((limit - balance) % price) : balance
  return largest(next, bound)
}
