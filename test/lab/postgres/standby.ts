// A primary with a standby that follows it, until it is told to stay behind or to take over.
import { setTimeout } from 'node:timers/promises'
import { type PostgresServer, standbyName, startPostgres } from './server.ts'

export interface Standby {
  readonly server: PostgresServer
  /** Resolves when it has all that the primary has written. */
  readonly caughtUp: () => Promise<void>
  /** It gets nothing of what the primary writes from now on. */
  readonly holdBack: () => Promise<void>
  /** The primary acknowledges nothing from now on that this one has not written down. */
  readonly makeSynchronous: () => Promise<void>
  /** Resolves when it takes writes. */
  readonly promote: () => Promise<void>
}

export async function startStandby(primary: PostgresServer): Promise<Standby> {
  const server = await startPostgres({ standbyOf: primary, port: primary.port + 1 })
  const here = (text: string) => server.sql('postgres', text)
  const there = (text: string) => primary.sql('postgres', text)
  return {
    server,
    caughtUp: async () => {
      const written = await there('SELECT pg_current_wal_flush_lsn()')
      await polled(() => here(`SELECT pg_last_wal_replay_lsn() >= '${written}'`))
    },
    holdBack: async () => {
      await here(`ALTER SYSTEM SET primary_conninfo = ''`)
      await here('SELECT pg_reload_conf()')
      await polled(() => here('SELECT count(*) = 0 FROM pg_stat_wal_receiver'))
    },
    makeSynchronous: async () => {
      await there(`ALTER SYSTEM SET synchronous_standby_names = '${standbyName}'`)
      await there('SELECT pg_reload_conf()')
      await polled(() =>
        there(`SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'`),
      )
    },
    promote: async () => {
      await here('SELECT pg_promote()')
    },
  }
}

async function polled(asked: () => Promise<string>): Promise<void> {
  while ((await asked()) !== 't') await setTimeout(20)
}
