// Paywalls on one shared state, each in a process of its own.
import { fileURLToPath } from 'node:url'
import { fromHex, type TokenAmount } from '../../../protocol/index.ts'
import type { ChannelId } from '../../../receiver/channels/book.ts'
import type { Sql } from '../../../receiver/postgres/connection.ts'
import { type Forked, startForked } from './forked.ts'
import type { SharedProcessOptions } from './shared-paywall-process.ts'

const program = fileURLToPath(new URL('./shared-paywall-process.ts', import.meta.url))

export function startSharedPaywall(options: SharedProcessOptions): Promise<Forked> {
  return startForked(program, options, 'the paywall')
}

/** As the leader writes channels that the chain shows. */
export async function openChannels(
  { query }: Sql,
  channels: readonly ChannelId[],
  deposit: TokenAmount,
): Promise<void> {
  await query(
    `WITH opened AS (
       INSERT INTO channel (sender, open_block, state, deposit)
       SELECT sender, open_block, 'open', $3 FROM unnest($1::bytea[], $2::bigint[]) AS w (sender, open_block)
       RETURNING id, deposit)
     INSERT INTO ledger (id, open, ceiling) SELECT id, true, deposit FROM opened`,
    [
      channels.map(({ sender }) => Buffer.from(fromHex(sender))),
      channels.map(({ openBlock }) => openBlock),
      deposit,
    ],
  )
}

/** What all channels have paid, by their rows. */
export async function claimedInAll({ query }: Sql): Promise<TokenAmount> {
  const [row] = await query<{ claimed: TokenAmount }>(
    `SELECT coalesce(sum(highest - (SELECT coalesce(sum(upper(g) - lower(g)), 0) FROM unnest(gaps) AS g)), 0)
       AS claimed FROM ledger`,
  )
  return row?.claimed ?? 0n
}

/** What the processes have counted. */
export async function countedInAll({ query }: Sql): Promise<TokenAmount> {
  const [row] = await query<{ counted: TokenAmount }>(
    'SELECT coalesce(sum(paid - credited), 0) AS counted FROM process',
  )
  return row?.counted ?? 0n
}
