// The transactions of an account that whoever leads sends: none leaves before its signed bytes are in the database
// under a term that holds. A leader that wakes up after its term can at most send again what the next one knows.
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { JournalEntry } from '../../platform/chain/index.ts'
import {
  type Address,
  addressToBytes,
  fromHex,
  isUraidenError,
  toHex,
} from '../../protocol/index.ts'
import type { AccountJournal } from '../channels/state.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import type { Term } from './election.ts'

export interface SharedJournalOptions {
  readonly database: Database
  /** Undefined while another process leads. */
  readonly term: () => Term | undefined
  /** Whose transactions they are. */
  readonly account: Address
  /** Milliseconds between two tries to write what may be written. Default 200. */
  readonly pause?: number
}

/** Writing rejects with UraidenError `not_the_leader` where another process leads. */
export function createSharedJournal({
  database,
  term,
  account,
  pause = 200,
}: SharedJournalOptions): AccountJournal {
  const owner = Buffer.from(addressToBytes(account))
  const write = async (work: (sql: Sql, epoch: bigint) => Promise<void>): Promise<void> => {
    const current = term()
    if (current === undefined) throw notLeading()
    return current.write((sql) => work(sql, current.epoch))
  }
  const end = (operation: string, state: 'refused' | 'ended') =>
    write(async ({ query }) => {
      await query(
        `UPDATE tx SET state = $3 WHERE operation = $1 AND account = $2 AND state = 'sent'`,
        [operation, owner, state],
      )
    })
  return {
    put: async (operation, entry) =>
      certainly(() => write((sql, epoch) => put(sql, { operation, owner, entry, epoch })), pause),
    get: async (operation) => {
      const [row] = await database.query<Row>(
        `SELECT nonce, raw, since FROM tx WHERE operation = $1 AND account = $2 AND state = 'sent'`,
        [operation, owner],
      )
      return row && entryOf(row)
    },
    delete: async (operation) => end(operation, 'ended'),
    refused: async (operation) => end(operation, 'refused'),
    firstFree: async () => {
      const [row] = await database.query<{ next: bigint }>(
        `SELECT coalesce(max(nonce) + 1, 0) AS next FROM tx WHERE account = $1 AND state <> 'refused'`,
        [owner],
      )
      return Number(row?.next ?? 0n)
    },
    nameFor: () => `unnamed/${randomUUID()}`,
    unasked: async () => {
      const rows = await database.query<{ operation: string }>(
        `SELECT operation FROM tx WHERE account = $1 AND state = 'sent'
           AND (operation LIKE 'unnamed/%' OR operation LIKE 'errand/%') ORDER BY nonce`,
        [owner],
      )
      return rows.map(({ operation }) => operation)
    },
  }
}

/**
 * Writes what can be written twice. When nobody says whether it was, it is tried until somebody does, or another process
 * may lead, who finds it then: a nonce that is taken by what never leaves would hold up all that come after it.
 */
async function certainly(write: () => Promise<void>, pause: number): Promise<void> {
  let isUnknown = false
  for (;;) {
    try {
      await write()
      return
    } catch (error) {
      isUnknown ||= isUraidenError(error, 'postgres_commit_unknown')
      if (!isUnknown || isUraidenError(error, 'not_the_leader')) throw error
      await setTimeout(pause)
    }
  }
}

interface Row extends Record<string, unknown> {
  readonly nonce: bigint
  readonly raw: readonly Uint8Array[]
  readonly since: bigint | null
}

function entryOf({ nonce, raw, since }: Row): JournalEntry {
  const transactions = raw.map((bytes) => ({
    hash: toHex(keccak_256(bytes)),
    serialized: toHex(bytes),
  }))
  return { nonce: Number(nonce), transactions, ...(since !== null && { since: Number(since) }) }
}

/** Once a day has passed over it, no node forgets any more that its nonce was used. */
const forgetEnded = `DELETE FROM tx WHERE state <> 'sent' AND at < clock_timestamp() - interval '1 day'`

async function put(
  { query }: Sql,
  {
    operation,
    owner,
    entry,
    epoch,
  }: {
    readonly operation: string
    readonly owner: Buffer
    readonly entry: JournalEntry
    readonly epoch: bigint
  },
): Promise<void> {
  const raw = entry.transactions.map(({ serialized }) => Buffer.from(fromHex(serialized)))
  // A leader of before may have signed more for it.
  const replaced = await query(
    `UPDATE tx SET raw = raw || ARRAY(SELECT r FROM unnest($4::bytea[]) AS r WHERE r <> ALL (raw)), epoch = $5
     WHERE operation = $1 AND account = $2 AND nonce = $3 AND state = 'sent' RETURNING id`,
    [operation, owner, entry.nonce, raw, epoch],
  )
  if (replaced.length > 0) return
  await query(
    'INSERT INTO tx (operation, account, nonce, raw, epoch, since) VALUES ($1, $2, $3, $4, $5, $6)',
    [operation, owner, entry.nonce, raw, epoch, entry.since ?? null],
  )
  await query(forgetEnded)
}

function notLeading() {
  return receiverError({
    code: 'not_the_leader',
    message: 'Another receiver follows the chain and sends transactions, not this one.',
  })
}
