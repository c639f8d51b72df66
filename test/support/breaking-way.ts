// The way from one process to a PostgreSQL, which breaks once, when a certain statement is on it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { PostgresSettings } from '../../receiver/postgres/settings.ts'
import type { PostgresServer } from '../lab/postgres/server.ts'

export interface BreakingWay {
  /** Of the same database, by this way. */
  readonly settings: PostgresSettings
  /** The next connection that sends this text ends: before it arrives, with the answer, or with that to its COMMIT. */
  readonly breakAt: (text: string, lost: Lost) => void
  /** It has happened. */
  readonly isBroken: () => boolean
}

type Lost = 'statement' | 'answer' | 'answer to COMMIT'

export async function breakingWay(
  t: ExecutionContext,
  { folder, port, user }: PostgresServer,
  database: string,
): Promise<BreakingWay> {
  let at: { readonly text: string; readonly lost: Lost } | undefined
  let isBroken = false
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(join(folder, `.s.PGSQL.${port}`))
    let isLast = false
    let endsWithCommit = false
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    near.on('data', (data) => {
      const { text, lost } = at ?? {}
      const isIt = text !== undefined && data.includes(text)
      if (isIt) at = undefined
      endsWithCommit ||= isIt && lost === 'answer to COMMIT'
      isLast ||= endsWithCommit ? data.includes('COMMIT') : isIt
      isBroken ||= isLast
      if (isIt && lost === 'statement') end()
      else far.write(data)
    })
    far.on('data', (data) => (isLast ? end() : near.write(data)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port: own } = server.address() as AddressInfo
  return {
    settings: { host: '127.0.0.1', port: own, database, user, tls: 'off' },
    breakAt: (text, lost) => {
      at = { text, lost }
      isBroken = false
    },
    isBroken: () => isBroken,
  }
}
