// One call of `claim_many`: what it is given and what it says (receiver/postgres/migrations).
import type { Interval, TokenAmount } from '../../protocol/index.ts'
import type { KeyedRequest } from '../channels/ledgers.ts'
import type { Sql } from '../postgres/connection.ts'
import type { Seat } from './membership.ts'

/** What `ledger` keeps of a proof. */
export interface ProofColumns {
  /** 1 seed, 2 eip712, 3 a tick. */
  readonly form: 1 | 2 | 3
  /** Of 65 bytes; undefined for a tick. */
  readonly signature?: Buffer
  readonly tick?: { readonly index: number; readonly word: Buffer; readonly commitment: number }
}

/** One payment of a channel. */
export interface WantedClaim {
  readonly channel: bigint
  readonly paid: Interval
  readonly mayLeaveGap: boolean
  /** Of the request key that it came with; undefined: it is not bound. */
  readonly keyNumber: bigint | undefined
  /** Undefined: below what is proven already. */
  readonly proof: ProofColumns | undefined
  readonly request: KeyedRequest | undefined
  /** In hex, of a request that may be run once more. */
  readonly mac: string | undefined
}

/** Payments of one channel that follow each other: the proof of the last is the proof of all. */
export type Run = readonly [WantedClaim, ...WantedClaim[]]

/** A claimed interval is cut: what is above `kept`, up to `to`, is given back. */
export interface Credit {
  readonly channel: bigint
  readonly kept: TokenAmount
  readonly to: TokenAmount
  readonly request: KeyedRequest | undefined
  readonly mac: string | undefined
}

/** An answer to a bound request is over. */
export interface EndedAnswer {
  readonly channel: bigint
  readonly mac: string
  readonly isWhole: boolean
}

export interface ClaimCall {
  readonly process: Seat
  readonly batch: bigint
  /** In the order of their channels. */
  readonly runs: readonly Run[]
  readonly credits: readonly Credit[]
  readonly ended: readonly EndedAnswer[]
  /** Milliseconds since the chain was looked at after which nobody pays; undefined: any. */
  readonly longestOutage: number | undefined
}

/** Numbers from 0 of runs that were refused, and why. */
export type RefusedRuns = ReadonlyMap<number, string>

const text = `SELECT run, code FROM claim_many($1, serving_epoch($2, $23), $3, $4, $5::claim_run[],
  $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`

/** @throws UraidenError those of `Sql`: what was done is not known when no server has said a word */
export async function claimMany({ query }: Sql, call: ClaimCall): Promise<RefusedRuns> {
  const { process, batch, runs, credits, ended, longestOutage = null } = call
  const rows = await query<{ run: number; code: string }>(text, [
    ...[process.id, process.epoch, batch, longestOutage, runs.map(runText)],
    ...keyColumns(runs),
    ...useColumns(runs),
    ...[credits.map(({ channel }) => channel), credits.map(({ kept }) => kept)],
    ...[credits.map(({ to }) => to), credits.map(({ request }) => request && keyOf(request))],
    credits.map(({ mac }) => mac && Buffer.from(mac, 'hex')),
    ...[ended.map(({ channel }) => channel), ended.map(({ mac }) => Buffer.from(mac, 'hex'))],
    ended.map(({ isWhole }) => isWhole),
    process.timeline,
  ])
  return new Map(rows.map(({ run, code }) => [run - 1, code]))
}

/**
 * The last batch of a process as it was committed; from now on no call of the epoch before has an effect. Requests that
 * were paid in it are answered on.
 */
export interface CommittedBatch {
  readonly epoch: bigint
  readonly batch: bigint
  /** Numbers from 0 of its runs that were refused. */
  readonly refused: readonly number[]
}

/**
 * What became of a call whose answer did not come. It waits for a call that still runs, because that holds the
 * process's row; a SELECT would not.
 */
export async function askCommitted(
  { query }: Sql,
  { id, token }: Seat,
): Promise<CommittedBatch | undefined> {
  const [row] = await query<{ epoch: bigint; batch: bigint; refused: number[] | null }>(
    // Who was taken for dead meanwhile is there again: under its new epoch its heartbeats are heard.
    `UPDATE process SET epoch = epoch + 1, left_at = NULL, answers_at = epoch + 1,
       answers_from = CASE WHEN answers_at = epoch THEN answers_from ELSE epoch END
     WHERE id = $1 AND token = $2 RETURNING epoch, batch, refused`,
    [id, token],
  )
  if (row === undefined) return undefined
  const { epoch, batch, refused } = row
  return { epoch, batch, refused: (refused ?? []).map((run) => run - 1) }
}

/** A request's id in bytes. */
export function keyOf({ id }: Pick<KeyedRequest, 'id'>): Buffer {
  return Buffer.from(id, 'base64url')
}

/** As PostgreSQL reads a row from text. */
function runText(run: Run): string {
  const [{ channel, paid: first, mayLeaveGap, keyNumber }] = run
  const { paid, proof } = run[run.length - 1] ?? run[0]
  const uses = run.filter(({ mac }) => mac !== undefined).length
  return `(${[
    ...[channel, first.from, paid.to, mayLeaveGap],
    ...[proof?.form ?? '', bytes(proof?.signature)],
    ...[proof?.tick?.index ?? '', bytes(proof?.tick?.word), proof?.tick?.commitment ?? ''],
    ...[uses, keyNumber ?? ''],
  ].join(',')})`
}

function bytes(value: Buffer | undefined): string {
  return value === undefined ? '' : `"\\\\x${value.toString('hex')}"`
}

function keyColumns(runs: readonly Run[]): readonly unknown[] {
  const keyed = runs.flatMap((run, at) =>
    run.flatMap(({ paid, request }) => (request ? [{ at: at + 1, paid, request }] : [])),
  )
  return [
    keyed.map(({ at }) => at),
    keyed.map(({ request }) => keyOf(request)),
    keyed.map(({ paid }) => paid.from),
    keyed.map(({ paid }) => paid.to),
    keyed.map(({ request }) => new Date(request.expires)),
  ]
}

function useColumns(runs: readonly Run[]): readonly unknown[] {
  const used = runs.flatMap((run, at) =>
    run.flatMap(({ paid, mac }) => (mac === undefined ? [] : [{ at: at + 1, paid, mac }])),
  )
  return [
    used.map(({ at }) => at),
    used.map(({ mac }) => Buffer.from(mac, 'hex')),
    used.map(({ paid }) => paid.from),
    used.map(({ paid }) => paid.to),
  ]
}
