// What a shared state has of a channel, as the paywall judges it; and a ledger as it is written there.
import type { NumberedKey } from '../../protocol/bound/index.ts'
import { parseRequestPublicKey } from '../../protocol/bound/index.ts'
import {
  fromHex,
  parseAddress,
  parseCommitment,
  parseSignature,
  parseTickWord,
  type SignedCommitment,
  type TokenAmount,
  toHex,
} from '../../protocol/index.ts'
import type { Standing } from '../channels/ledgers.ts'
import {
  type BestProof,
  type ChainFacts,
  type Channel,
  type ChannelName,
  channelName,
  isTicked,
  type TickedProof,
} from '../channels/records.ts'
import { stillOpen } from '../channels/ticks.ts'
import type { Sql } from '../postgres/connection.ts'
import { nameColumns } from './channel-rows.ts'
import type { ProofColumns } from './claim-call.ts'
import { forms, gapsOf, readFallback, type WrittenFallback } from './columns.ts'

/** Of one channel. */
export interface Known {
  /** By which the state names it. */
  readonly id: bigint
  readonly standing: Standing
  /** Of its commitment, whatever it is. */
  readonly commitment: number
}

interface Row extends Record<string, unknown> {
  readonly id: bigint
  readonly sender: Uint8Array
  readonly open_block: bigint
  readonly state: ChainFacts['state'] | null
  readonly deposit: bigint
  readonly withdrawn: bigint
  readonly request_key: Uint8Array | null
  readonly request_key_number: bigint | null
  readonly commitment: string | null
  readonly open: boolean | null
  readonly agreed: boolean
  readonly collecting: boolean
  readonly ceiling: bigint
  readonly highest: bigint
  readonly gaps: string
  readonly form: number | null
  readonly proof: Uint8Array | null
  readonly tick_i: number | null
  readonly tick: Uint8Array | null
  readonly commitment_no: number
  readonly fallbacks: readonly WrittenFallback[] | null
  readonly earlier: readonly string[] | null
  readonly agreed_balance: bigint | null
}

const columns = `c.id, c.sender, c.open_block, c.state, c.deposit, c.withdrawn,
  c.request_key, c.request_key_number, c.commitment, l.open, l.agreed, l.collecting, l.ceiling, l.highest,
  l.gaps::text AS gaps, l.form, l.proof, l.tick_i, l.tick, l.commitment_no, l.fallbacks,
  l.earlier::text[] AS earlier, a.balance AS agreed_balance`

/** Those that are there, by name. */
export async function readChannels(
  { query }: Sql,
  names: readonly ChannelName[],
): Promise<ReadonlyMap<ChannelName, Known>> {
  const rows = await query<Row>(
    `SELECT ${columns} FROM unnest($1::bytea[], $2::bigint[]) AS w (sender, open_block)
     JOIN channel c USING (sender, open_block) LEFT JOIN ledger l USING (id)
     LEFT JOIN agreement a ON a.channel = c.id`,
    nameColumns(names),
  )
  return new Map(
    rows.map((row) => {
      const sender = parseAddress(toHex(row.sender))
      return [channelName(sender, Number(row.open_block)), knownOf(row)]
    }),
  )
}

/** With its row locked until the transaction of `sql` ends. */
export async function lockChannel({ query }: Sql, id: bigint): Promise<Known | undefined> {
  await query('SELECT FROM ledger WHERE id = $1 FOR NO KEY UPDATE', [id])
  // A new statement: one that has waited for the row sees the others as they were before.
  const [row] = await query<Row>(
    `SELECT ${columns} FROM ledger l JOIN channel c USING (id) LEFT JOIN agreement a ON a.channel = l.id
     WHERE l.id = $1`,
    [id],
  )
  return row && knownOf(row)
}

function knownOf(row: Row): Known {
  const { id, ceiling, earlier, commitment_no: commitment = 0 } = row
  const channel = row.open === null ? undefined : channelOf(row)
  return {
    ...{ id, commitment },
    standing: {
      channel,
      seenUnconfirmed: channel === undefined,
      mostBalance: ceiling,
      earlierDeposits: (earlier ?? []).map(BigInt),
    },
  }
}

/** Undefined while the chain says nothing of it. */
function channelOf(row: Row): Channel | undefined {
  const { state, deposit, withdrawn, highest } = row
  if (state === null) return undefined
  const commitment = row.commitment === null ? undefined : parseCommitment(row.commitment)
  const tick = tickOf(row, commitment)
  const proof = proofOf(row, tick)
  const ticks =
    row.form === forms.lastTick || tick === undefined ? undefined : stillTaken(tick, proof, highest)
  const requestKey = keyOfRow(row)
  return {
    sender: parseAddress(toHex(row.sender)),
    openBlock: Number(row.open_block),
    ...{ deposit, withdrawn },
    // Whoever asks for a close pays no more on the channel, confirmed or not.
    state: state === 'open' && row.open !== true ? 'closing' : state,
    claims: { highest, unclaimed: gapsOf(row.gaps) },
    ...(proof && { proof }),
    ...(ticks && { ticks }),
    ...(row.fallbacks && { fallbacks: row.fallbacks.map(readFallback) }),
    agreedToClose: row.agreed,
    ...(row.agreed_balance !== null && { agreedBalance: row.agreed_balance }),
    ...(row.collecting && { collecting: true }),
    ...(requestKey && { requestKey }),
  }
}

function tickOf(
  { tick_i: index, tick }: Row,
  commitment: SignedCommitment | undefined,
): TickedProof | undefined {
  if (commitment === undefined || index === null || tick === null) return undefined
  return { commitment, index, word: parseTickWord(toHex(tick)), form: 'eip712' }
}

function proofOf({ form, proof }: Row, tick: TickedProof | undefined): BestProof | undefined {
  if (form === null) return undefined
  if (proof === null) return tick
  return { signature: parseSignature(toHex(proof)), form: form === forms.seed ? 'seed' : 'eip712' }
}

function stillTaken(
  tick: TickedProof,
  proof: BestProof | undefined,
  highest: TokenAmount,
): TickedProof | undefined {
  return proof === tick ? tick : stillOpen(tick, highest)
}

function keyOfRow({ request_key: key, request_key_number: number }: Row): NumberedKey | undefined {
  if (key === null || number === null) return undefined
  return { key: parseRequestPublicKey(toHex(key)), number }
}

/** `commitment`: the number under which the state has that of a tick. */
export function proofColumns(proof: BestProof, commitment: number): ProofColumns {
  if (isTicked(proof)) {
    const word = Buffer.from(fromHex(proof.word))
    return { form: forms.tick, tick: { index: proof.index, word, commitment } }
  }
  const signature = Buffer.from(fromHex(proof.signature))
  return { form: forms[proof.form], signature }
}
