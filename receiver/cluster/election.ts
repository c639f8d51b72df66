// Stands for the lease, and leads while it has it. What a leader decides by itself ends with its own clock, which
// goes on while the process is stopped; what it writes is fenced in the database, see `asLeader`.
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import { asLeader, giveUpLease, leaseInterval, leaseTime, renewLease, takeLease } from './lease.ts'
import { repeat } from './rounds.ts'

/** From an election to the loss of the lease. */
export interface Term {
  readonly epoch: bigint
  /** Aborted when it is over. */
  readonly over: AbortSignal
  /** See `asLeader`. @throws UraidenError `not_the_leader` */
  readonly write: <Value>(work: (sql: Sql) => Promise<Value>) => Promise<Value>
}

export interface ElectionOptions {
  readonly database: Database
  /** The process's own number. */
  readonly holder: () => bigint
  /** It leads until `term.over`. Must not throw. */
  readonly onElected: (term: Term) => void
  readonly onError: (error: unknown) => void
  readonly now?: MonotonicClock
}

export interface Election {
  readonly term: () => Term | undefined
  /** Leads no more; another one may begin at once. */
  readonly stop: () => Promise<void>
}

interface Leading extends Term {
  readonly end: () => void
  /** The lease holds at least until then, by our own clock. */
  readonly extend: (until: number) => void
}

export function standForElection(options: ElectionOptions): Election {
  const { database, holder, onElected, onError, now = monotonic } = options
  let leading: Leading | undefined
  const renew = async ({ epoch, extend, end }: Leading) => {
    const asked = now()
    if (await renewLease(database, epoch)) extend(asked + leaseTime)
    else end()
  }
  const stand = async () => {
    const asked = now()
    const epoch = await takeLease(database, holder())
    if (epoch === undefined) return
    leading = lead(database, epoch, { now, onOver: () => (leading = undefined) })
    leading.extend(asked + leaseTime)
    if (leading !== undefined) onElected(leading)
  }
  const rounds = repeat(() => (leading === undefined ? stand() : renew(leading)), {
    interval: leaseInterval,
    onError,
  })
  return {
    term: () => leading,
    stop: async () => {
      await rounds.stop()
      const { epoch } = leading ?? {}
      leading?.end()
      if (epoch !== undefined) await giveUpLease(database, epoch).catch(onError)
    },
  }
}

function lead(
  database: Database,
  epoch: bigint,
  { now, onOver }: { readonly now: MonotonicClock; readonly onOver: () => void },
): Leading {
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    clearTimeout(timer)
    onOver()
    over.abort()
  }
  return {
    epoch,
    over: over.signal,
    write: (work) => asLeader(database, epoch, work),
    end,
    extend: (until) => {
      clearTimeout(timer)
      if (over.signal.aborted) return
      const left = until - now()
      // The answer came too late to be worth anything.
      if (left <= 0) end()
      else timer = setTimeout(end, left)
    },
  }
}
