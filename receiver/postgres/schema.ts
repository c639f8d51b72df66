// The tables of a shared state: SQL files in order, forwards only, run by postgrator.
import { fileURLToPath } from 'node:url'
import type { StateOwner } from '../../platform/state/state.ts'
import type { UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import { connectDatabase, type Database, type DatabaseOptions, type Sql } from './connection.ts'
import { createPatience, type Patience } from './patience.ts'
import { lookAtServer, problemOfServer } from './server-checks.ts'
import type { PostgresSettings } from './settings.ts'

/** Which files have run. */
const versionTable = 'schema_version'
/** Of what locks by number, ours: "uraiden" in ASCII. */
const lockNumber = 0x7572616964656en

export interface OpenOptions extends DatabaseOptions {
  /** Of the whole start; by default of this part of it. */
  readonly patience?: Patience
}

/**
 * The shared state of `owner`, made where there is none, with its tables as this version wants them.
 * @throws UraidenError `state_of_another`, `state_format_unknown`, `state_moved`, `postgres_unsafe`,
 * `postgres_too_old`, and those of `connectDatabase`
 */
export async function openDatabase(
  settings: PostgresSettings,
  owner: StateOwner,
  { patience = createPatience(), ...options }: OpenOptions = {},
): Promise<Database> {
  const database = await connectDatabase(settings, options)
  const { place } = database
  try {
    await patience.through(async () => {
      // One that comes back may be another one.
      const problem = problemOfServer(await lookAtServer(database), place)
      patience.reached()
      if (problem !== undefined) throw problem
      await database.transaction((sql) => prepare(sql, { owner, place }), lock)
    })
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Ends with the transaction, so that it needs no session of its own behind a pooler. */
const lock = `SELECT pg_advisory_xact_lock(${lockNumber})`

interface Prepared {
  readonly owner: StateOwner
  readonly place: string
}

async function prepare(sql: Sql, { owner, place }: Prepared): Promise<void> {
  await upgrade(sql, place)
  await takeOwnership(sql, { owner, place })
}

async function upgrade({ query }: Sql, place: string): Promise<void> {
  const { default: Postgrator } = await import('postgrator')
  const migrator = new Postgrator({
    driver: 'pg',
    schemaTable: versionTable,
    migrationPattern: fileURLToPath(new URL('./migrations/*.sql', import.meta.url)),
    execQuery: async (text) => ({ rows: [...(await query(text))] }),
  })
  const newest = await migrator.getMaxVersion()
  const found = await versionOf({ query })
  if (found > newest) throw newer(place, { found, newest })
  if (found < newest) await migrator.migrate()
}

async function versionOf({ query }: Sql): Promise<number> {
  const [there] = await query<{ table: string | null }>('SELECT to_regclass($1)::text AS table', [
    versionTable,
  ])
  if (there?.table == null) return 0
  const [found] = await query<{ version: number }>(
    `SELECT coalesce(max(version), 0)::int AS version FROM ${versionTable}`,
  )
  return found?.version ?? 0
}

function newer(
  place: string,
  { found, newest }: { readonly found: number; readonly newest: number },
): UraidenError {
  return receiverError({
    code: 'state_format_unknown',
    message: `The state in the database ${place} has format ${found}; this program knows ${newest}.`,
  })
}

interface WrittenOwner extends Record<string, unknown> {
  readonly program: string
  readonly chain_id: bigint
  readonly contract: string
  readonly account: string
  readonly state: 'serving' | 'moved'
}

const program = 'receiver'

async function takeOwnership({ query }: Sql, { owner, place }: Prepared): Promise<void> {
  const { chainId, contract, account } = owner
  await query(
    'INSERT INTO meta (program, chain_id, contract, account) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [program, `${chainId}`, contract, account],
  )
  const [found] = await query<WrittenOwner>('SELECT * FROM meta')
  if (found === undefined) throw new Error('a state without an owner')
  const isOurs =
    found.program === program &&
    found.chain_id === chainId &&
    found.contract === contract &&
    found.account === account
  if (!isOurs) {
    throw receiverError({
      code: 'state_of_another',
      message: `The state in the database ${place} is of ${found.program} ${found.account} on contract ${found.contract}, chain ${found.chain_id}; here it is ${account} on ${contract}, chain ${chainId}.`,
      hint: 'Use the chain, contract and key it was made with, or another database.',
    })
  }
  if (found.state === 'moved') {
    throw receiverError({
      code: 'state_moved',
      message: `The state in the database ${place} was moved away.`,
    })
  }
}
