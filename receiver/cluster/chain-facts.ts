// What the leader finds on the chain, for all: written in transactions of its term, each of which knows the position
// that it goes on from. Others ask for what has changed since they looked last; nobody has to be told.
import { inPieces } from '../../platform/async/pieces.ts'
import type { ChainBlock, ContractBlock, Hex, TokenAmount } from '../../protocol/index.ts'
import type { HeardChannel } from '../channels/book.ts'
import {
  decodeForgotten,
  encodeForgotten,
  type Forgotten,
  nothingForgotten,
} from '../channels/forgetting.ts'
import type { History, PastBlock, SyncPosition } from '../channels/history.ts'
import { type ChainFacts, type ChannelName, decodeFacts, encodeFacts } from '../channels/records.ts'
import type { ChainStep } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import {
  type FactsRow,
  factsColumns,
  factsOfRow,
  factsTypes,
  factsValues,
  nameColumns,
  nameOfRow,
} from './channel-rows.ts'
import { longestSilence } from './membership.ts'

/**
 * One step along the chain. `sql` is of a leader's transaction. What a channel may owe is written by `writeLimits` after
 * it, with the deposits that may stand again; until then nothing that it could owe grows. `from`: where the chain was
 * read to before; undefined: never.
 * @throws UraidenError `not_the_leader` when the chain was read from elsewhere meanwhile
 */
export async function writeStep(
  sql: Sql,
  step: ChainStep,
  from: SyncPosition | undefined,
): Promise<void> {
  const version = await moveOn(sql, step.position, from)
  await writeFacts(sql, step.facts, version)
  await writePast(sql, step)
  if (step.forgetting !== undefined) {
    const { names, after } = step.forgetting
    await forgetChannels(sql, names, version)
    await writeNote(sql, forgottenNote, encodeForgotten(after))
  }
}

const forgottenNote = 'forgotten'

/** Forgets what the chain said, for it to be read again from `position`; never what was paid. */
export async function dropFacts(
  sql: Sql,
  position: SyncPosition,
  from: SyncPosition | undefined,
): Promise<void> {
  const version = await moveOn(sql, position, from)
  await sql.query(
    'UPDATE channel SET state = NULL, close_seen = false, changed = $1 WHERE state IS NOT NULL',
    [version],
  )
  await sql.query('UPDATE ledger SET open = false WHERE open')
  await sql.query('DELETE FROM past')
}

async function moveOn(
  { query }: Sql,
  to: SyncPosition,
  from: SyncPosition | undefined,
): Promise<bigint> {
  const [moved] = await query<{ version: bigint }>(
    `UPDATE position SET block = $1, hash = $2, facts_version = facts_version + 1
     WHERE block IS NOT DISTINCT FROM $3 AND hash IS NOT DISTINCT FROM $4
     RETURNING facts_version AS version`,
    [to.block, to.hash, from?.block ?? null, from?.hash ?? null],
  )
  if (moved !== undefined) return moved.version
  throw receiverError({
    code: 'not_the_leader',
    message: 'Another receiver has read the chain on from where this one stood.',
  })
}

async function writeFacts(
  { query }: Sql,
  facts: ChainStep['facts'],
  version: bigint,
): Promise<void> {
  if (facts.size === 0) return
  await lockLedgers({ query }, [...facts.keys()])
  // A channel that opens may pay nothing on a deposit of which only a part counts.
  await query(
    `WITH given (${factsColumns}) AS (SELECT * FROM unnest(${unnested(factsTypes)})),
     changed AS (
       INSERT INTO channel (${factsColumns}, changed) SELECT *, $9::bigint FROM given
       ON CONFLICT (sender, open_block) DO UPDATE SET
         (state, deposit, withdrawn, end_balance, end_block, end_contract_block, changed) =
         (excluded.state, excluded.deposit, excluded.withdrawn, excluded.end_balance,
          excluded.end_block, excluded.end_contract_block, excluded.changed)
       RETURNING id, deposit, coalesce(state, '') = 'open' AND NOT close_seen AS open)
     INSERT INTO ledger (id, open, ceiling)
     SELECT id, changed.open, least(coalesce(ledger.ceiling, 0), deposit)
     FROM changed LEFT JOIN ledger USING (id)
     ON CONFLICT (id) DO UPDATE SET open = excluded.open, ceiling = excluded.ceiling`,
    [...factsValues(facts), version],
  )
}

/** In the order in which payments lock them, so that neither waits for the other for ever. */
async function lockLedgers({ query }: Sql, names: readonly ChannelName[]): Promise<void> {
  await query(
    `SELECT FROM ledger JOIN channel USING (id)
       JOIN unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block)
         USING (sender, open_block)
     ORDER BY id FOR NO KEY UPDATE OF ledger`,
    nameColumns(names),
  )
}

/** `$1::bytea[], $2::bigint[] …` */
function unnested(types: string): string {
  return types
    .split(', ')
    .map((type, at) => `$${at + 1}::${type}`)
    .join(', ')
}

async function writePast({ query }: Sql, { added, dropped }: ChainStep): Promise<void> {
  if (dropped.length > 0) await query('DELETE FROM past WHERE block = ANY($1::bigint[])', [dropped])
  if (added.length === 0) return
  await query(
    `INSERT INTO past (block, hash, before)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[])
     ON CONFLICT (block) DO UPDATE SET hash = excluded.hash, before = excluded.before`,
    [
      added.map(({ block }) => block),
      added.map(({ hash }) => hash),
      added.map(({ before }) =>
        JSON.stringify([...before].map(([name, each]) => [name, each && encodeFacts(each)])),
      ),
    ],
  )
}

async function forgetChannels(
  { query }: Sql,
  names: readonly ChannelName[],
  version: bigint,
): Promise<void> {
  await query(
    `WITH gone AS (
       DELETE FROM channel USING unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block)
       WHERE channel.sender = given.sender AND channel.open_block = given.open_block
       RETURNING channel.sender, channel.open_block)
     INSERT INTO forgotten_channel (sender, open_block, version) SELECT *, $3::bigint FROM gone`,
    [...nameColumns(names), version],
  )
  // Whoever was away for longer reads all again.
  await query(
    `DELETE FROM forgotten_channel WHERE at < clock_timestamp() - $1::int * interval '1 ms'`,
    [longestAway],
  )
}

/** Milliseconds after which who did not look must read all again. */
const longestAway = 3_600_000

/** A small record of the receiver, in place of the one before. */
export async function writeNote({ query }: Sql, name: string, value: string): Promise<void> {
  await query(
    'INSERT INTO note VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    [name, value],
  )
}

/** What follows for one channel from blocks that are not confirmed, and from how deep its deposit is. */
export interface ChannelLimit {
  /** The highest balance that a payment may have, in the token's smallest unit. */
  readonly ceiling: TokenAmount
  /** A close request is in a block that is not confirmed. */
  readonly closeSeen: boolean
  /** Deposits of before that may stand again. */
  readonly earlier: readonly TokenAmount[]
}

/** As they are written, of those that are open and may not pay just their deposit. */
export async function readLimits({ query }: Sql): Promise<ReadonlyMap<ChannelName, ChannelLimit>> {
  const rows = await query<
    Pick<FactsRow, 'sender' | 'open_block'> & {
      readonly ceiling: bigint
      readonly close_seen: boolean
      readonly earlier: readonly string[] | null
    }
  >(
    `SELECT sender, open_block, ceiling, close_seen, earlier::text[] AS earlier
     FROM channel JOIN ledger USING (id)
     WHERE channel.state = 'open' AND (ceiling <> deposit OR close_seen OR earlier IS NOT NULL)`,
  )
  return new Map(
    rows.map((row) => {
      const { ceiling, close_seen: closeSeen, earlier } = row
      return [nameOfRow(row), { ceiling, closeSeen, earlier: (earlier ?? []).map(BigInt) }]
    }),
  )
}

/** Of the channels for which it has changed. `sql` is of a leader's transaction. */
export async function writeLimits(
  { query }: Sql,
  limits: ReadonlyMap<ChannelName, ChannelLimit>,
): Promise<void> {
  if (limits.size === 0) return
  const all = [...limits.values()]
  await lockLedgers({ query }, [...limits.keys()])
  await query(
    `WITH given AS (
       SELECT sender, open_block, ceiling, close_seen, nullif(earlier, '')::numeric[] AS earlier
       FROM unnest($1::bytea[], $2::bigint[], $3::numeric[], $4::boolean[], $5::text[])
         AS given (sender, open_block, ceiling, close_seen, earlier)),
     changed AS (
       UPDATE channel SET close_seen = given.close_seen,
         changed = (SELECT facts_version + 1 FROM position)
       FROM given
       WHERE channel.sender = given.sender AND channel.open_block = given.open_block
       RETURNING channel.id, coalesce(channel.state, '') = 'open' AND NOT given.close_seen AS open,
         given.ceiling, given.earlier),
     told AS (
       UPDATE position SET facts_version = facts_version + 1
       WHERE EXISTS (SELECT FROM changed))
     UPDATE ledger SET open = changed.open, ceiling = changed.ceiling, earlier = changed.earlier
     FROM changed WHERE ledger.id = changed.id`,
    [
      ...nameColumns([...limits.keys()]),
      all.map(({ ceiling }) => `${ceiling}`),
      all.map(({ closeSeen }) => closeSeen),
      // PostgreSQL has no lists of lists of different lengths.
      all.map(({ earlier }) => (earlier.length === 0 ? '' : `{${earlier.join(',')}}`)),
    ],
  )
}

/** The newest block as the chain has it. */
export interface SeenHead {
  readonly head: ChainBlock
  readonly contractHead: ContractBlock
}

/** What all channels owed, and a moment of the database: what was written before it is in it. */
export interface KnownDue {
  readonly sum: TokenAmount
  readonly at: string
}

/**
 * A round of the leader went well: from now on others count how long ago that was, and in an outage each process that
 * lives now has its share of what was left.
 */
export async function noteRound(
  { query }: Sql,
  { head, contractHead, due }: SeenHead & { readonly due?: KnownDue | undefined },
): Promise<readonly bigint[]> {
  const [row] = await query<{ shares: readonly bigint[] }>(
    `UPDATE position SET head = $1, contract_head = $2, seen_at = clock_timestamp(), due = $3, due_at = $4::timestamptz,
       shares = ARRAY(SELECT id FROM process
         WHERE left_at IS NULL AND seen_at > clock_timestamp() - $5::int * interval '1 ms')
     RETURNING shares::text[] AS shares`,
    [head, contractHead, due?.sum ?? null, due?.at ?? null, longestSilence],
  )
  return (row?.shares ?? []).map(BigInt)
}

/** All that the chain has said, as the leader takes it on. */
export interface ReadFacts {
  readonly version: bigint
  readonly facts: ReadonlyMap<ChannelName, ChainFacts>
  readonly position: SyncPosition | undefined
  readonly history: History
  readonly forgotten: Forgotten
}

/** As it is at one moment. */
export function readFacts(database: Database): Promise<ReadFacts> {
  return database.transaction(readFactsBy, atOneMoment)
}

/** The same within a transaction. */
export async function readFactsBy({ query }: Sql): Promise<ReadFacts> {
  const place = await readPosition({ query })
  const rows = await query<FactsRow>(`SELECT ${factsColumns} FROM channel WHERE state IS NOT NULL`)
  const past = await query<PastRow>('SELECT block, hash, before FROM past ORDER BY block')
  const facts = new Map<ChannelName, ChainFacts>()
  await inPieces(rows, (row) => {
    const known = factsOfRow(row)
    if (known !== undefined) facts.set(nameOfRow(row), known)
  })
  return {
    ...place,
    facts,
    history: past.map(pastOfRow),
    forgotten: await readForgotten({ query }),
  }
}

/** For a transaction that reads. */
export const atOneMoment = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY'

async function readPosition({ query }: Sql): Promise<Pick<ReadFacts, 'version' | 'position'>> {
  const [row] = await query<{ block: bigint | null; hash: Hex | null; version: bigint }>(
    'SELECT block, hash, facts_version AS version FROM position',
  )
  if (row === undefined) throw new Error('a state without a position')
  const { block, hash, version } = row
  const position = block === null || hash === null ? undefined : { block: Number(block), hash }
  return { version, position }
}

async function readForgotten({ query }: Sql): Promise<Forgotten> {
  const [row] = await query<{ value: string }>('SELECT value FROM note WHERE name = $1', [
    forgottenNote,
  ])
  return row === undefined ? nothingForgotten : decodeForgotten(row.value)
}

interface PastRow extends Record<string, unknown> {
  readonly block: bigint
  readonly hash: Hex
  readonly before: readonly (readonly [ChannelName, string | null])[]
}

function pastOfRow({ block, hash, before }: PastRow): PastBlock {
  const facts = before.map(([name, each]) => [name, each ? decodeFacts(each) : undefined] as const)
  return { block: Number(block), hash, before: new Map(facts) }
}

/** What has changed for those who do not lead. */
export interface ChangedFacts {
  /** Ask from this one next time. */
  readonly version: bigint
  readonly position: SyncPosition | undefined
  /** Undefined: the chain says nothing of the channel any more, or it was forgotten. */
  readonly channels: ReadonlyMap<ChannelName, HeardChannel | undefined>
}

/** Since this version, as it is at one moment. Who was away for an hour reads all: `readFacts`. */
export function readChanges(database: Database, since: bigint): Promise<ChangedFacts> {
  return database.transaction((sql) => readChangesBy(sql, since), atOneMoment)
}

/** The same within a transaction. */
export async function readChangesBy({ query }: Sql, since: bigint): Promise<ChangedFacts> {
  const place = await readPosition({ query })
  const rows = await query<FactsRow & { readonly close_seen: boolean }>(
    `SELECT ${factsColumns}, close_seen FROM channel WHERE changed > $1`,
    [since],
  )
  const gone = await query<Pick<FactsRow, 'sender' | 'open_block'>>(
    'SELECT sender, open_block FROM forgotten_channel WHERE version > $1',
    [since],
  )
  const channels = new Map<ChannelName, HeardChannel | undefined>()
  for (const row of gone) channels.set(nameOfRow(row), undefined)
  for (const row of rows) {
    const facts = factsOfRow(row)
    channels.set(nameOfRow(row), facts && { facts, closeSeen: row.close_seen })
  }
  return { ...place, channels }
}
