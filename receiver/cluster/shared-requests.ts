// Requests under a key that several processes know: paid and under way, or with the reply that is kept for whoever
// asks again, wherever.
import { setTimeout } from 'node:timers/promises'
import { monotonic } from '../../platform/time/monotonic.ts'
import type { Interval } from '../../protocol/index.ts'
import type { KeyedRequest } from '../channels/ledgers.ts'
import type { KeptReply, ReplyDisk, ReplyId } from '../channels/store.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import { keyOf } from './claim-call.ts'
import { bury, longestSilence, type Seat } from './membership.ts'

export type FoundRequest =
  | { readonly kind: 'gone' }
  | { readonly kind: 'answered'; readonly reply: KeptReply }
  /** It was answered, and a crash of the server took the answer. */
  | { readonly kind: 'lost' }
  /** Another process is answering it. */
  | { readonly kind: 'elsewhere' }
  /** Whoever was answering it is dead: it is ours now. */
  | { readonly kind: 'taken'; readonly paid: Interval }

interface Row extends Record<string, unknown> {
  readonly owner: bigint
  readonly owner_epoch: bigint
  readonly expires: Date
  readonly status: number | null
  readonly headers: KeptReply['headers'] | null
  readonly content: NonNullable<KeptReply['content']> | null
  readonly body: Uint8Array | null
  readonly large: Uint8Array | null
  /** Its owner has not ended, as far as anybody knows. */
  readonly is_there: boolean
  readonly is_heard: boolean
}

/** What became of a request that has paid, or the right to go on with it. */
export async function findRequest(
  { query }: Sql,
  { request, seat }: { readonly request: KeyedRequest; readonly seat: Seat },
): Promise<FoundRequest> {
  const [row] = await query<Row>(
    `SELECT r.owner, r.owner_epoch, r.expires, r.status, r.headers, r.content, r.body, large.body AS large,
       p.id IS NOT NULL AND p.left_at IS NULL AND r.owner_epoch <= p.epoch AND r.owner_epoch >=
         CASE WHEN p.answers_at = p.epoch THEN p.answers_from ELSE p.epoch END AS is_there,
       coalesce(p.seen_at > clock_timestamp() - $2::int * interval '1 ms', false) AS is_heard
     FROM request r LEFT JOIN process p ON p.id = r.owner LEFT JOIN large_body large ON large.id = r.id
     WHERE r.id = $1 AND r.expires > clock_timestamp()`,
    [keyOf(request), longestSilence],
  )
  if (row === undefined) return { kind: 'gone' }
  if (row.status !== null) {
    const body = row.body ?? row.large
    if (body === null) return { kind: 'lost' }
    return { kind: 'answered', reply: replyOf({ ...row, body }, row.status) }
  }
  if (row.is_there && row.owner !== seat.id) {
    // One that is only slow must not give back what has paid for our answer.
    const isGone = !row.is_heard && (await bury({ query }, row.owner))
    if (!isGone) return { kind: 'elsewhere' }
  }
  const [taken] = await query<{ from_: bigint; to_: bigint }>(
    `UPDATE request SET owner = $2, owner_epoch = $3, attempts = attempts + 1
     WHERE id = $1 AND owner = $4 AND owner_epoch = $5 AND status IS NULL RETURNING from_, to_`,
    [keyOf(request), seat.id, seat.epoch, row.owner, row.owner_epoch],
  )
  return taken
    ? { kind: 'taken', paid: { from: taken.from_, to: taken.to_ } }
    : { kind: 'elsewhere' }
}

function replyOf(row: Row & { readonly body: Uint8Array }, status: number): KeptReply {
  const { headers, content, body, expires } = row
  return {
    ...{ status, headers: headers ?? {}, body },
    content: content ?? undefined,
    expires: expires.getTime(),
  }
}

/** Bodies up to this many bytes survive a crash of the server. */
const largestLogged = 65_536

/** Milliseconds between two looks for requests that are over. */
const forgetInterval = 60_000

/** The replies of a shared state. Nothing is read at the start: whoever repeats a request finds its reply. */
export function sharedReplies(database: Database, seat: () => Seat): ReplyDisk {
  const release = createRelease(database, seat)
  const giveUp = (ids: readonly ReplyId[]) => (error: unknown) => {
    release(ids)
    throw error
  }
  let forgotAt = Number.NEGATIVE_INFINITY
  const forget = () => {
    if (monotonic() - forgotAt < forgetInterval) return
    forgotAt = monotonic()
    // The next one tries again.
    void forgetRequests(database).catch(() => undefined)
  }
  return {
    load: async () => new Map(),
    unanswered: async () => new Map(),
    save: async (id, reply) => {
      forget()
      await saveReply(database, seat(), { id, reply }).catch(giveUp([id]))
    },
    // What is over is over for all, whoever kept it.
    remove: async () => undefined,
    answered: async (ids) => {
      await database
        .query('DELETE FROM request WHERE id = ANY($1) AND owner = $2', [keysOf(ids), seat().id])
        .catch(giveUp(ids))
    },
  }
}

async function saveReply(
  database: Database,
  seat: Seat,
  { id, reply }: { readonly id: ReplyId; readonly reply: KeptReply },
): Promise<void> {
  const { status, headers, body, content, expires } = reply
  const key = keyOf({ id })
  const isLarge = body.length > largestLogged
  await database.transaction(async (sql) => {
    const kept = await sql.query(
      `UPDATE request SET status = $2, headers = $3, content = $4, body = $5, expires = $6
       WHERE id = $1 AND owner = $7 RETURNING id`,
      [
        ...[key, status, JSON.stringify(headers)],
        content === undefined ? null : JSON.stringify(content),
        ...[isLarge ? null : Buffer.from(body), new Date(expires), seat.id],
      ],
    )
    if (!isLarge || kept.length === 0) return
    await sql.query(
      'INSERT INTO large_body VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
      [key, Buffer.from(body)],
    )
  }, 'SET LOCAL synchronous_commit = on')
}

function keysOf(ids: readonly ReplyId[]): readonly Buffer[] {
  return ids.map((id) => keyOf({ id }))
}

/** Milliseconds between two tries to reach a database that is away. */
const pause = 200

/**
 * Of requests that this process answers no more, and could not say so: whoever asks again elsewhere must not wait for
 * it. Tried until the database is back; whoever dies before is found dead.
 */
export function createRelease({ query }: Sql, seat: () => Seat): (ids: readonly ReplyId[]) => void {
  const open = new Set<ReplyId>()
  let isAtIt = false
  const release = async () => {
    isAtIt = true
    while (open.size > 0) {
      const ids = [...open]
      try {
        await query(
          `UPDATE request SET owner_epoch = 0 WHERE id = ANY($1) AND owner = $2 AND status IS NULL`,
          [keysOf(ids), seat().id],
        )
        for (const id of ids) open.delete(id)
      } catch {
        await setTimeout(pause, undefined, { ref: false })
      }
    }
    isAtIt = false
  }
  return (ids) => {
    for (const id of ids) open.add(id)
    if (!isAtIt) void release()
  }
}

/** Those that can be repeated no more. */
async function forgetRequests({ query }: Sql): Promise<void> {
  await query('DELETE FROM request WHERE expires < clock_timestamp()')
  await query('DELETE FROM large_body b WHERE NOT EXISTS (SELECT FROM request r WHERE r.id = b.id)')
}
