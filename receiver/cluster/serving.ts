// One of several processes on a shared state: its seat among them, its payments, and what it does when a standby of the
// database is promoted.
import type { Fence } from '../channels/store.ts'
import type { Database } from '../postgres/connection.ts'
import { rememberAcknowledged } from './acknowledged.ts'
import { type ClaimQueue, type ClaimQueueOptions, createClaimQueue } from './claim-queue.ts'
import { type Cluster, type ClusterOptions, joinCluster } from './cluster.ts'
import type { Seat } from './membership.ts'
import { type PutBack, putBack } from './promotion.ts'
import { type SharedLedgers, type SharedLedgersOptions, sharedLedgers } from './shared-ledgers.ts'

export interface ServingOptions
  extends Omit<ClusterOptions, 'onPromoted'>,
    Pick<ClaimQueueOptions, 'onCommit' | 'onWait'>,
    Pick<SharedLedgersOptions, 'share'> {
  readonly database: Database
  /** See `ClaimCall`. */
  readonly longestOutage?: number | undefined
  /** See `LoadedState`. */
  readonly fence?: () => Fence | undefined
  /** What a promoted standby lacked of this process is back. */
  readonly onPutBack?: (put: PutBack) => void
}

export interface Serving {
  readonly cluster: Cluster
  readonly queue: ClaimQueue
  readonly ledgers: SharedLedgers
}

/** @throws UraidenError those of `joinCluster` */
export async function serveShared(options: ServingOptions): Promise<Serving> {
  const { database, name, longestOutage, fence, share, onPutBack, onCommit, onWait } = options
  const acknowledged = rememberAcknowledged()
  const parts: { serving?: Serving } = {}
  const onPromoted = async (seat: Seat): Promise<Seat> => {
    const { queue, ledgers } = parts.serving ?? {}
    let next = seat
    const restore = async () => {
      const put = await putBack(database, { seat, name, acknowledged })
      ledgers?.startOver()
      next = put.seat
      onPutBack?.(put)
    }
    // Before there is a queue, nothing was acknowledged.
    await (queue ? queue.startOver(restore) : restore())
    return next
  }
  const cluster = await joinCluster({ ...options, onPromoted })
  const { membership: seat } = cluster
  const queue = createClaimQueue({
    ...{ database, seat, onEpoch: cluster.renumbered, longestOutage, onCommit, onWait },
  })
  const ledgers = sharedLedgers({
    ...{ database, queue, seat, acknowledged },
    ...(fence && { fence }),
    ...(share && { share }),
  })
  parts.serving = { cluster, queue, ledgers }
  return parts.serving
}
