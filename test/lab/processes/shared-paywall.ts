// Paywalls on one shared state, each in a process of its own.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { fromHex, type TokenAmount } from '../../../protocol/index.ts'
import type { ChannelId } from '../../../receiver/channels/book.ts'
import type { Sql } from '../../../receiver/postgres/connection.ts'
import { endWithParent } from './end-with-parent.ts'
import type { SharedProcessOptions, SharedStarted } from './shared-paywall-process.ts'

export interface SharedPaywall {
  readonly base: string
  readonly child: ChildProcess
  /** Ends it at once. */
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
}

const program = fileURLToPath(new URL('./shared-paywall-process.ts', import.meta.url))

export async function startSharedPaywall(options: SharedProcessOptions): Promise<SharedPaywall> {
  const child = fork(program, { serialization: 'advanced' })
  endWithParent(child)
  const gone = once(child, 'exit')
  child.send(options)
  const [{ base }] = (await Promise.race([
    once(child, 'message'),
    gone.then(() => Promise.reject(new Error('the paywall did not start'))),
  ])) as [SharedStarted]
  return {
    ...{ base, child },
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
    stop: async () => {
      if (child.connected) child.send('stop')
      await gone
    },
  }
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
