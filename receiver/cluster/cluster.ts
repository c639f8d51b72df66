// This process as one of those that share a state: it says that it lives, hears what the leader has found, stands for
// the lease, and knows when nobody can rely on its word because it has not reached the database for too long.
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { Database } from '../postgres/connection.ts'
import { rememberAcknowledged } from './acknowledged.ts'
import { standForElection, type Term } from './election.ts'
import {
  type Beat,
  beat,
  beatInterval,
  join,
  leave,
  longestSilence,
  rejoin,
  type Seat,
} from './membership.ts'
import { beginServing, putBack } from './promotion.ts'
import { repeat } from './rounds.ts'

export interface ClusterOptions {
  readonly database: Database
  /** For people; the machine's by default. */
  readonly name?: string
  /** This process leads until `term.over`. Must not throw. */
  readonly onElected: (term: Term) => void
  /** What the chain says has changed; done before the next heartbeat. */
  readonly onChanged?: (beat: Beat) => Promise<void>
  /** Of each one, with the moment before it was asked for. */
  readonly onBeat?: (beat: Beat, asked: number) => void
  /**
   * The database is a standby that was promoted: puts back what it lacks of what this process has acknowledged, and
   * gives the seat to go on with. By default it has acknowledged nothing.
   */
  readonly onPromoted?: (seat: Seat) => Promise<Seat>
  /** Payments are taken again, though so many processes that were alive have put nothing back. */
  readonly onMissing?: (processes: number) => void
  readonly onError: (error: unknown) => void
  readonly now?: MonotonicClock
}

export interface Cluster {
  /** Another epoch each time that others took this process for dead. */
  readonly membership: () => Seat
  /** The process has raised its own epoch, to learn what became of a call. */
  readonly renumbered: (epoch: bigint) => void
  readonly term: () => Term | undefined
  /**
   * False when the database was not reached for so long that others take over what this process is at, or lacks what
   * was acknowledged.
   */
  readonly isHeard: () => boolean
  /** The last one. */
  readonly beat: () => Beat
  /** Others see it at once. */
  readonly leave: () => Promise<void>
}

/** @throws UraidenError `state_moved`, and those of the database */
export async function joinCluster(options: ClusterOptions): Promise<Cluster> {
  const {
    database,
    name,
    onElected,
    onChanged,
    onBeat,
    onMissing,
    onError,
    now = monotonic,
  } = options
  const { onPromoted = (seat) => putNothingBack(database, { seat, name }) } = options
  let membership = await join(database, name)
  let heard = now()
  let last = await beat(database, membership)
  onBeat?.(last, heard)
  const listen = async () => {
    const asked = now()
    const before = last.factsVersion
    const { epoch } = membership
    last = await beat(database, membership).catch(async (error) => {
      if (!isUraidenError(error, 'process_fenced')) throw error
      // It may have raised its epoch itself meanwhile.
      if (membership.epoch === epoch) {
        onError(error)
        membership = (await rejoin(database, membership)) ?? (await onPromoted(membership))
      }
      return beat(database, membership)
    })
    if (last.timeline !== membership.timeline) membership = await onPromoted(membership)
    if (!last.isServing) {
      heard = Number.NEGATIVE_INFINITY
      const missing = await beginServing(database)
      if (missing !== undefined && missing > 0) onMissing?.(missing)
      return
    }
    onBeat?.(last, asked)
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

async function putNothingBack(
  database: Database,
  given: { readonly seat: Seat; readonly name: string | undefined },
): Promise<Seat> {
  const { seat } = await putBack(database, { ...given, acknowledged: rememberAcknowledged() })
  return seat
}
