// The nonces of one account that wait for their block. They are mined in order, so one that pays too
// little holds up all that come after it: it is then worth what the most urgent of those is worth.

/** In wei; undefined: no limit. */
type FeeCap = () => bigint | undefined

export interface NonceQueue {
  readonly add: (nonce: number, cap: FeeCap) => void
  readonly remove: (nonce: number) => void
  /** The first that nobody here has taken. */
  readonly next: () => number
  /** The highest cap of this nonce and of all that wait behind it. */
  readonly capFor: (nonce: number) => bigint | undefined
}

export function createNonceQueue(): NonceQueue {
  const waiting = new Map<number, FeeCap>()
  return {
    add: (nonce, cap) => void waiting.set(nonce, cap),
    remove: (nonce) => void waiting.delete(nonce),
    next: () => Math.max(0, ...[...waiting.keys()].map((taken) => taken + 1)),
    capFor: (nonce) => {
      const caps = [...waiting].filter(([each]) => each >= nonce).map(([, cap]) => cap())
      return caps.reduce((most, cap) => {
        if (most === undefined || cap === undefined) return undefined
        return cap > most ? cap : most
      }, 0n)
    },
  }
}
