// The configurations of docs/guides/many-receivers.md: requests go to all receivers, and round those that are gone.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type GatewayKind, startBalancer } from '../support/gateways.ts'
import { needing, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

interface Receiver {
  readonly port: number
  readonly opsPort: number
  /** Not ready any more, and then gone. */
  readonly end: () => void
}

/** Says its name, and what came to it. */
async function startReceiver(t: ExecutionContext, name: string): Promise<Receiver> {
  let isReady = true
  const listen = async (server: Server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    return (server.address() as AddressInfo).port
  }
  const shop = createServer((request, response) => {
    const { 'rdn-balance': balance = '' } = request.headers
    response.setHeader('connection', 'close').end(`${name} ${request.url} ${balance}`)
  })
  const ops = createServer((_, response) => {
    response.writeHead(isReady ? 200 : 503).end()
  })
  return {
    port: await listen(shop),
    opsPort: await listen(ops),
    end: () => {
      isReady = false
      shop.close()
      shop.closeAllConnections()
    },
  }
}

for (const kind of ['nginx', 'haproxy'] as const satisfies readonly GatewayKind[]) {
  needing(test, tools[kind])(
    `${kind} sends requests to all receivers, and to those that are left when one has ended`,
    async (t) => {
      const receivers = await Promise.all(['a', 'b', 'c'].map((name) => startReceiver(t, name)))
      const guide = 'many-receivers.md'
      const root = await startBalancer(t, receivers, { kind, name: 'several receivers', guide })
      const ask = async () => {
        const response = await fetch(`${root}/reading?at=%7e1`, { headers: { 'RDN-Balance': '7' } })
        const [name = '', ...rest] = (await response.text()).split(' ')
        return { status: response.status, name, rest: rest.join(' ') }
      }
      const seen = new Set<string>()
      await until(async () => {
        const { status, name, rest } = await ask()
        t.deepEqual([status, rest], [200, '/reading?at=%7e1 7'])
        seen.add(name)
        return seen.size === 3
      })
      receivers[1]?.end()
      // Not one of them is lost.
      const after = await Promise.all(Array.from({ length: 40 }, ask))
      t.deepEqual([...new Set(after.map(({ status }) => status))], [200])
      t.deepEqual([...new Set(after.map(({ name }) => name))].sort(), ['a', 'c'])
    },
  )
}
