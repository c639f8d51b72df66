// A PostgreSQL of one's own for a test file, and an empty database of it for a test.
import type { ExecutionContext, TestFn } from 'ava'
import { addressOfKey, fromHex } from '../../protocol/index.ts'
import { standForElection, type Term } from '../../receiver/cluster/election.ts'
import { join } from '../../receiver/cluster/membership.ts'
import type { Database } from '../../receiver/postgres/connection.ts'
import { openDatabase } from '../../receiver/postgres/schema.ts'
import { type PostgresSettings, parsePostgresUrl } from '../../receiver/postgres/settings.ts'
import { type PostgresServer, type ServerOptions, startPostgres } from '../lab/postgres/server.ts'
import { needing, tools } from './tools.ts'
import { until } from './until.ts'

/** Declares tests that need a server; NOT RUN where Debian's package is missing. */
export function withPostgres(test: TestFn) {
  return needing(test, tools.postgres)
}

/** One for all tests of a file that do not stop it; gone when they are over. To be called where tests are declared. */
export function sharedPostgres(test: TestFn): () => Promise<PostgresServer> {
  let started: Promise<PostgresServer> | undefined
  test.after.always(async () => (await started)?.remove())
  return () => {
    started ??= startPostgres()
    return started
  }
}

/** One for this test alone. */
export async function ownPostgres(
  t: ExecutionContext,
  options?: ServerOptions,
): Promise<PostgresServer> {
  const server = await startPostgres(options)
  t.teardown(server.remove)
  return server
}

export async function emptyDatabase(server: PostgresServer): Promise<PostgresSettings> {
  return { ...parsePostgresUrl(server.url(await server.createDatabase())), tls: {} }
}

/** Of a state that is made for a test: its processes, its leader. */
export interface SharedStateHere {
  readonly database: Database
  readonly settings: PostgresSettings
  /** Of a process here that leads until the test is over. */
  readonly term: Term
}

const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
export const stateOwner = { chainId: 31337n, contract, account: receiver }

/** An empty state, led from the test's own process. */
export async function ledState(
  t: ExecutionContext,
  server: PostgresServer,
): Promise<SharedStateHere> {
  const settings = await emptyDatabase(server)
  const database = await openDatabase(settings, stateOwner)
  t.teardown(database.close)
  const { id } = await join(database, t.title)
  const election = standForElection({
    database,
    holder: () => id,
    onElected: () => undefined,
    onError: () => undefined,
  })
  t.teardown(election.stop)
  // A lease that has run out while the machine was busy is taken again: the newest counts.
  const first = await until(election.term)
  const current = () => election.term() ?? first
  return {
    ...{ database, settings },
    term: { epoch: first.epoch, over: first.over, write: (work) => current().write(work) },
  }
}
