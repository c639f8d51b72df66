// A channel is named by the block that opened it: the number that the contract sees has to be the one that
// receipts and events carry. On Arbitrum the contract sees about the number of the chain below.
import type { Hex } from './bytes.ts'

/** Code of a new contract that is nothing but its NUMBER: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
export const returnNumber: Hex = '0x4360005260206000f3'

/** In blocks: some nodes run calls in the block to come. */
const tolerance = 16n

export interface SeenNumber {
  /** Of the block that was asked about. */
  readonly number: bigint
  /** What `returnNumber` gave there; undefined where the node runs no such code. */
  readonly seen: bigint | undefined
  /** Of Arbitrum's blocks: the number of the chain below. */
  readonly l1BlockNumber: unknown
}

/** Whether contracts see the numbers that the chain itself has. */
export function seesOwnNumbers({ number, seen, l1BlockNumber }: SeenNumber): boolean {
  if (seen === undefined) return l1BlockNumber === undefined
  return seen <= number + tolerance && seen >= number - tolerance
}
