// A server that begins is waited for, and so is one that goes away in the middle of a start: it is there again soon.
import { setTimeout } from 'node:timers/promises'
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { sqlStateOf } from './connection.ts'

export interface Patience {
  /**
   * Does `work`, and does it again while the server is away; each failure may have come after it was done. One that
   * has never answered is not waited for: it may be the wrong one.
   */
  readonly through: <Value>(work: () => Promise<Value>) => Promise<Value>
  /** The server has answered. */
  readonly reached: () => void
  /** From here on everything is done once. */
  readonly end: () => void
}

export interface PatienceOptions {
  /** Milliseconds from the first failure of a piece of work until it counts; a minute by default. */
  readonly longest?: number
  /** Milliseconds between two tries; 500 by default. */
  readonly pause?: number
  /** Of the first failure of a piece of work. */
  readonly onWait?: (error: unknown) => void
  readonly now?: MonotonicClock
}

/** As a server says it that begins, or repairs itself after a crash. */
const begins = '57P03'

export function createPatience(options: PatienceOptions = {}): Patience {
  const { longest = 60_000, pause = 500, onWait = () => undefined, now = monotonic } = options
  let isReached = false
  let isOver = false
  const reached = () => {
    isReached = true
  }
  return {
    reached,
    end: () => {
      isOver = true
    },
    through: async (work) => {
      let since: number | undefined
      for (;;) {
        try {
          const value = await work()
          reached()
          return value
        } catch (error) {
          if (sqlStateOf(error) === begins) reached()
          if (isOver || !isReached || !isAway(error)) throw error
          if (since === undefined) {
            since = now()
            onWait(error)
          }
          if (now() - since >= longest) throw error
          await setTimeout(pause)
        }
      }
    },
  }
}

function isAway(error: unknown): boolean {
  return ['postgres_unavailable', 'postgres_commit_unknown'].some((code) =>
    isUraidenError(error, code),
  )
}
