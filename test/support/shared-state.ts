// A shared state with channels in it, as its leader would write them, and processes on it.
import type { ExecutionContext } from 'ava'
import type { TokenAmount } from '../../protocol/index.ts'
import type { ChannelId } from '../../receiver/channels/book.ts'
import { rememberAcknowledged } from '../../receiver/cluster/acknowledged.ts'
import { type ClaimQueueOptions, createClaimQueue } from '../../receiver/cluster/claim-queue.ts'
import type { Seat } from '../../receiver/cluster/membership.ts'
import { type SharedLedgersOptions, sharedLedgers } from '../../receiver/cluster/shared-ledgers.ts'
import { sharedReplies } from '../../receiver/cluster/shared-requests.ts'
import {
  type Connection,
  connectDatabase,
  type Database,
} from '../../receiver/postgres/connection.ts'
import { openDatabase } from '../../receiver/postgres/schema.ts'
import type { PostgresSettings } from '../../receiver/postgres/settings.ts'
import type { PostgresServer } from '../lab/postgres/server.ts'
import { openChannels } from '../lab/processes/shared-paywall.ts'
import { owner, sender } from './ledgers.ts'
import { emptyDatabase } from './postgres.ts'

export interface GivenState {
  readonly settings: PostgresSettings
  readonly database: Database
  readonly open: (deposit: TokenAmount) => Promise<ChannelId>
}

export async function givenState(t: ExecutionContext, server: PostgresServer): Promise<GivenState> {
  const settings = await emptyDatabase(server)
  const database = await openDatabase(settings, owner)
  t.teardown(database.close)
  await database.query('UPDATE position SET seen_at = clock_timestamp()')
  let last = 0
  return {
    ...{ settings, database },
    open: async (deposit) => {
      const channel = { sender, openBlock: ++last }
      await openChannels(database, [channel], deposit)
      return channel
    },
  }
}

/** One of the processes that serve on a state. */
export async function joinState(
  settings: PostgresSettings,
  {
    share,
    ...more
  }: Partial<Pick<ClaimQueueOptions, 'longestOutage' | 'pause' | 'onCommit' | 'onWait'>> &
    Pick<SharedLedgersOptions, 'share'> = {},
) {
  const connected = await connectDatabase(settings)
  const sessions: Connection[] = []
  let looks = 0
  const database: Database = {
    ...connected,
    query: (text, values) => {
      if (text.includes('FROM request r LEFT JOIN')) looks++
      return connected.query(text, values)
    },
    connect: async () => {
      const session = await connected.connect()
      sessions.push(session)
      return session
    },
  }
  const [row] = await database.query<Seat & Record<string, unknown>>(
    // Nobody is dead here before a test says so.
    `INSERT INTO process (name, seen_at) VALUES ('test', 'infinity')
     RETURNING id, epoch, token, timeline`,
  )
  if (row === undefined) throw new Error('a row was written and is not there')
  let seat = row
  const queue = createClaimQueue({
    ...{ database, seat: () => seat, pause: 20, ...more },
    onEpoch: (epoch) => (seat = { ...seat, epoch }),
  })
  return {
    ...{ database, queue, seat: () => seat },
    replies: sharedReplies(database, () => seat),
    /** How often it has looked what became of a request elsewhere. */
    looks: () => looks,
    /** Our side of its session for claims is gone; the server finds out when it answers. */
    cut: async () => sessions.at(-1)?.close(),
    ledgers: sharedLedgers({
      ...{ database, queue, seat: () => seat, interval: 10 },
      ...(share && { share }),
      acknowledged: rememberAcknowledged(),
    }),
    leave: async () => {
      await queue.close()
      await database.close()
    },
  }
}
