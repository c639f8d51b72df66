// A state from a folder into a database that several receivers share, and back. While it is moved nobody serves on
// either; counts and a checksum of all proofs are compared before the old place is given up.
import { clearMoved, ownerOfState, type StateOwner } from '../../platform/state/state.ts'
import {
  isUraidenError,
  storedAddress,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { channelName, emptyLedger, type PaymentLedger } from '../channels/records.ts'
import { type FolderStore, type LoadedState, openStore } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import { connectDatabase, type Sql } from '../postgres/connection.ts'
import { openDatabase } from '../postgres/schema.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import { longestSilence } from './membership.ts'
import { checksumOf } from './stored-ledgers.ts'
import { readBack, readDatabase, readFolder, writeDatabase, writeFolder } from './whole-state.ts'

export interface MoveReport {
  readonly channels: number
  /** With something paid, agreed or bound. */
  readonly ledgers: number
  /** Of all balances, in the token's smallest unit. */
  readonly balanceSum: TokenAmount
  /** SHA-256 over all ledgers with their proofs; the same in both places. */
  readonly checksum: string
}

/**
 * Into a database where nothing is yet. The folder is refused from then on.
 * @throws UraidenError `state_in_use`, `state_not_empty`, `state_differs`, those of `openStore` and `openDatabase`
 */
export async function moveToDatabase(
  folder: string,
  settings: PostgresSettings,
): Promise<MoveReport> {
  const owner = await ownerOfState({ folder, program: 'receiver' })
  const store = await openStore(folder, owner)
  try {
    const state = await readFolder(store)
    const database = await openDatabase(settings, owner, patient)
    try {
      const report = await database.transaction(async (sql) => {
        await checkUnused(sql, database.place)
        await checkEmpty(sql, database.place)
        await writeDatabase(sql, state, owner)
        return compare(state.loaded, await readBack(sql))
      }, allWait)
      await store.moved()
      return report
    } finally {
      await database.close()
    }
  } finally {
    await store.close()
  }
}

/**
 * Into a folder where no state is, or one that was moved away. The database is refused from then on.
 * @throws UraidenError `state_in_use`, `state_not_empty`, `state_differs`, those of `openStore` and `openDatabase`
 */
export async function moveToFolder(
  settings: PostgresSettings,
  folder: string,
): Promise<MoveReport> {
  const owner = await ownerOfDatabase(settings)
  const database = await openDatabase(settings, owner, patient)
  let made: FolderStore | undefined
  try {
    return await database.transaction(async (sql) => {
      await checkUnused(sql, database.place)
      const state = await readDatabase(sql)
      await clearMoved({ folder, program: 'receiver' })
      made = await openStore(folder, owner)
      await writeFolder(made, state)
      const report = compare(state.loaded, await made.load())
      await sql.query(`UPDATE meta SET state = 'moved'`)
      return report
    }, allWait)
  } catch (error) {
    // The database is served as before: nobody may serve on the folder.
    if (!isUraidenError(error, 'postgres_commit_unknown')) await made?.moved()
    throw error
  } finally {
    await made?.close()
    await database.close()
  }
}

/** A statement of it may be about all channels. */
const patient = { timeout: 600_000 }

/** Nobody joins meanwhile, see `join`. */
const allWait = 'LOCK TABLE meta IN ACCESS EXCLUSIVE MODE'

async function ownerOfDatabase(settings: PostgresSettings): Promise<StateOwner> {
  const database = await connectDatabase(settings)
  try {
    const [there] = await database.query<{ table: string | null }>(
      `SELECT to_regclass('meta')::text AS table`,
    )
    const [found] =
      there?.table == null
        ? []
        : await database.query<{ chain_id: bigint; contract: string; account: string }>(
            'SELECT chain_id, contract, account FROM meta',
          )
    if (found === undefined) {
      throw receiverError({
        code: 'state_missing',
        message: `There is no state in the database ${database.place}.`,
        hint: 'Name the database of a receiver.',
      })
    }
    const { chain_id: chainId, contract, account } = found
    return { chainId, contract: storedAddress(contract), account: storedAddress(account) }
  } finally {
    await database.close()
  }
}

async function checkUnused({ query }: Sql, place: string): Promise<void> {
  const alive = await query<{ name: string }>(
    `SELECT name FROM process
     WHERE left_at IS NULL AND seen_at > clock_timestamp() - $1::int * interval '1 ms'`,
    [longestSilence],
  )
  if (alive.length === 0) return
  const names = alive.map(({ name }) => name).join(', ')
  throw receiverError({
    code: 'state_in_use',
    message: `Receivers use the state in the database ${place}: ${names}.`,
    hint: 'Stop all of them, and try again after some seconds.',
  })
}

async function checkEmpty({ query }: Sql, place: string): Promise<void> {
  const [found] = await query<{ channels: bigint; transactions: bigint; read: boolean }>(
    `SELECT (SELECT count(*) FROM channel) AS channels, (SELECT count(*) FROM tx) AS transactions,
       block IS NOT NULL AS read FROM position`,
  )
  if (found?.channels === 0n && found.transactions === 0n && !found.read) return
  throw receiverError({
    code: 'state_not_empty',
    message: `There is a state in the database ${place} already, with ${found?.channels} channels.`,
  })
}

function compare(
  before: Pick<LoadedState, 'facts' | 'ledgers'>,
  after: Pick<LoadedState, 'facts' | 'ledgers'>,
): MoveReport {
  const [wanted, found] = [reportOf(before), reportOf(after)]
  const same =
    wanted.channels === found.channels &&
    wanted.ledgers === found.ledgers &&
    wanted.checksum === found.checksum
  if (same) return found
  throw differs(wanted, found)
}

function reportOf({ facts, ledgers: all }: Pick<LoadedState, 'facts' | 'ledgers'>): MoveReport {
  const ledgers = new Map([...all].filter(([, ledger]) => saysSomething(ledger)))
  return {
    channels: facts.size,
    ledgers: ledgers.size,
    balanceSum: [...ledgers.values()].reduce((sum, { claims }) => sum + claims.highest, 0n),
    checksum: checksumOf(ledgers),
  }
}

function saysSomething(ledger: PaymentLedger): boolean {
  return checksumOf(new Map([[anyName, ledger]])) !== nothingSaid
}

const anyName = channelName(storedAddress(`0x${'0'.repeat(40)}`), 0)
const nothingSaid = checksumOf(new Map([[anyName, emptyLedger]]))

function differs(wanted: MoveReport, found: MoveReport): UraidenError {
  const text = ({ channels, ledgers, checksum }: MoveReport) =>
    `${channels} channels, ${ledgers} of them with proofs (${checksum.slice(0, 16)}…)`
  return receiverError({
    code: 'state_differs',
    message: `What was written is not what was read: ${text(wanted)}, and then ${text(found)}.`,
  })
}
