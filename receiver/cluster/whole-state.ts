// All that a receiver keeps, read from and written to a folder or a shared state that nobody serves on.
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { JournalEntry } from '../../platform/chain/index.ts'
import type { StateOwner } from '../../platform/state/state.ts'
import {
  type Address,
  addressFromBytes,
  addressToBytes,
  fromHex,
  toHex,
} from '../../protocol/index.ts'
import { channelName, emptyLedger, type Unanswered } from '../channels/records.ts'
import type {
  Allowance,
  ChannelStore,
  Fence,
  FolderStore,
  KeptReply,
  LoadedState,
  ReplyId,
} from '../channels/store.ts'
import type { Sql } from '../postgres/connection.ts'
import { readFactsBy, writeNote, writeStep } from './chain-facts.ts'
import { nameColumns } from './channel-rows.ts'
import {
  firstBlockNote,
  formatGasPrices,
  gasPricesNote,
  readAllowances,
  readGasPrices,
} from './shared-records.ts'
import { readLedgers, writeLedgers } from './stored-ledgers.ts'

export interface WholeState {
  readonly loaded: LoadedState
  /** Under way, by their operation. */
  readonly transactions: ReadonlyMap<string, JournalEntry>
  readonly replies: ReadonlyMap<ReplyId, KeptReply>
  readonly unanswered: ReadonlyMap<ReplyId, Unanswered>
  readonly allowances: ReadonlyMap<Address, Allowance>
  readonly gasPrices: ReadonlyMap<number, bigint>
  readonly firstBlock: number | undefined
}

export async function readFolder(store: FolderStore): Promise<WholeState> {
  return {
    loaded: await store.load(),
    transactions: await store.transactions(),
    replies: await store.replies.load(),
    unanswered: await store.replies.unanswered(),
    allowances: await store.allowances.load(),
    gasPrices: await store.gasPrices.load(),
    firstBlock: await store.firstBlock.load(),
  }
}

export async function writeFolder(store: FolderStore, state: WholeState): Promise<void> {
  const { loaded, transactions, replies, unanswered, allowances, gasPrices, firstBlock } = state
  const { facts, ledgers, position, history, fence, forgotten } = loaded
  await store.saveLedgers(ledgers, fence)
  for (const [id, each] of unanswered) {
    const name = channelName(each.sender, each.openBlock)
    await store.saveLedger(name, ledgers.get(name) ?? emptyLedger, [id, each])
  }
  if (position !== undefined) {
    const forgetting = { names: [], after: forgotten }
    await store.saveStep({ facts, position, added: history, dropped: [], forgetting })
  }
  for (const [operation, entry] of transactions) await store.journal.put(operation, entry)
  for (const [id, reply] of replies) await store.replies.save(id, reply)
  await store.allowances.save(allowances)
  await store.gasPrices.save(gasPrices)
  if (firstBlock !== undefined) await store.firstBlock.save(firstBlock)
}

export async function writeDatabase(sql: Sql, state: WholeState, owner: StateOwner): Promise<void> {
  const { ledgers, facts, position, history, forgotten } = state.loaded
  await writeLedgers(sql, ledgers)
  if (position !== undefined) {
    const forgetting = { names: [], after: forgotten }
    const step = { facts, position, added: history, dropped: [], forgetting }
    // The leader's first round says how much of each deposit counts.
    await writeStep(sql, step, undefined)
  }
  await writeNotes(sql, state)
  await writeTransactions(sql, state.transactions, owner.account)
  await writeRequests(sql, state)
  for (const [sender, { day, count, gas }] of state.allowances) {
    await sql.query('INSERT INTO allowance VALUES ($1, $2, $3, $4)', [sender, day, count, `${gas}`])
  }
}

const fenceNote = 'fence'

export function writeFence(sql: Sql, fence: Fence): Promise<void> {
  return writeNote(sql, fenceNote, `${fence}`)
}

export async function readFence({ query }: Sql): Promise<Fence | undefined> {
  const [row] = await query<{ value: string }>('SELECT value FROM note WHERE name = $1', [
    fenceNote,
  ])
  return fenceOf(row?.value)
}

function fenceOf(text: string | undefined): Fence | undefined {
  return text === undefined || text === 'next' ? text : Number(text)
}

/** As `saveLedgers` of a folder. */
export function saveLedgersBy(sql: Sql): ChannelStore['saveLedgers'] {
  return async (ledgers, fence) => {
    await writeLedgers(sql, ledgers)
    if (fence !== undefined) await writeFence(sql, fence)
  }
}

async function writeNotes(sql: Sql, state: WholeState): Promise<void> {
  const { loaded, gasPrices, firstBlock } = state
  for (const [name, value] of [
    [fenceNote, loaded.fence],
    [gasPricesNote, gasPrices.size === 0 ? undefined : formatGasPrices(gasPrices)],
    [firstBlockNote, firstBlock],
  ] as const) {
    if (value !== undefined) await writeNote(sql, name, `${value}`)
  }
}

async function writeTransactions(
  { query }: Sql,
  transactions: ReadonlyMap<string, JournalEntry>,
  account: Address,
): Promise<void> {
  for (const [operation, { nonce, transactions: signed, since }] of transactions) {
    await query(
      'INSERT INTO tx (operation, account, nonce, epoch, raw, since) VALUES ($1, $2, $3, 0, $4, $5)',
      [
        ...[operation, Buffer.from(addressToBytes(account)), nonce],
        ...[signed.map(({ serialized }) => Buffer.from(fromHex(serialized))), since ?? null],
      ],
    )
  }
}

/** Of nobody who lives: whoever is asked first goes on with what was not answered. */
async function writeRequests({ query }: Sql, { replies, unanswered }: WholeState): Promise<void> {
  for (const [id, { status, headers, content, body, expires }] of replies) {
    await query(
      `INSERT INTO request (id, owner, owner_epoch, expires, status, headers, content, body)
       VALUES ($1, 0, 0, $2, $3, $4, $5, $6)`,
      [
        ...[keyOf(id), new Date(expires), status, JSON.stringify(headers)],
        ...[content === undefined ? null : JSON.stringify(content), Buffer.from(body)],
      ],
    )
  }
  for (const [id, { sender, openBlock, paid, expires }] of unanswered) {
    await query(
      `INSERT INTO request (id, channel, from_, to_, owner, owner_epoch, expires)
       SELECT $3, id, $4, $5, 0, 0, $6 FROM unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block)
         JOIN channel USING (sender, open_block)
       ON CONFLICT DO NOTHING`,
      [
        ...nameColumns([channelName(sender, openBlock)]),
        ...[keyOf(id), `${paid.from}`, `${paid.to}`, new Date(expires)],
      ],
    )
  }
}

const keyOf = (id: ReplyId) => Buffer.from(id, 'base64url')
const idOf = (key: Uint8Array) => Buffer.from(key).toString('base64url')

export async function readBack(sql: Sql): Promise<Pick<LoadedState, 'facts' | 'ledgers'>> {
  const { facts } = await readFactsBy(sql)
  return { facts, ledgers: await readLedgers(sql) }
}

export async function readDatabase(sql: Sql): Promise<WholeState> {
  const { facts, position, history, forgotten } = await readFactsBy(sql)
  const notes = await readNotes(sql)
  const firstBlock = notes.get(firstBlockNote)
  return {
    loaded: {
      ...{ facts, position, history, forgotten },
      ledgers: await readLedgers(sql),
      fence: fenceOf(notes.get(fenceNote)),
    },
    transactions: await readTransactions(sql),
    ...(await readRequests(sql)),
    allowances: await readAllowances(sql),
    gasPrices: readGasPrices(notes.get(gasPricesNote)),
    firstBlock: firstBlock === undefined ? undefined : Number(firstBlock),
  }
}

async function readNotes({ query }: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await query<{ name: string; value: string }>('SELECT name, value FROM note')
  return new Map(rows.map(({ name, value }) => [name, value]))
}

async function readTransactions({ query }: Sql): Promise<ReadonlyMap<string, JournalEntry>> {
  const rows = await query<{
    operation: string
    nonce: bigint
    raw: readonly Uint8Array[]
    since: bigint | null
  }>(
    `SELECT operation, nonce, raw, since FROM tx, meta
     WHERE tx.state = 'sent' AND encode(tx.account, 'hex') = lower(substr(meta.account, 3)) ORDER BY nonce`,
  )
  return new Map(
    rows.map(({ operation, nonce, raw, since }) => {
      const transactions = raw.map((signed) => ({
        hash: toHex(keccak_256(signed)),
        serialized: toHex(signed),
      }))
      const known = since === null ? {} : { since: Number(since) }
      return [operation, { nonce: Number(nonce), transactions, ...known }]
    }),
  )
}

interface RequestRow extends Record<string, unknown> {
  readonly id: Uint8Array
  readonly sender: Uint8Array | null
  readonly open_block: bigint | null
  readonly from_: bigint | null
  readonly to_: bigint | null
  readonly expires: Date
  readonly status: number | null
  readonly headers: KeptReply['headers'] | null
  readonly content: NonNullable<KeptReply['content']> | null
  readonly body: Uint8Array | null
}

/** A body that a crash of the server took is gone, and its reply with it. */
async function readRequests({ query }: Sql): Promise<Pick<WholeState, 'replies' | 'unanswered'>> {
  const rows = await query<RequestRow>(
    `SELECT r.id, c.sender, c.open_block, r.from_, r.to_, r.expires, r.status, r.headers, r.content,
       coalesce(r.body, large.body) AS body
     FROM request r LEFT JOIN channel c ON c.id = r.channel LEFT JOIN large_body large ON large.id = r.id
     WHERE r.expires > clock_timestamp()`,
  )
  const replies = new Map<ReplyId, KeptReply>()
  const unanswered = new Map<ReplyId, Unanswered>()
  for (const row of rows) {
    const { status, headers, content, body, sender, open_block, from_: from, to_: to } = row
    const expires = row.expires.getTime()
    if (status !== null && body !== null) {
      const said = { status, headers: headers ?? {}, body, expires }
      replies.set(idOf(row.id), content === null ? said : { ...said, content })
    }
    if (status !== null || sender === null || open_block === null || from === null || to === null)
      continue
    const channel = { sender: addressFromBytes(sender), openBlock: Number(open_block) }
    unanswered.set(idOf(row.id), { ...channel, paid: { from, to }, expires })
  }
  return { replies, unanswered }
}
