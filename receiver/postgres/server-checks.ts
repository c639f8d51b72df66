// What a server must be before anybody is served on its word: what it calls written has to be so after a power cut.
import type { UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { Sql } from './connection.ts'

/** As the server says it of a session. */
export interface ServerFacts {
  /** Such as 150018. */
  readonly version: number
  readonly isStandby: boolean
  readonly encoding: string
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
}

/** @throws UraidenError those of `Sql` */
export async function lookAtServer({ query }: Sql): Promise<ServerFacts> {
  const [facts] = await query<ServerFacts & Record<string, unknown>>(`SELECT
    current_setting('server_version_num')::int AS version,
    pg_is_in_recovery() AS "isStandby",
    current_setting('server_encoding') AS encoding,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS "fullPageWrites",
    current_setting('synchronous_commit') AS "synchronousCommit"`)
  if (facts === undefined) throw new Error('a SELECT without a row')
  return facts
}

const oldest = 140_000

/** Why nothing may be served on it; undefined when it may. */
export function problemOfServer(facts: ServerFacts, place: string): UraidenError | undefined {
  const { version, isStandby, encoding, fsync, fullPageWrites, synchronousCommit } = facts
  if (version < oldest) {
    return receiverError({
      code: 'postgres_too_old',
      message: `The database ${place} is PostgreSQL ${Math.floor(version / 10_000)}.`,
    })
  }
  const unsafe = (message: string, hint: string) =>
    receiverError({ code: 'postgres_unsafe', message: `The database ${place} ${message}`, hint })
  if (isStandby) {
    return unsafe('is a standby, which takes no writes.', 'Name the primary, or promote this one.')
  }
  if (encoding !== 'UTF8') {
    return unsafe(
      `has the encoding ${encoding}.`,
      'Make one in UTF-8: createdb --encoding UTF8 --template template0 …',
    )
  }
  const loses = 'forgets payments that were served, after a power cut.'
  if (fsync !== 'on') return unsafe(`has fsync = ${fsync}: it ${loses}`, 'Set fsync = on.')
  if (fullPageWrites !== 'on') {
    return unsafe(
      `has full_page_writes = ${fullPageWrites}: a power cut can damage it.`,
      'Set full_page_writes = on.',
    )
  }
  if (synchronousCommit === 'off' || synchronousCommit === 'local') {
    return unsafe(
      `has synchronous_commit = ${synchronousCommit}: it ${loses}`,
      'Set synchronous_commit = on, for the server, the database and the user: ALTER ROLE … RESET synchronous_commit',
    )
  }
  return undefined
}
