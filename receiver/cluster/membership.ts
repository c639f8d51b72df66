// This process among those that share a state: a row of its own, by which others see that it lives. Whoever finds
// the row silent for too long raises its epoch; what the process sends afterwards finds no row, see `isFenced`.
import { hostname } from 'node:os'
import type { TokenAmount, UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { Sql } from '../postgres/connection.ts'

/** The row of a process that serves, and under what its writes count. */
export interface Seat {
  readonly id: bigint
  /** Others raise it when they take the process for dead. */
  readonly epoch: bigint
  /** The process's own: after a promotion of a standby `id` may be another one's. */
  readonly token: string
  /** Of the server on which nothing is missing that this process has acknowledged. */
  readonly timeline: bigint
}

/** What a heartbeat brings back. */
export interface Beat {
  /** Grows with each change of a channel that the chain causes. */
  readonly factsVersion: bigint
  /** Milliseconds since the leader's last round that went well, by the database's clock; Infinity before the first. */
  readonly chainAge: number
  /** Of the chain, newest; undefined while nobody has read it. */
  readonly head: number | undefined
  readonly contractHead: number | undefined
  /** What all channels owed at that round; undefined before the first. */
  readonly due: DueThen | undefined
  /** Of the server; another than this process's own: a standby was promoted. */
  readonly timeline: bigint
  /** Everybody has put back what a promoted standby lacked. */
  readonly isServing: boolean
}

export interface DueThen {
  readonly sum: TokenAmount
  /** Milliseconds since then, by the database's clock. */
  readonly age: number
  /** How many shared the state then. */
  readonly processes: number
  /** Whether this one was among them. */
  readonly isCounted: boolean
}

/** Milliseconds between two heartbeats. */
export const beatInterval = 1000
/** Milliseconds of silence after which a process counts as dead. */
export const longestSilence = 3000

/** @throws UraidenError `state_moved` */
export async function join({ query }: Sql, name = hostname()): Promise<Seat> {
  const [row] = await query<Seat & Record<string, unknown>>(
    `INSERT INTO process (name) SELECT $1 FROM (SELECT FROM meta WHERE state = 'serving' FOR SHARE) AS ours
     RETURNING id, epoch, token, timeline`,
    [name],
  )
  if (row !== undefined) return row
  throw receiverError({ code: 'state_moved', message: 'The shared state was moved away.' })
}

/**
 * Says that this process lives, and hears what the leader has found.
 * @throws UraidenError `process_fenced`: others took it for dead
 */
export async function beat({ query }: Sql, { id, epoch, token }: Seat): Promise<Beat> {
  const [row] = await query<{
    facts_version: bigint
    age: number
    head: bigint | null
    contract_head: bigint | null
    due: bigint | null
    due_age: number | null
    shares: number
    counted: boolean
    timeline: bigint
    is_serving: boolean
  }>(
    // Until it has put back what it acknowledged, it was heard last before the promotion.
    `WITH seen AS (
       UPDATE process SET seen_at =
         CASE WHEN timeline = current_timeline() THEN clock_timestamp() ELSE seen_at END
       WHERE id = $1 AND epoch = $2 AND token = $3 RETURNING 1)
     SELECT facts_version, head, contract_head, due,
       extract(epoch FROM clock_timestamp() - due_at)::float8 * 1000 AS due_age,
       cardinality(shares) AS shares, $1 = ANY(shares) AS counted, current_timeline() AS timeline,
       (SELECT timeline = current_timeline() FROM meta) AS is_serving,
       CASE WHEN isfinite(seen_at)
         THEN extract(epoch FROM clock_timestamp() - seen_at)::float8 * 1000
         ELSE 'Infinity'::float8 END AS age
     FROM position WHERE EXISTS (SELECT FROM seen)`,
    [id, epoch, token],
  )
  if (row === undefined) throw fenced()
  const { facts_version: factsVersion, age: chainAge, head, contract_head: contractHead } = row
  const number = (value: bigint | null) => (value === null ? undefined : Number(value))
  const { due: sum, due_age: age, shares: processes, counted: isCounted } = row
  const due = sum === null || age === null ? undefined : { sum, age, processes, isCounted }
  const { timeline, is_serving: isServing } = row
  return {
    ...{ factsVersion, chainAge, head: number(head), contractHead: number(contractHead), due },
    ...{ timeline, isServing },
  }
}

/**
 * Under the same number, after it was taken for dead. Nothing of the epoch before may be under way any more. Undefined:
 * its row is gone, which a standby that was promoted did not have yet.
 */
export async function rejoin({ query }: Sql, seat: Seat): Promise<Seat | undefined> {
  const [row] = await query<{ epoch: bigint }>(
    `UPDATE process SET epoch = epoch + 1, left_at = NULL,
       seen_at = CASE WHEN timeline = current_timeline() THEN clock_timestamp() ELSE seen_at END
     WHERE id = $1 AND token = $2 RETURNING epoch`,
    [seat.id, seat.token],
  )
  return row && { ...seat, epoch: row.epoch }
}

/**
 * It ends by itself: others need not wait until it is silent for long. But they do where a promoted standby may lack
 * what it has acknowledged.
 */
export async function leave({ query }: Sql, { id, epoch, token }: Seat): Promise<void> {
  await query(
    `UPDATE process SET left_at = clock_timestamp(), epoch = epoch + 1
     WHERE id = $1 AND epoch = $2 AND token = $3 AND timeline = current_timeline()`,
    [id, epoch, token],
  )
}

/**
 * Takes a process that is silent for dead. From here on nothing it sends has an effect.
 * False when it lives; waits for a call of it that is under way.
 */
export async function bury({ query }: Sql, id: bigint): Promise<boolean> {
  const buried = await query(
    `UPDATE process SET epoch = epoch + 1, left_at = clock_timestamp()
     WHERE id = $1 AND left_at IS NULL AND seen_at < clock_timestamp() - $2::int * interval '1 ms'
     RETURNING id`,
    [id, longestSilence],
  )
  return buried.length > 0
}

/** One of those that share the state. */
export interface Member {
  readonly id: bigint
  readonly name: string
  readonly isAlive: boolean
  readonly isLeader: boolean
  /** In the token's smallest unit, since it began. */
  readonly paid: bigint
  readonly credited: bigint
}

/** Of all that ever were here: their sums are the state's. */
export function members({ query }: Sql): Promise<readonly Member[]> {
  return query<Member & Record<string, unknown>>(
    `SELECT id, name, paid, credited,
       left_at IS NULL AND seen_at > clock_timestamp() - $1::int * interval '1 ms' AS "isAlive",
       EXISTS (SELECT FROM leader WHERE holder = process.id AND until > clock_timestamp()) AS "isLeader"
     FROM process ORDER BY id`,
    [longestSilence],
  )
}

function fenced(): UraidenError {
  return receiverError({
    code: 'process_fenced',
    message:
      'The other receivers took this one for dead, because it was not heard of for too long.',
  })
}
