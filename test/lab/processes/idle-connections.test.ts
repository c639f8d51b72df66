import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { keepIdleConnections } from './idle-connections.ts'

test('a server that is closed while it answers ends once it has', async (t) => {
  let answer: () => void = () => undefined
  const server = createServer((_, response) => {
    answer = () => void response.end('answered')
  })
  keepIdleConnections(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  const asked = get({ host: '127.0.0.1', port, agent })
  await once(server, 'request')
  const closed = once(server, 'close')
  server.close()
  answer()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  await closed
  t.pass()
})
