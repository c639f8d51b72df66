// Loaded before each test file: no server of a test closes a connection that is idle, and nobody who asks a node
// gives up on it as soon as a program does. The node lives in the test's own process.
import { subscribe } from 'node:diagnostics_channel'
import { ClientRequest, Server } from 'node:http'
import { keepIdleConnections } from '../lab/processes/idle-connections.ts'
import { patience } from './until.ts'

const { keepAliveTimeout: usual } = new Server()

subscribe('http.server.request.start', (message) => {
  const { server } = message as { readonly server: Server }
  if (server.keepAliveTimeout === usual) keepIdleConnections(server)
})

/** In milliseconds, of a question to a node where nothing else is said. */
const usualTimeout = 10_000

const { setTimeout } = ClientRequest.prototype

ClientRequest.prototype.setTimeout = function (timeout, callback) {
  return setTimeout.call(this, timeout === usualTimeout ? patience : timeout, callback)
}
