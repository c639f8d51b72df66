// Loaded before each test file: no server of a test closes a connection that is idle.
import { subscribe } from 'node:diagnostics_channel'
import { Server } from 'node:http'
import { keepIdleConnections } from '../lab/processes/idle-connections.ts'

const { keepAliveTimeout: usual } = new Server()

subscribe('http.server.request.start', (message) => {
  const { server } = message as { readonly server: Server }
  if (server.keepAliveTimeout === usual) keepIdleConnections(server)
})
