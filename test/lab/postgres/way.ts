// The way from one process to a PostgreSQL, which can be cut: nothing passes any more, and nobody is told.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'
import type { PostgresServer } from './server.ts'

type Endpoint = Pick<PostgresServer, 'folder' | 'port'>

export interface Way {
  /** Of the same database, by this way. */
  readonly settings: PostgresSettings
  /** What is sent from now on waits. */
  readonly cut: () => void
  /** `late`: what has waited arrives; `lost`: it does not, and both sides hear that the connection is gone. */
  readonly heal: (how: 'late' | 'lost') => void
  /** New connections lead to another server; those that are there end. */
  readonly leadTo: (server: Endpoint) => void
  readonly close: () => void
}

export async function openWay(
  first: Endpoint & Pick<PostgresServer, 'user'>,
  database: string,
): Promise<Way> {
  const sockets = new Set<Socket>()
  let isCut = false
  let end: Endpoint = first
  const server = createServer((near) => {
    const far = connect(join(end.folder, `.s.PGSQL.${end.port}`))
    const [nearToFar, farToNear] = [
      [near, far],
      [far, near],
    ] as const
    for (const [from, to] of [nearToFar, farToNear]) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('data', (data) => to.write(data))
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (isCut) from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return {
    settings: { host: '127.0.0.1', port: address.port, database, user: first.user, tls: 'off' },
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.pause()
    },
    heal: (how) => {
      isCut = false
      for (const socket of [...sockets]) {
        if (how === 'late') socket.resume()
        else socket.destroy()
      }
    },
    leadTo: (other) => {
      end = other
      for (const socket of [...sockets]) socket.destroy()
    },
    close: () => {
      server.close()
      for (const socket of [...sockets]) socket.destroy()
    },
  }
}
