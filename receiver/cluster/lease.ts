// Who follows the chain and sends transactions: one process, by a lease in the database and its clock. Whatever it
// writes is in a transaction that begins by finding its epoch there, and keeps the row until its end: a takeover
// waits for what has begun, and what begins after it finds no row.
import type { UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import { type Database, type Sql, sqlStateOf } from '../postgres/connection.ts'

/** Milliseconds that a lease holds without being renewed. */
export const leaseTime = 3000
/** Nobody leads on a standby that was promoted before all that it lacked is back: who was elected last is not known. */
const serving = '(SELECT timeline = current_timeline() FROM meta)'
/** Milliseconds between two tries to renew or to take it. */
export const leaseInterval = 1000

/**
 * Takes the lease when nobody has it; gives its epoch. Waits for a transaction of an earlier leader that is under
 * way, `idleLimit` at the longest when that leader does nothing any more.
 */
export async function takeLease({ query }: Sql, holder: bigint): Promise<bigint | undefined> {
  const [taken] = await query<{ epoch: bigint }>(
    `UPDATE leader SET epoch = epoch + 1, holder = $1,
       until = clock_timestamp() + $2::int * interval '1 ms'
     WHERE until < clock_timestamp() AND ${serving} RETURNING epoch`,
    [holder, leaseTime],
  )
  return taken?.epoch
}

/** False when somebody else has taken it. A lease that has run out and that nobody took is good again. */
export async function renewLease({ query }: Sql, epoch: bigint): Promise<boolean> {
  const renewed = await query(
    `UPDATE leader SET until = clock_timestamp() + $2::int * interval '1 ms'
     WHERE epoch = $1 RETURNING epoch`,
    [epoch, leaseTime],
  )
  return renewed.length > 0
}

/** The next one need not wait until it has run out. */
export async function giveUpLease({ query }: Sql, epoch: bigint): Promise<void> {
  await query(`UPDATE leader SET until = '-infinity' WHERE epoch = $1`, [epoch])
}

/** Milliseconds after which the server ends a transaction of a leader that does nothing, such as one that was stopped. */
export const idleLimit = 2000

/** SQLSTATE: two transactions wait for each other, and this one was taken back. */
const deadlock = '40P01'
const mostTries = 3

/**
 * All that `work` writes as the leader of this epoch, or nothing. It must be short, because a takeover waits for it,
 * and do nothing but that, because it is done once more where a payment's locks have come between.
 * @throws UraidenError `not_the_leader`, and what `work` throws
 */
export async function asLeader<Value>(
  database: Database,
  epoch: bigint,
  work: (sql: Sql) => Promise<Value>,
): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await once(database, epoch, work)
    } catch (error) {
      if (tries === mostTries || sqlStateOf(error) !== deadlock) throw error
    }
  }
}

function once<Value>(
  database: Database,
  epoch: bigint,
  work: (sql: Sql) => Promise<Value>,
): Promise<Value> {
  const begin = `SET LOCAL idle_in_transaction_session_timeout = ${idleLimit};
    SET LOCAL tcp_user_timeout = ${idleLimit}; SET LOCAL synchronous_commit = on`
  return database.transaction(async (sql) => {
    const [found] = await sql.query(
      `SELECT 1 FROM leader WHERE epoch = $1 AND until > clock_timestamp() AND ${serving} FOR SHARE`,
      [epoch],
    )
    if (found === undefined) throw notTheLeader()
    return work(sql)
  }, begin)
}

function notTheLeader(): UraidenError {
  return receiverError({
    code: 'not_the_leader',
    message: 'Another receiver has taken over the chain from this one.',
  })
}
