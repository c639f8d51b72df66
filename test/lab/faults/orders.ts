// What the fault lab and its programs say to each other. Amounts are decimal strings.
import type { Address } from '../../../protocol/index.ts'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'

/** To every program, from `preload.ts`. In milliseconds. */
export type Injection = { readonly clock: number } | { readonly slowDisk: number }

interface Orders {
  readonly key: string
  readonly rpcUrl: string
  readonly chainId: string
  readonly contract: Address
  readonly state: string
}

export interface ReceiverOrders extends Orders {
  readonly port: number
  readonly price: string
  /** Gets a line for every request that was served: its name and what it paid with. */
  readonly servedFile: string
  readonly seed: number
  /** Undefined: its state is in its folder. */
  readonly database: PostgresSettings | undefined
}

export interface AgentOrders extends Orders {
  readonly receiverUrl: string
  readonly atOnce: number
  readonly reservation: number
  readonly total: string
  readonly mostDeposit: string
  readonly mostDeposits: string
  readonly funding: 'auto' | 'relay'
  readonly clockTrust: 'auto' | 'trusted'
  /** Gets a line for every request: its name and what came of it. */
  readonly answersFile: string
}

export type ToProgram = Injection | 'stop'
export type ToReceiver = ToProgram | 'withdraw'
export type ToAgent = ToProgram | 'close' | 'finish'

/** Whether a last purchase went well, or a cap of budget or deposits was all that was in its way: by its code. */
export function isGoodEnd(outcome: string): boolean {
  return /^200$|^budget_|^deposit_over_cap\b/.test(outcome)
}

/** `finished` tells whether a last purchase went well, or the code and the message that it failed with. */
export type FromProgram = { readonly ready: true } | { readonly finished: string }
