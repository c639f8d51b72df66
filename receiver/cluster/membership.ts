// This process among those that share a state: a row of its own, by which others see that it lives. Whoever finds
// the row silent for too long raises its epoch; what the process sends afterwards finds no row, see `isFenced`.
import { hostname } from 'node:os'
import type { UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { Sql } from '../postgres/connection.ts'

/** By which the rows that this process writes are found; another after it was taken for dead. */
export interface Membership {
  readonly id: bigint
  readonly epoch: bigint
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
}

/** Milliseconds between two heartbeats. */
export const beatInterval = 1000
/** Milliseconds of silence after which a process counts as dead. */
export const longestSilence = 3000

/** @throws UraidenError `state_moved` */
export async function join({ query }: Sql, name = hostname()): Promise<Membership> {
  const [row] = await query<Membership & Record<string, unknown>>(
    `INSERT INTO process (name) SELECT $1 FROM (SELECT FROM meta WHERE state = 'serving' FOR SHARE) AS ours
     RETURNING id, epoch`,
    [name],
  )
  if (row !== undefined) return row
  throw receiverError({ code: 'state_moved', message: 'The shared state was moved away.' })
}

/**
 * Says that this process lives, and hears what the leader has found.
 * @throws UraidenError `process_fenced`: others took it for dead
 */
export async function beat({ query }: Sql, { id, epoch }: Membership): Promise<Beat> {
  const [row] = await query<{
    facts_version: bigint
    age: number
    head: bigint | null
    contract_head: bigint | null
  }>(
    `WITH seen AS (
       UPDATE process SET seen_at = clock_timestamp() WHERE id = $1 AND epoch = $2 RETURNING 1)
     SELECT facts_version, head, contract_head,
       CASE WHEN isfinite(seen_at)
         THEN extract(epoch FROM clock_timestamp() - seen_at)::float8 * 1000
         ELSE 'Infinity'::float8 END AS age
     FROM position WHERE EXISTS (SELECT FROM seen)`,
    [id, epoch],
  )
  if (row === undefined) throw fenced()
  const { facts_version: factsVersion, age: chainAge, head, contract_head: contractHead } = row
  const number = (value: bigint | null) => (value === null ? undefined : Number(value))
  return { factsVersion, chainAge, head: number(head), contractHead: number(contractHead) }
}

/** Under the same number, after it was taken for dead. Nothing of the epoch before may be under way any more. */
export async function rejoin({ query }: Sql, { id }: Membership): Promise<Membership> {
  const [row] = await query<Membership & Record<string, unknown>>(
    `UPDATE process SET epoch = epoch + 1, left_at = NULL, seen_at = clock_timestamp()
     WHERE id = $1 RETURNING id, epoch`,
    [id],
  )
  if (row === undefined) throw fenced()
  return row
}

/** It ends by itself: others need not wait until it is silent for long. */
export async function leave({ query }: Sql, { id, epoch }: Membership): Promise<void> {
  await query(
    'UPDATE process SET left_at = clock_timestamp(), epoch = epoch + 1 WHERE id = $1 AND epoch = $2',
    [id, epoch],
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
