// What the paying loop and the program that kills it say to each other. Amounts are decimal strings.

export interface LoopOrders {
  readonly key: string
  readonly rpcUrl: string
  readonly chainId: string
  readonly contract: string
  readonly store: string
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
