// What the paying loop and the program that kills it say to each other, in decimal strings; and the sums
// of all books when it is over.
import type { ProofCounts } from './paid-by.ts'

export interface LoopOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly chainId: string
  readonly contract: string
  readonly store: string
  /** In memory, where the card is treated gently. */
  readonly spool?: string
  readonly url: string
  readonly reservation: number
  readonly deposit: string
}

export interface LoopReport {
  readonly event: 'started' | 'paying' | 'stopping'
  /** All balances, where a crash hides one its bound. */
  readonly signed: string
  /** All bounds: what the agent counts as spent. */
  readonly reserved: string
}

/** Of an agent that was stopped hard while it paid. Amounts are in the token's smallest unit. */
export interface PayingSums extends ProofCounts {
  readonly seed: number
  /** What was served, at its price. */
  readonly served: number
  /** What has paid, by the receiver's books. */
  readonly claimed: number
  /** What the agent counts as signed at the end. */
  readonly signed: number
  /** What it counts as spent at the end: all that may ever be claimed. */
  readonly reserved: number
  /** Signed and not claimed. */
  readonly lost: number
  /** Requests that were paid more than once. */
  readonly paidTwice: number
}

/** What a loop that buys by x402 is told. */
export interface BuyingOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly asset: string
  readonly store: string
  readonly url: string
  /** Its budget for ever, in the smallest unit. */
  readonly total: string
  /** The first request that it makes: the one that was cut off. */
  readonly first: number
}

export interface BuyingReport {
  readonly event: 'started' | 'asking' | 'stopped'
  readonly request: number
  /** Of the budget, as the agent has it. */
  readonly counted: string
}
