// Connections that no server closes because they are idle. In a process that is busy for longer than the usual seconds
// it would close one in the very moment in which it is used again, and what was asked is lost.
import type { Server } from 'node:http'

/** Milliseconds for a connection whose request was under way when the server was closed. */
const atLast = 1

export function keepIdleConnections(server: Server): void {
  const { close } = server
  server.keepAliveTimeout = 0
  server.close = (callback) => {
    // Node closes those that are idle; the others would stay for ever once they are.
    server.keepAliveTimeout = atLast
    return close.call(server, callback)
  }
}
