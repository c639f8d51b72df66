// A receiver that takes every payment unseen: the benchmark measures the other side.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatTerms } from '../../protocol/index.ts'
import { benchTerms } from './agent-terms.ts'

const headers = formatTerms(benchTerms)
const body = '{"celsius":21.4}'

const server = createServer((request, response) => {
  const free = request.url === '/free'
  const pays = request.headers['rdn-balance-signature'] !== undefined
  response.writeHead(free || pays ? 200 : 402, {
    'content-type': 'application/json',
    ...(free ? {} : headers),
  })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
