// What the soak and its processes say to each other.
import type { Address } from '../../../protocol/index.ts'

export interface ReceiverOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly contract: Address
  readonly state: string
  readonly port: number
  readonly price: string
  /** A line for each body that was served. */
  readonly log: string
}

export interface ReceiverReport {
  readonly base: string
  /** What has paid, by the receiver's own books. */
  readonly claimed: string
}

export interface AgentOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly chainId: string
  readonly contract: Address
  readonly folder: string
  readonly url: string
  readonly broker: string
  readonly jobs: number
  /** Simulated seconds that are left. */
  readonly seconds: number
}

export interface Sample {
  readonly rss: number
  /** After a garbage collection. */
  readonly heap: number
}

export type AgentReport =
  /** A simulated second is over: all its runs have ended. */
  | { readonly kind: 'second'; readonly memory: Sample }
  | { readonly kind: 'end'; readonly figures: Figures }

/** Of one life of the agent. */
export interface Figures {
  readonly done: number
  readonly failed: number
  readonly reclaimed: number
  readonly spent: number
  readonly dropped: number
  /** How often runs failed with which code. */
  readonly problems: Readonly<Record<string, number>>
  /** Sent to the disk; undefined where /proc does not say. */
  readonly bytesWritten: number | undefined
  /** Of all threads, in milliseconds. */
  readonly cpu: number
  readonly memory: readonly Sample[]
}
