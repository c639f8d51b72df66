// Counts what is asked for by address, for @fastify/rate-limit: its own store goes by the wall clock, and whoever
// sets that, or the network's time service, would lift a limit or keep one for ever.
import { monotonic } from '../time/monotonic.ts'

interface Counted {
  readonly current: number
  /** When its window began. */
  readonly begun: number
}

type Told = (error: Error | null, result?: { current: number; ttl: number }) => void

interface Attempts {
  readonly incr: (address: string, tell: Told, window: number) => void
  readonly child: () => Attempts
}

/** A store of so many addresses; the ones not seen for longest are forgotten. */
export function attemptStore(most: number, now = monotonic): new () => Attempts {
  return class AttemptStore implements Attempts {
    readonly #counted = new Map<string, Counted>()

    incr(address: string, tell: Told, window: number): void {
      const time = now()
      const before = this.#counted.get(address)
      const isOver = before === undefined || time - before.begun >= window
      const { current, begun } = isOver ? { current: 0, begun: time } : before
      this.#counted.delete(address)
      this.#counted.set(address, { current: current + 1, begun })
      const [oldest] = this.#counted.keys()
      if (this.#counted.size > most && oldest !== undefined) this.#counted.delete(oldest)
      tell(null, { current: current + 1, ttl: window - (time - begun) })
    }

    child(): AttemptStore {
      return new AttemptStore()
    }
  }
}
