// A PostgreSQL of one's own for a test file, and an empty database of it for a test.
import type { ExecutionContext, TestFn } from 'ava'
import { type PostgresSettings, parsePostgresUrl } from '../../receiver/postgres/settings.ts'
import { type PostgresServer, type ServerOptions, startPostgres } from '../lab/postgres/server.ts'
import { needing, tools } from './tools.ts'

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
