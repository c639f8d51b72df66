// Ledgers as a shared state has them, whole: for who moves, copies or restores a state that nobody serves on.
import { createHash } from 'node:crypto'
import { inPieces } from '../../platform/async/pieces.ts'
import { parseRequestPublicKey } from '../../protocol/bound/index.ts'
import {
  formatCommitment,
  fromHex,
  parseCommitment,
  parseSignature,
  parseTickWord,
  toHex,
} from '../../protocol/index.ts'
import { ringSize } from '../channels/answers.ts'
import { commitmentOf, encodeLedger, encodeRequestKey } from '../channels/ledger-record.ts'
import {
  type AnswerNumbers,
  type ChannelName,
  isTicked,
  type PaymentLedger,
  type TickedProof,
} from '../channels/records.ts'
import type { Sql } from '../postgres/connection.ts'
import { nameColumns, nameOfRow } from './channel-rows.ts'
import {
  fallbacksText,
  forms,
  gapsOf,
  gapsText,
  readFallback,
  type WrittenFallback,
} from './columns.ts'

interface LedgerRow extends Record<string, unknown> {
  readonly sender: Uint8Array
  readonly open_block: bigint
  readonly request_key: Uint8Array | null
  readonly request_key_number: bigint | null
  readonly commitment: string | null
  readonly agreed: boolean
  readonly collecting: boolean
  readonly highest: bigint
  readonly gaps: string
  readonly form: number | null
  readonly proof: Uint8Array | null
  readonly tick_i: number | null
  readonly tick: Uint8Array | null
  readonly fallbacks: readonly WrittenFallback[] | null
  readonly uses: bigint
  readonly agreed_balance: bigint | null
  readonly open_uses: readonly WrittenUse[] | null
}

type WrittenUse = readonly [number: number, mac: string, from: string, to: string]

const columns = `c.sender, c.open_block, c.request_key, c.request_key_number, c.commitment, l.agreed, l.collecting,
  l.highest, l.gaps::text AS gaps, l.form, l.proof, l.tick_i, l.tick, l.fallbacks, l.uses,
  a.balance AS agreed_balance, u.open_uses
  FROM ledger l JOIN channel c USING (id) LEFT JOIN agreement a ON a.channel = l.id
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(number, encode(mac, 'hex'), from_::text, to_::text) ORDER BY number)
      AS open_uses
    FROM bound_use WHERE channel = l.id AND number > l.uses - ${ringSize}) u ON true`

/** All that say anything, as they are at one moment. */
export async function readLedgers({
  query,
}: Sql): Promise<ReadonlyMap<ChannelName, PaymentLedger>> {
  const rows = await query<LedgerRow>(
    `SELECT ${columns}
     WHERE l.form IS NOT NULL OR l.highest > 0 OR l.agreed OR l.collecting OR c.request_key IS NOT NULL`,
  )
  return ledgersOf(rows)
}

/** Of these channels, those that are there. */
export async function readLedgersOf(
  { query }: Sql,
  names: readonly ChannelName[],
): Promise<ReadonlyMap<ChannelName, PaymentLedger>> {
  const rows = await query<LedgerRow>(
    `SELECT ${columns} JOIN unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block)
       ON c.sender = given.sender AND c.open_block = given.open_block`,
    nameColumns(names),
  )
  return ledgersOf(rows)
}

/** A moment of the database; what is changed by whoever was not done then comes after it. */
export type Moment = string

export interface ChangedLedgers {
  readonly ledgers: ReadonlyMap<ChannelName, PaymentLedger>
  /** Ask from this one next time. */
  readonly moment: Moment
}

/**
 * Ledgers that may have changed since a moment, by the number of the transaction that has written each row: none is
 * left out. `sql` is of a transaction that sees one moment. An answer to a bound request that ends changes none.
 */
export async function readLedgersSince({ query }: Sql, since: Moment): Promise<ChangedLedgers> {
  // Apart from what they say: each table is looked through once, and joined are only those that have changed.
  const changed = await query<{ readonly id: bigint }>(
    `SELECT id FROM ledger WHERE age(xmin) <= age($1::xid)
     UNION SELECT id FROM channel WHERE age(xmin) <= age($1::xid)`,
    [since],
  )
  const ids = changed.map(({ id }) => id)
  const rows =
    ids.length === 0
      ? []
      : await query<LedgerRow>(`SELECT ${columns} WHERE l.id = ANY($1::bigint[])`, [ids])
  return { ledgers: await ledgersOf(rows), moment: await momentOf({ query }) }
}

export async function momentOf({ query }: Sql): Promise<Moment> {
  // The numbers of rows have 32 bits.
  const [row] = await query<{ oldest: string }>(
    'SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::numeric % 4294967296)::text AS oldest',
  )
  if (row === undefined) throw new Error('a SELECT without a row')
  return row.oldest
}

async function ledgersOf(rows: readonly LedgerRow[]): Promise<Map<ChannelName, PaymentLedger>> {
  const ledgers = new Map<ChannelName, PaymentLedger>()
  await inPieces(rows, (row) => ledgers.set(nameOfRow(row), ledgerOfRow(row)))
  return ledgers
}

function ledgerOfRow(row: LedgerRow): PaymentLedger {
  const { agreed_balance: agreedBalance, request_key: key, request_key_number: number } = row
  const answers = answersOf(row)
  return {
    claims: { highest: row.highest, unclaimed: gapsOf(row.gaps) },
    ...proofsOfRow(row),
    ...(row.fallbacks && { fallbacks: row.fallbacks.map(readFallback) }),
    agreedToClose: row.agreed,
    ...(agreedBalance !== null && { agreedBalance }),
    ...(row.collecting && { collecting: true }),
    ...(key !== null &&
      number !== null && { requestKey: { key: parseRequestPublicKey(toHex(key)), number } }),
    ...(answers && { answers }),
  }
}

function proofsOfRow({
  form,
  proof,
  tick_i: index,
  tick,
  commitment,
}: LedgerRow): Pick<PaymentLedger, 'proof' | 'ticks'> {
  const ticked: TickedProof | undefined =
    commitment === null || index === null || tick === null
      ? undefined
      : {
          ...{ commitment: parseCommitment(commitment), index, form: 'eip712' },
          word: parseTickWord(toHex(tick)),
        }
  if (form === null) return {}
  if (proof === null) {
    if (ticked === undefined) throw new RangeError('a tick without its commitment')
    return form === forms.lastTick ? { proof: ticked } : { proof: ticked, ticks: ticked }
  }
  const signed = {
    signature: parseSignature(toHex(proof)),
    form: form === forms.seed ? ('seed' as const) : ('eip712' as const),
  }
  return { proof: signed, ...(ticked && { ticks: ticked }) }
}

function answersOf({ uses, open_uses }: LedgerRow): AnswerNumbers | undefined {
  if (uses === 0n) return undefined
  const open = (open_uses ?? []).map(([number, mac, from, to]) => ({
    ...{ number, mac },
    paid: { from: BigInt(from), to: BigInt(to) },
  }))
  return { last: Number(uses), open }
}

/** In one statement: a list for each column has so many entries. */
const atOnce = 2000

/** In place of what is there of these channels; what the chain says of them stays as it is. */
export async function writeLedgers(
  sql: Sql,
  ledgers: ReadonlyMap<ChannelName, PaymentLedger>,
): Promise<void> {
  const all = [...ledgers]
  for (let from = 0; from < all.length; from += atOnce) {
    const some = all.slice(from, from + atOnce)
    await writeRows(sql, some)
    await writeAgreements(sql, some)
    await writeUses(sql, some)
  }
}

type Named = readonly (readonly [ChannelName, PaymentLedger])[]

async function writeRows({ query }: Sql, ledgers: Named): Promise<void> {
  const all = ledgers.map(([, ledger]) => columnsOf(ledger))
  await query(
    `WITH given (sender, open_block, request_key, request_key_number, commitment, agreed, collecting,
         highest, gaps, form, proof, tick_i, tick, fallbacks, uses) AS (
       SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::numeric[], $5::text[], $6::boolean[],
         $7::boolean[], $8::numeric[], $9::text[], $10::smallint[], $11::bytea[], $12::int[], $13::bytea[],
         $14::jsonb[], $15::bigint[])),
     named AS (
       INSERT INTO channel AS c (sender, open_block, request_key, request_key_number, commitment, commitment_no)
       SELECT sender, open_block, request_key, request_key_number, commitment,
         CASE WHEN commitment IS NULL THEN 0 ELSE 1 END FROM given
       ON CONFLICT (sender, open_block) DO UPDATE SET
         request_key = excluded.request_key, request_key_number = excluded.request_key_number,
         commitment = excluded.commitment,
         commitment_no = c.commitment_no + (c.commitment IS DISTINCT FROM excluded.commitment)::int
       RETURNING id, sender, open_block, commitment_no)
     INSERT INTO ledger (id, key_no, agreed, collecting, highest, gaps, form, proof, tick_i, tick, commitment_no,
       fallbacks, uses)
     SELECT id, request_key_number, agreed, collecting, highest, gaps::nummultirange, form, proof, tick_i, tick,
       commitment_no, fallbacks, uses
     FROM named JOIN given USING (sender, open_block)
     ON CONFLICT (id) DO UPDATE SET
       (key_no, agreed, collecting, highest, gaps, form, proof, tick_i, tick, commitment_no, fallbacks, uses) =
       (excluded.key_no, excluded.agreed, excluded.collecting, excluded.highest, excluded.gaps, excluded.form,
        excluded.proof, excluded.tick_i, excluded.tick, excluded.commitment_no, excluded.fallbacks, excluded.uses)`,
    [...nameColumns(ledgers.map(([name]) => name)), ...lists(all)],
  )
}

type Columns = readonly unknown[]

function lists(rows: readonly Columns[]): readonly Columns[] {
  const [first = []] = rows
  return first.map((_, at) => rows.map((row) => row[at]))
}

/** In the order of `given` in `writeRows`. */
function columnsOf(ledger: PaymentLedger): Columns {
  const { claims, proof, ticks, fallbacks, requestKey, answers } = ledger
  const commitment = commitmentOf(ledger)
  const ticked = proof && isTicked(proof) ? proof : ticks
  return [
    requestKey ? bytes(requestKey.key) : null,
    requestKey ? `${requestKey.number}` : null,
    commitment ? formatCommitment(commitment) : null,
    ledger.agreedToClose,
    ledger.collecting === true,
    `${claims.highest}`,
    gapsText(claims.unclaimed),
    formOf(ledger),
    proof && !isTicked(proof) ? bytes(proof.signature) : null,
    ticked?.index ?? null,
    ticked ? bytes(ticked.word) : null,
    fallbacksText(fallbacks),
    answers?.last ?? 0,
  ]
}

function formOf({ proof, ticks }: PaymentLedger): number | null {
  if (proof === undefined) return null
  if (isTicked(proof)) return ticks === undefined ? forms.lastTick : forms.tick
  return forms[proof.form]
}

const bytes = (hex: string) => Buffer.from(fromHex(hex))

const named = `unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block)
  JOIN channel USING (sender, open_block)`

async function writeAgreements({ query }: Sql, ledgers: Named): Promise<void> {
  await query(
    `DELETE FROM agreement WHERE channel IN (SELECT id FROM ${named})`,
    nameColumns(ledgers.map(([name]) => name)),
  )
  const agreed = ledgers.filter(([, { agreedBalance }]) => agreedBalance !== undefined)
  await query(
    `INSERT INTO agreement (channel, balance)
     SELECT id, balance FROM unnest($1::bytea[], $2::bigint[], $3::numeric[]) AS given (sender, open_block, balance)
       JOIN channel USING (sender, open_block)`,
    [
      ...nameColumns(agreed.map(([name]) => name)),
      agreed.map(([, { agreedBalance }]) => `${agreedBalance}`),
    ],
  )
}

async function writeUses({ query }: Sql, ledgers: Named): Promise<void> {
  await query(
    `DELETE FROM bound_use WHERE channel IN (SELECT id FROM ${named})`,
    nameColumns(ledgers.map(([name]) => name)),
  )
  const open = ledgers.flatMap(([name, { answers }]) =>
    (answers?.open ?? []).map((use) => ({ name, ...use })),
  )
  await query(
    `INSERT INTO bound_use (channel, number, mac, from_, to_)
     SELECT id, number, mac, from_, to_
     FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::numeric[], $6::numeric[])
       AS given (sender, open_block, number, mac, from_, to_) JOIN channel USING (sender, open_block)`,
    [
      ...nameColumns(open.map(({ name }) => name)),
      open.map(({ number }) => number),
      open.map(({ mac }) => Buffer.from(mac, 'hex')),
      open.map(({ paid }) => `${paid.from}`),
      open.map(({ paid }) => `${paid.to}`),
    ],
  )
}

/** Of what is the same wherever it is kept: two states with the same one have the same ledgers. */
export function checksumOf(ledgers: ReadonlyMap<ChannelName, PaymentLedger>): string {
  const hash = createHash('sha256')
  for (const [name, ledger] of [...ledgers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const commitment = commitmentOf(ledger)
    const parts = [
      name,
      Buffer.from(encodeLedger(ledger)).toString('hex'),
      commitment ? formatCommitment(commitment) : '-',
      ledger.requestKey ? encodeRequestKey(ledger.requestKey) : '-',
    ]
    hash.update(`${parts.join(' ')}\n`)
  }
  return hash.digest('hex')
}
