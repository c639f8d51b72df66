// What a PostgreSQL server has done for one database, from outside.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PostgresServer } from '../../../test/lab/postgres/server.ts'

/** Since the server was started. */
export interface PostgresUsage {
  /** Bytes. */
  readonly wal: number
  readonly commits: number
  /** Microseconds of all its processes. */
  readonly cpu: number
}

export async function postgresUsage(
  { sql, folder }: PostgresServer,
  database: string,
): Promise<PostgresUsage> {
  const [wal, commits] = (
    await sql(
      database,
      `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), xact_commit FROM pg_stat_database
       WHERE datname = current_database()`,
    )
  ).split('|')
  return { wal: Number(wal), commits: Number(commits), cpu: (await ticksUnder(folder)) * tick }
}

/** Hundredths of a second on all Linux machines of today. */
const tick = 10_000

/** Of the server and all that it has started, also of those that have ended. */
async function ticksUnder(folder: string): Promise<number> {
  const [pid] = (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  let sum = 0
  for (const each of await readdir('/proc')) {
    if (!/^\d+$/.test(each)) continue
    // It may end meanwhile.
    const text = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => undefined)
    const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
    const own = Number(fields[11]) + Number(fields[12])
    if (each === pid) sum += own + Number(fields[13]) + Number(fields[14])
    else if (fields[1] === pid) sum += own
  }
  return sum
}
