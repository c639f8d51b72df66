// This process as one of those that share a state: it says that it lives, hears what the leader has found, stands for
// the lease, and knows when nobody can rely on its word because it has not reached the database for too long.
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { Database } from '../postgres/connection.ts'
import { standForElection, type Term } from './election.ts'
import {
  type Beat,
  beat,
  beatInterval,
  join,
  leave,
  longestSilence,
  type Membership,
  rejoin,
} from './membership.ts'
import { repeat } from './rounds.ts'

export interface ClusterOptions {
  readonly database: Database
  /** For people; the machine's by default. */
  readonly name?: string
  /** This process leads until `term.over`. Must not throw. */
  readonly onElected: (term: Term) => void
  /** What the chain says has changed; done before the next heartbeat. */
  readonly onChanged?: (beat: Beat) => Promise<void>
  readonly onError: (error: unknown) => void
  readonly now?: MonotonicClock
}

export interface Cluster {
  /** Another epoch each time that others took this process for dead. */
  readonly membership: () => Membership
  /** The process has raised its own epoch, to learn what became of a call. */
  readonly renumbered: (epoch: bigint) => void
  readonly term: () => Term | undefined
  /** False when the database was not reached for so long that others take over what this process is at. */
  readonly isHeard: () => boolean
  /** The last one. */
  readonly beat: () => Beat
  /** Others see it at once. */
  readonly leave: () => Promise<void>
}

/** @throws UraidenError `state_moved`, and those of the database */
export async function joinCluster(options: ClusterOptions): Promise<Cluster> {
  const { database, name, onElected, onChanged, onError, now = monotonic } = options
  let membership = await join(database, name)
  let heard = now()
  let last = await beat(database, membership)
  const listen = async () => {
    const asked = now()
    const before = last.factsVersion
    last = await beat(database, membership).catch(async (error) => {
      if (!isUraidenError(error, 'process_fenced')) throw error
      onError(error)
      membership = await rejoin(database, membership)
      return beat(database, membership)
    })
    if (last.factsVersion !== before) await onChanged?.(last)
    heard = asked
  }
  const beats = repeat(listen, { interval: beatInterval, onError })
  const election = standForElection({
    ...{ database, onElected, onError, now },
    holder: () => membership.id,
  })
  return {
    membership: () => membership,
    renumbered: (epoch) => {
      if (epoch > membership.epoch) membership = { ...membership, epoch }
    },
    term: election.term,
    isHeard: () => now() - heard < longestSilence,
    beat: () => last,
    leave: async () => {
      await election.stop()
      await beats.stop()
      await leave(database, membership).catch(onError)
    },
  }
}
