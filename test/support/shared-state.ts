// A shared state with channels in it, as its leader would write them, and processes on it.
import type { ExecutionContext } from 'ava'
import { fromHex, type TokenAmount } from '../../protocol/index.ts'
import type { ChannelId } from '../../receiver/channels/book.ts'
import { type ClaimQueueOptions, createClaimQueue } from '../../receiver/cluster/claim-queue.ts'
import { sharedLedgers } from '../../receiver/cluster/shared-ledgers.ts'
import { connectDatabase, type Database } from '../../receiver/postgres/connection.ts'
import { openDatabase } from '../../receiver/postgres/schema.ts'
import type { PostgresSettings } from '../../receiver/postgres/settings.ts'
import type { PostgresServer } from '../lab/postgres/server.ts'
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
      await openChannel(database, channel, deposit)
      return channel
    },
  }
}

export async function openChannel(
  { query }: Pick<Database, 'query'>,
  { sender, openBlock }: ChannelId,
  deposit: TokenAmount,
): Promise<void> {
  await query(
    `WITH opened AS (
       INSERT INTO channel (sender, open_block, state, deposit) VALUES ($1, $2, 'open', $3)
       RETURNING id, deposit)
     INSERT INTO ledger (id, open, ceiling) SELECT id, true, deposit FROM opened`,
    [Buffer.from(fromHex(sender)), openBlock, deposit],
  )
}

/** One of the processes that serve on a state. */
export async function joinState(
  settings: PostgresSettings,
  more: Partial<Pick<ClaimQueueOptions, 'longestOutage' | 'pause'>> = {},
) {
  const database = await connectDatabase(settings)
  const [row] = await database.query<{ id: bigint; epoch: bigint }>(
    `INSERT INTO process (name) VALUES ('test') RETURNING id, epoch`,
  )
  if (row === undefined) throw new Error('a row was written and is not there')
  let seat = row
  const queue = createClaimQueue({
    ...{ database, seat: () => seat, pause: 20, ...more },
    onEpoch: (epoch) => (seat = { ...seat, epoch }),
  })
  return {
    ...{ database, queue, seat: () => seat },
    ledgers: sharedLedgers({ database, queue, seat: () => seat, interval: 10 }),
    leave: async () => {
      await queue.close()
      await database.close()
    },
  }
}
