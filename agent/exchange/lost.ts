// Remembers payments whose answers were lost, so that the same request can be repeated with the same
// proof and key. In memory: a restart forgets the keys, and the ledger finds the balance again.
import type { Attempt, LostPayments } from './types.ts'

/** Keeps the `most` newest. */
export function createLostPayments(most = 100): LostPayments {
  const known = new Map<string, Attempt>()
  return {
    put: (key, attempt) => {
      known.set(key, attempt)
      const [oldest] = known.keys()
      if (known.size > most && oldest !== undefined) known.delete(oldest)
    },
    take: (key) => {
      const attempt = known.get(key)
      known.delete(key)
      return attempt
    },
  }
}
