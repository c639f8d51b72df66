// A standby of the database was promoted: it may lack the newest commits, so that the same units could be sold again.
// The server's timeline says so, without anybody's word. From then on no payment is taken (`serving_epoch`, in each
// call) until the processes that were alive have put back what they acknowledged, or one of them has not come in time.
import type { UraidenError } from '../../protocol/index.ts'
import { mergeLedger, type OfferedLedger } from '../channels/merge.ts'
import type { ChannelName, PaymentLedger } from '../channels/records.ts'
import { receiverError } from '../errors/index.ts'
import { type Database, type Sql, sqlStateOf } from '../postgres/connection.ts'
import { type Acknowledged, remembered } from './acknowledged.ts'
import { nameColumns } from './channel-rows.ts'
import { join, longestSilence, type Seat } from './membership.ts'
import { checksumOf, readLedgersOf, writeLedgers } from './stored-ledgers.ts'

/** SQLSTATE of `serving_epoch`. */
export const promoted = 'UR002'

/** Milliseconds from the first who notices until nobody is waited for any more. */
const longestWait = 30_000

export function restoring(cause?: unknown): UraidenError {
  return receiverError({
    code: 'state_restoring',
    message: 'A standby of the database was promoted. Payments are put back first.',
    cause,
  })
}

/** What `work` writes counts on the timeline of `seat`, or not at all. Nothing is promised on it before this resolves. */
export async function whileServing<Value>(
  database: Database,
  seat: Pick<Seat, 'timeline'>,
  work: (sql: Sql) => Promise<Value>,
): Promise<Value> {
  const begin = `SET LOCAL synchronous_commit = on; SELECT serving_epoch(0, ${seat.timeline})`
  try {
    return await database.transaction(work, begin)
  } catch (error) {
    throw sqlStateOf(error) === promoted ? restoring(error) : error
  }
}

export interface PutBack {
  /** Under which this process serves from now on. */
  readonly seat: Seat
  /** Channels of which something was missing. */
  readonly channels: number
  /** The others have not waited: what was missing may have been sold meanwhile. */
  readonly isLate: boolean
}

export interface PutBackOptions {
  readonly seat: Seat
  readonly name: string | undefined
  readonly acknowledged: Acknowledged
}

/** Nothing may be on its way. What is acknowledged meanwhile all the same, such as an agreement, is put back too. */
export async function putBack(database: Database, options: PutBackOptions): Promise<PutBack> {
  const { acknowledged } = options
  await notice(database)
  for (;;) {
    const version = acknowledged.version()
    const done = await putBackOnce(database, options)
    if (acknowledged.version() === version) return done
  }
}

/**
 * The first one stops the election, too: a leader of before may have been elected by commits that are gone, and its
 * number be given once more. Nobody has been elected so many times unheard.
 */
async function notice({ query }: Sql): Promise<void> {
  await query(
    `WITH met AS (
       UPDATE meta SET noticed = current_timeline(), noticed_at = clock_timestamp(),
         last_heard = (SELECT max(seen_at) FROM process p WHERE p.timeline <> current_timeline())
       WHERE timeline <> current_timeline() AND noticed IS DISTINCT FROM current_timeline() RETURNING 1)
     UPDATE leader SET epoch = epoch + 1000000, until = '-infinity' WHERE EXISTS (SELECT FROM met)`,
  )
}

/** One after the other: two processes may know of the same channel. */
const inTurn = 'SET LOCAL synchronous_commit = on; SELECT FROM meta FOR UPDATE'

function putBackOnce(
  database: Database,
  { seat, name, acknowledged }: PutBackOptions,
): Promise<PutBack> {
  return database.transaction(async (sql) => {
    const { channels, units } = await restore(sql, acknowledged.ledgers())
    // Its row may be gone as well.
    const next = (await settle(sql, seat)) ?? (await join(sql, name))
    await sql.query('UPDATE process SET paid = paid + $2 WHERE id = $1', [next.id, units])
    const [meta] = await sql.query<{ late: boolean }>(
      'SELECT timeline = current_timeline() AS late FROM meta',
    )
    return { seat: next, channels, isLate: meta?.late === true }
  }, inTurn)
}

async function settle({ query }: Sql, { id, token }: Seat): Promise<Seat | undefined> {
  const [row] = await query<Seat & Record<string, unknown>>(
    `UPDATE process SET epoch = epoch + 1, timeline = current_timeline(), left_at = NULL,
       seen_at = clock_timestamp() WHERE id = $1 AND token = $2 RETURNING id, epoch, token, timeline`,
    [id, token],
  )
  return row
}

/** Channels looked at in one statement. */
const atOnce = 2000

async function restore(sql: Sql, ours: ReadonlyMap<ChannelName, OfferedLedger>) {
  const names = [...ours.keys()]
  let [channels, units] = [0, 0n]
  for (let from = 0; from < names.length; from += atOnce) {
    const some = names.slice(from, from + atOnce)
    await lock(sql, some)
    const there = await readLedgersOf(sql, some)
    const missing = new Map<ChannelName, PaymentLedger>()
    for (const name of some) {
      const [before, offered] = [there.get(name), ours.get(name)]
      const merged = offered && withOurs(before, offered)
      if (merged === undefined || (before && isSame(name, before, merged))) continue
      missing.set(name, merged)
      units += paidBy(merged) - (before ? paidBy(before) : 0n)
    }
    await writeLedgers(sql, missing)
    channels += missing.size
  }
  return { channels, units }
}

/** Whoever comes late finds others at work. In the order of claims. */
async function lock({ query }: Sql, names: readonly ChannelName[]): Promise<void> {
  await query(
    `SELECT FROM ledger l JOIN channel c USING (id)
       JOIN unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block) USING (sender, open_block)
     ORDER BY l.id FOR NO KEY UPDATE OF l`,
    nameColumns(names),
  )
}

/** By the rule of backups: the higher balance stays, and a unit that has paid in one of them has paid. */
function withOurs(before: PaymentLedger | undefined, offered: OfferedLedger): PaymentLedger {
  const isBetter = before === undefined || offered.claims.highest > before.claims.highest
  return mergeLedger(before, isBetter ? offered : { ...offered, proof: undefined })
}

function isSame(name: ChannelName, a: PaymentLedger, b: PaymentLedger): boolean {
  return checksumOf(new Map([[name, a]])) === checksumOf(new Map([[name, b]]))
}

function paidBy({ claims }: PaymentLedger): bigint {
  return claims.unclaimed.reduce((sum, { from, to }) => sum - (to - from), claims.highest)
}

/**
 * Lets payments begin, when everybody who was alive is back, or has not come in time; a moment later than that, for
 * those whose rows are gone. Gives how many have not come; undefined when it is not time yet.
 */
export async function beginServing({ query }: Sql): Promise<number | undefined> {
  // One that has begun since has nothing to put back.
  await notice({ query })
  const [row] = await query<{ missing: number }>(
    `WITH missing AS (
       SELECT count(*)::int AS count FROM process p, meta m
       WHERE p.left_at IS NULL AND p.timeline <> m.noticed
         AND p.seen_at > m.last_heard - $1::int * interval '1 ms')
     UPDATE meta SET timeline = noticed FROM missing
     WHERE noticed = current_timeline() AND timeline <> noticed
       AND noticed_at < clock_timestamp()
         - CASE WHEN missing.count = 0 THEN $2::int ELSE $3::int END * interval '1 ms'
     RETURNING missing.count AS missing`,
    [remembered, longestSilence, longestWait],
  )
  return row?.missing
}
