// A state from a folder into a database that several receivers share, and back. While it is moved nobody serves on
// either; counts and a checksum of all proofs are compared before the old place is given up.
import { clearMoved, ownerOfState } from '../../platform/state/state.ts'
import {
  isUraidenError,
  storedAddress,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { channelName, emptyLedger, type PaymentLedger } from '../channels/records.ts'
import { type FolderStore, type LoadedState, openStore } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { Sql } from '../postgres/connection.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import { ownerOfDatabase, whileStopped } from './stopped.ts'
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
    const report = await whileStopped(settings, owner, async (sql, place) => {
      await checkEmpty(sql, place)
      await writeDatabase(sql, state, owner)
      return compare(state.loaded, await readBack(sql))
    })
    await store.moved()
    return report
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
  let made: FolderStore | undefined
  try {
    return await whileStopped(settings, owner, async (sql) => {
      const state = await readDatabase(sql)
      await clearMoved({ folder, program: 'receiver' })
      made = await openStore(folder, owner)
      await writeFolder(made, state)
      const report = compare(state.loaded, await made.load())
      await sql.query(`UPDATE meta SET state = 'moved'`)
      return report
    })
  } catch (error) {
    // The database is served as before: nobody may serve on the folder.
    if (!isUraidenError(error, 'postgres_commit_unknown')) await made?.moved()
    throw error
  } finally {
    await made?.close()
  }
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
