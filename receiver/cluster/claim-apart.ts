// A claim that no statement decides alone: proofs to be kept under earlier deposits, another commitment to ticks. The
// row is locked, and the same pure functions decide as where a receiver has its ledgers in memory.
import { formatCommitment } from '../../protocol/index.ts'
import type { DecidedClaim } from '../channels/book-ledgers.ts'
import type { ProvenPayment, Standing } from '../channels/ledgers.ts'
import { isTicked, type PaymentLedger } from '../channels/records.ts'
import { isSameCommitment } from '../channels/ticks.ts'
import type { Sql } from '../postgres/connection.ts'
import { keyOf } from './claim-call.ts'
import { fallbacksText, gapsText } from './columns.ts'
import { type Known, lockChannel, proofColumns } from './ledger-row.ts'
import type { Seat } from './membership.ts'

export interface ApartClaim {
  /** The channel's. */
  readonly id: bigint
  readonly payment: ProvenPayment
  readonly batch: bigint
  readonly seat: Seat
  readonly decide: (standing: Standing, payment: ProvenPayment) => DecidedClaim
}

/** In a transaction; undefined when it is claimed, or the code of the refusal. */
export async function decideApart(sql: Sql, given: ApartClaim): Promise<string | undefined> {
  const { id, payment, batch, seat, decide } = given
  const { query } = sql
  await query('SET LOCAL synchronous_commit = on')
  const counted = await query(
    `UPDATE process SET batch = $3, refused = NULL, paid = paid + $4
     WHERE id = $1 AND epoch = serving_epoch($2, $5) RETURNING id`,
    [seat.id, seat.epoch, batch, payment.price, seat.timeline],
  )
  const known = counted.length > 0 ? await lockChannel(sql, id) : undefined
  const decision = known && decide(known.standing, payment)
  const isKnown =
    payment.request &&
    (await query('SELECT 1 FROM request WHERE id = $1 AND expires > clock_timestamp()', [
      keyOf(payment.request),
    ]))
  if (isKnown && isKnown.length > 0) return takeBack(sql, given, 'known')
  if (known === undefined || decision === undefined)
    return takeBack(sql, given, 'nonexisting_channel')
  if (decision.kind === 'refused') return takeBack(sql, given, decision.code)
  // An unbound one was refused with the decision.
  const { requestKey } = decision.before
  if (requestKey !== undefined && requestKey.number !== payment.keyNumber) {
    return takeBack(sql, given, 'key_changed')
  }
  await write(sql, { id, known, ledger: { ...decision.before, ...decision.paying }, payment })
  await noteNames(sql, given)
  return undefined
}

async function takeBack(
  { query }: Sql,
  { seat, payment }: ApartClaim,
  code: string,
): Promise<string> {
  await query('UPDATE process SET paid = paid - $2 WHERE id = $1 AND epoch = $3', [
    seat.id,
    payment.price,
    seat.epoch,
  ])
  return code
}

async function write(
  { query }: Sql,
  {
    id,
    known,
    ledger,
    payment,
  }: {
    readonly id: bigint
    readonly known: Known
    readonly ledger: PaymentLedger
    readonly payment: ProvenPayment
  },
): Promise<void> {
  const { claims, proof, ticks, fallbacks } = ledger
  const { ticks: before } = known.standing.channel ?? {}
  const isNew =
    ticks !== undefined &&
    (before === undefined || !isSameCommitment(ticks.commitment, before.commitment))
  const number = isNew ? known.commitment + 1 : known.commitment
  if (isNew) {
    await query('UPDATE channel SET commitment = $2, commitment_no = $3 WHERE id = $1', [
      id,
      formatCommitment(ticks.commitment),
      number,
    ])
  }
  const { form = null, signature = null } = proof ? proofColumns(proof, number) : {}
  const tick = ticks ?? (proof && isTicked(proof) ? proof : undefined)
  const word = tick && proofColumns(tick, number).tick
  await query(
    `UPDATE ledger SET highest = $2, gaps = $3, form = $4, proof = $5, tick_i = $6, tick = $7,
       commitment_no = $8, fallbacks = $9, uses = uses + $10 WHERE id = $1`,
    [
      ...[id, claims.highest, gapsText(claims.unclaimed), form, signature],
      ...[word?.index ?? null, word?.word ?? null, number, fallbacksText(fallbacks)],
      payment.mac === undefined ? 0 : 1,
    ],
  )
}

async function noteNames({ query }: Sql, { id, payment, seat }: ApartClaim): Promise<void> {
  const { balance, price, request, mac } = payment
  const paid = [balance - price, balance]
  if (request !== undefined) {
    await query(
      `INSERT INTO request (id, channel, from_, to_, owner, owner_epoch, expires)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (id) DO UPDATE SET from_ = excluded.from_, to_ = excluded.to_, owner = excluded.owner,
         owner_epoch = excluded.owner_epoch, expires = excluded.expires, attempts = 1,
         status = NULL, headers = NULL, content = NULL, body = NULL`,
      [keyOf(request), id, ...paid, seat.id, seat.epoch, new Date(request.expires)],
    )
  }
  if (mac === undefined) return
  await query(
    `INSERT INTO bound_use (channel, number, mac, from_, to_, owner)
     SELECT id, uses, $2, $3, $4, $5 FROM ledger WHERE id = $1`,
    [id, Buffer.from(mac, 'hex'), ...paid, seat.id],
  )
  await query('SELECT keep_newest_uses(ARRAY[$1::bigint])', [id])
}
