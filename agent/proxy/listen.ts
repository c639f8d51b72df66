// The proxy's port: on this machine only.

import type { Server } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { agentError } from '../errors/index.ts'

export interface Loopback {
  readonly host: string
  readonly port: number
}

/**
 * `127.0.0.1:8402`, `[::1]:8402`, `localhost:8402` or a port alone. Any other interface would be an open
 * purse for the network.
 * @throws UraidenError `not_loopback`
 */
export function parseLoopback(text: string): Loopback {
  const [, bracketed, plain, digits] =
    /^(?:(?:\[([^\]]*)\]|([^:]*)):)?([0-9]{1,5})$/.exec(text.trim()) ?? []
  const name = bracketed ?? plain ?? '127.0.0.1'
  const host = name === 'localhost' ? '127.0.0.1' : name
  const port = Number(digits)
  const loopback = (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && host === '::1')
  if (loopback && digits !== undefined && port <= 65_535) return { host, port }
  throw agentError({
    code: 'not_loopback',
    message: `"${text}" is not a port on this machine’s loopback.`,
  })
}

/** @throws UraidenError `address_in_use` */
export function listenOn(server: Server, { host, port }: Loopback): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        agentError({
          code: 'address_in_use',
          message: `${host}:${port} cannot be listened on (${cause.code}).`,
          cause,
        }),
      ),
    )
    server.listen({ host, port, exclusive: true }, () => resolve())
  })
}
