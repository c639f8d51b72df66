// A channel is named by the block that opened it, in the number that the contract sees. On Arbitrum and chains of
// its kind that is the number of the chain below, and blocks and receipts carry it beside their own.
import type { Hex } from './bytes.ts'

/** Code of a new contract that is nothing but its NUMBER: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
export const returnNumber: Hex = '0x4360005260206000f3'

/** In blocks: some nodes run calls in the block to come. */
const tolerance = 16n

/** Which of a block's numbers contracts see: its own, or that of the chain below (`l1BlockNumber`). */
export type ContractClock = 'own' | 'parent'

export interface SeenNumber {
  /** Of the block that was asked about. */
  readonly number: bigint
  /** What `returnNumber` gave there; undefined where the node runs no such code. */
  readonly seen: bigint | undefined
  /** Of the same block: the number of the chain below; undefined where blocks carry none. */
  readonly l1BlockNumber: bigint | undefined
}

/**
 * Undefined for a chain whose contracts see neither, or where both are too near to be told apart.
 * @example
 * contractClock({ number: 1000n, seen: 1000n, l1BlockNumber: undefined }) // 'own'
 * contractClock({ number: 90000n, seen: 1000n, l1BlockNumber: 1000n }) // 'parent'
 */
export function contractClock({
  number,
  seen,
  l1BlockNumber,
}: SeenNumber): ContractClock | undefined {
  if (seen === undefined) return l1BlockNumber === undefined ? 'own' : undefined
  const isNear = (other: bigint) => seen <= other + tolerance && seen >= other - tolerance
  if (l1BlockNumber === undefined) return isNear(number) ? 'own' : undefined
  if (isNear(number)) return isNear(l1BlockNumber) ? undefined : 'own'
  return seen === l1BlockNumber ? 'parent' : undefined
}
