// Loaded before each test file: no server of a test closes a connection that is idle. In a process that is busy for
// longer than the usual seconds it would close one in the very moment in which it is used again, and what was
// asked is lost.
import { subscribe } from 'node:diagnostics_channel'
import { Server } from 'node:http'

const { keepAliveTimeout: usual } = new Server()

subscribe('http.server.request.start', (message) => {
  const { server } = message as { readonly server: Server }
  if (server.keepAliveTimeout === usual) server.keepAliveTimeout = 0
})
