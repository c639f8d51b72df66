// Connections to a PostgreSQL server by `pg`, which is loaded here and only when a shared state is configured.
// Errors are this project's; who has to decide by what the server said asks `sqlStateOf`.
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { checkServerIdentity } from 'node:tls'
import type { ClientBase, ClientConfig, Pool } from 'pg'
import { findPassword } from '../../platform/keys/password.ts'
import { readPrivateFile } from '../../platform/keys/private-file.ts'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import { isSocket, type PostgresSettings, placeText } from './settings.ts'

export type Row = Readonly<Record<string, unknown>>

export interface Sql {
  /**
   * One statement with values, or several without; gives the rows of the last. Columns of type bigint and numeric
   * are bigint, so no numeric with a fraction may be asked for.
   * @throws UraidenError `postgres_unavailable`, `postgres_refused` and others; what the server said: `sqlStateOf`
   */
  readonly query: <Found extends Row = Row>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Found[]>
}

/** One session of its own. */
export interface Connection extends Sql {
  /** Whoever has asked for something that is not answered does not know whether it was done. */
  readonly isLost: () => boolean
  readonly close: () => Promise<void>
}

export interface Database extends Sql {
  /** For messages. */
  readonly place: string
  readonly connect: () => Promise<Connection>
  /**
   * All that `work` does, or nothing. `begin` is sent with BEGIN, in the same round trip.
   * @throws UraidenError `postgres_commit_unknown` and what `work` throws
   */
  readonly transaction: <Value>(
    work: (sql: Sql) => Promise<Value>,
    begin?: string,
  ) => Promise<Value>
  readonly close: () => Promise<void>
}

export interface DatabaseOptions {
  /** Connections at a time; 4 by default. */
  readonly most?: number
  /** Milliseconds until a server that does not answer counts as away; 10 000 by default. */
  readonly timeout?: number
}

/** @throws UraidenError `postgres_driver_missing`, and those of private files */
export async function connectDatabase(
  settings: PostgresSettings,
  { most = 4, timeout = 10_000 }: DatabaseOptions = {},
): Promise<Database> {
  const { Pool, Client } = await driver()
  const config = await clientConfig(settings, timeout)
  const pool: Pool = new Pool({ ...config, max: most, allowExitOnIdle: true })
  // One that ends while nobody asks it is replaced when the next one is wanted; who asks it hears of it then.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const failed = (error: unknown) => postgresError(error, settings)
  return {
    place: placeText(settings),
    query: async <Found extends Row>(text: string, values?: readonly unknown[]) => {
      const client = await pool.connect().catch((error) => {
        throw failed(error)
      })
      const asked = { text, values, failed }
      return asking<Found>(client, asked).then(released(client), releasedFailed(client))
    },
    connect: async () => {
      const client = new Client(config)
      let lost = false
      client.on('error', () => {
        lost = true
      })
      client.on('end', () => {
        lost = true
      })
      await client.connect().catch((error) => {
        throw failed(error)
      })
      let warned: unknown
      client.on('notice', (notice) => {
        if (notice.code === notReplicated) warned = notice
      })
      return {
        query: async (text, values) => {
          warned = undefined
          const rows = await asking(client, { text, values, failed })
          if (warned !== undefined) throw unknownCommit(warned)
          return rows as never
        },
        isLost: () => lost,
        close: () => client.end().catch(() => undefined),
      }
    },
    transaction: async (work, begin = '') => {
      const client = await pool.connect().catch((error) => {
        throw failed(error)
      })
      return inTransaction(client, { work, begin, failed }).then(
        released(client),
        releasedFailed(client),
      )
    },
    close: () => pool.end(),
  }
}

type Failed = (error: unknown) => UraidenError

type PooledClient = ClientBase & { readonly release: (destroy?: boolean) => void }

const released =
  (client: PooledClient) =>
  <Value>(value: Value): Value => {
    client.release()
    return value
  }

/** What the server has refused leaves the session as it was; all else ends it. */
const releasedFailed =
  (client: PooledClient) =>
  (error: unknown): never => {
    client.release(sqlStateOf(error) === undefined || isUraidenError(error, lostCode))
    throw error
  }

async function asking<Found extends Row>(
  client: ClientBase,
  asked: {
    readonly text: string
    readonly values: readonly unknown[] | undefined
    readonly failed: Failed
  },
): Promise<readonly Found[]> {
  try {
    const { text, values } = asked
    const result: unknown =
      values === undefined ? await client.query(text) : await client.query(text, [...values])
    const last = (Array.isArray(result) ? result.at(-1) : result) as { readonly rows: Found[] }
    return last.rows
  } catch (error) {
    throw asked.failed(error)
  }
}

async function inTransaction<Value>(
  client: ClientBase,
  {
    work,
    begin,
    failed,
  }: {
    readonly work: (sql: Sql) => Promise<Value>
    readonly begin: string
    readonly failed: Failed
  },
): Promise<Value> {
  const query: Sql['query'] = (text, values) => asking(client, { text, values, failed })
  await query(`BEGIN; ${begin}`)
  let value: Value
  try {
    value = await work({ query })
  } catch (error) {
    // A session that cannot take it back is ended, which does.
    await query('ROLLBACK')
    throw error
  }
  await commit(client, failed)
  return value
}

/** @throws UraidenError `postgres_commit_unknown`: it may be there or not, or on this server alone */
async function commit(client: ClientBase, failed: Failed): Promise<void> {
  let warned: unknown
  const note = (notice: { readonly code?: string | undefined }) => {
    if (notice.code === notReplicated) warned = notice
  }
  client.on('notice', note)
  try {
    const { command } = await client.query('COMMIT')
    // The answer to COMMIT after a statement that failed, and that nobody minded.
    if (command !== 'COMMIT') throw new Error('the transaction was taken back')
  } catch (error) {
    throw isAnswer(error) ? failed(error) : unknownCommit(error)
  } finally {
    client.off('notice', note)
  }
  if (warned !== undefined) throw unknownCommit(warned)
}

/** Of a warning: the wait for a synchronous standby was given up. */
const notReplicated = '01000'

function unknownCommit(cause: unknown): UraidenError {
  return receiverError({
    code: lostCode,
    message: `PostgreSQL did not say that a change is safe: ${textOf(cause)}`,
    cause,
  })
}

const lostCode = 'postgres_commit_unknown'

/** @throws UraidenError `postgres_driver_missing` */
async function driver(): Promise<Pick<typeof import('pg'), 'Client' | 'Pool' | 'types'>> {
  try {
    return (await import('pg')).default
  } catch (cause) {
    throw receiverError({
      code: 'postgres_driver_missing',
      message: 'The npm package pg, which state: postgres needs, is not installed.',
      cause,
    })
  }
}

async function clientConfig(
  settings: PostgresSettings,
  timeout: number,
): Promise<ClientConfig & { readonly query_timeout: number }> {
  const { host, port, database, user = userInfo().username } = settings
  const { types } = await driver()
  const password = await passwordOf(settings)
  return {
    ...{ host, port, database, user },
    ...(password && { password }),
    ssl: await tlsOf(settings),
    application_name: 'uraiden-receiver',
    keepAlive: true,
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
    types: {
      getTypeParser: (oid, format) => (isInteger(oid) ? BigInt : types.getTypeParser(oid, format)),
    },
  }
}

/** bigint and numeric: JavaScript's numbers would lose digits. */
function isInteger(type: number): boolean {
  return type === 20 || type === 1700
}

/** Asked for with every connection: a changed file counts. */
async function passwordOf({
  passwordFile: file,
}: PostgresSettings): Promise<(() => Promise<string>) | undefined> {
  if (file === undefined) {
    // `pg` reads it, and whoever else can read it is told here.
    const { PGPASSFILE } = process.env
    if (PGPASSFILE !== undefined) await readPrivateFile(PGPASSFILE)
    return undefined
  }
  await findPassword({ file })
  return () => findPassword({ file })
}

/** As libpq's verify-full: who the server is, by a certificate for its name that somebody trusted has signed. */
async function tlsOf(settings: PostgresSettings): Promise<ClientConfig['ssl']> {
  const { host, tls } = settings
  if (tls === 'off' || isSocket(settings)) return false
  const ca = tls.ca === undefined ? undefined : await readAuthority(tls.ca)
  return {
    rejectUnauthorized: true,
    // Of an address Node would not look whether the certificate is for it.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    ...(ca !== undefined && { ca }),
  }
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw receiverError({
      code: 'certificate_unreadable',
      message: `state.tls.ca: ${file} cannot be read.`,
      cause,
    })
  }
}

/** Five letters and digits by which a server says what is wrong; undefined when no server said anything. */
export function sqlStateOf(error: unknown): string | undefined {
  if (isUraidenError(error)) return sqlStateOf(error.cause)
  return isAnswer(error) ? error.code : undefined
}

function isAnswer(error: unknown): error is { readonly code: string } {
  const { code, severity } = (error ?? {}) as {
    readonly code?: unknown
    readonly severity?: unknown
  }
  return typeof severity === 'string' && typeof code === 'string'
}

/** A server that ends, begins, or has no room for more. */
const away = /^(08|53|57P0)/

/**
 * `postgres_unavailable`, `postgres_login_refused`, `postgres_database_missing`, `postgres_not_trusted`, and
 * `postgres_refused` for all else; what a server said is its cause.
 */
function postgresError(error: unknown, settings: PostgresSettings): UraidenError {
  if (isUraidenError(error)) return error
  const place = placeText(settings)
  const said = `The database ${place}`
  const because = `: ${textOf(error)}`
  const cause = error
  const sqlState = sqlStateOf(error)
  if (sqlState === undefined && isAboutTrust(error)) {
    return receiverError({
      code: 'postgres_not_trusted',
      message: `${said} is not trusted${because}`,
      cause,
    })
  }
  if (sqlState === undefined || away.test(sqlState)) {
    return receiverError({
      code: 'postgres_unavailable',
      message: `${said} does not answer${because}`,
      cause,
    })
  }
  if (sqlState.startsWith('28')) {
    return receiverError({
      code: 'postgres_login_refused',
      message: `${said} lets nobody in${because}`,
      cause,
    })
  }
  if (sqlState === '3D000') {
    return receiverError({
      code: 'postgres_database_missing',
      message: `${said} is not there.`,
      hint: `Make it: createdb ${settings.database}`,
      cause,
    })
  }
  return receiverError({ code: 'postgres_refused', message: `${said} refuses${because}`, cause })
}

function isAboutTrust(error: unknown): boolean {
  const { code = '' } = (error ?? {}) as { readonly code?: string }
  return /CERT|SIGN|VERIFY|ISSUER|ERR_TLS/.test(code) || /does not support SSL/.test(textOf(error))
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ')
  const { message } = (error ?? {}) as { readonly message?: string }
  return message || String(error)
}
