// The PostgreSQL of the fault lab: the receiver keeps its state there, by a link that fails as all others do.
import { createTurns } from '../../../platform/async/turns.ts'
import type { PaymentLedger } from '../../../receiver/channels/records.ts'
import { readLedgers } from '../../../receiver/cluster/stored-ledgers.ts'
import { connectDatabase } from '../../../receiver/postgres/connection.ts'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'
import { startPostgres } from '../postgres/server.ts'
import { freePort } from '../processes/free-port.ts'

export interface LabServer {
  readonly port: number
  /** A new and empty one. */
  readonly createDatabase: () => Promise<LabDatabase>
  /** kill -9 of all its processes at once, and start again. */
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface LabDatabase {
  /** By a port on 127.0.0.1. */
  readonly settings: (port: number) => PostgresSettings
  /** Without the receiver. */
  readonly ledgers: () => Promise<ReadonlyMap<string, PaymentLedger>>
}

export async function startLabPostgres(): Promise<LabServer> {
  const port = await freePort()
  const server = await startPostgres({
    port,
    settings: { listen_addresses: '127.0.0.1' },
    access: ['host all all 127.0.0.1/32 trust'],
  })
  const turns = createTurns()
  return {
    port,
    createDatabase: async () => {
      const database = await server.createDatabase()
      const settings = (by: number): PostgresSettings => {
        return { host: '127.0.0.1', port: by, database, user: server.user, tls: 'off' }
      }
      return { settings, ledgers: () => ledgersOf(settings(port)) }
    },
    // Two at once would be two servers on one folder.
    kill: () =>
      turns.take(async () => {
        await server.kill()
        await server.start()
      }),
    close: server.remove,
  }
}

async function ledgersOf(settings: PostgresSettings): Promise<ReadonlyMap<string, PaymentLedger>> {
  const database = await connectDatabase(settings)
  try {
    return await readLedgers(database)
  } finally {
    await database.close()
  }
}
