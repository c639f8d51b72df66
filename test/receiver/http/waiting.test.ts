// Clients that close their side when they have asked, that wait before they send their content, and that send
// their payments one after the other without waiting for answers.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import express from 'express'
import { fastify } from 'fastify'
import { expressPaywall } from '../../../receiver/http/express.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import { continueWhenRead, createReceiverServer, type Receiver } from '../../../receiver/index.ts'
import { resourcesSchema } from '../../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../../receiver/resources/routes.ts'
import { givenChannel } from '../../support/channel.ts'

const certificates = new URL('../../support/certificates/', import.meta.url)
const tls = {
  cert: readFileSync(new URL('name.pem', certificates)),
  key: readFileSync(new URL('name.key', certificates)),
}

/** `/good` says "served" and what was sent; each costs 5. Both wait a moment, as work does. */
const servers: { readonly [name: string]: (receiver: Receiver) => Promise<Server> } = {
  'node:http': async (receiver) => {
    const handler = httpPaywall(receiver, { price: 5n }, async (request, response) => {
      response.end(`served ${await text(request)}`)
    })
    const server = createServer((request, response) => void handler(request, response))
    continueWhenRead(server)
    return server
  },
  express: async (receiver) => {
    const app = express()
    app.use(expressPaywall(receiver, { price: 5n }))
    app.use(async (request, response) => void response.send(`served ${await text(request)}`))
    const server = createServer(app)
    continueWhenRead(server)
    return server
  },
  fastify: async (receiver) => {
    const app = fastify({ pluginTimeout: 0 })
    await app.register(fastifyPaywall, { ...receiver, price: 5n })
    app.route({
      ...{ method: ['GET', 'POST'], url: '/good' },
      handler: async ({ body }) => `served ${body ?? ''}`,
    })
    await app.ready()
    continueWhenRead(app.server)
    return app.server
  },
  'the receiver’s own': async (receiver) => (await ownServer(receiver)).server,
  'the receiver’s own, with TLS': async (receiver) => (await ownServer(receiver, tls)).server,
  'the receiver’s own, an upstream': async (receiver) => {
    const upstream = createServer(async (request, response) => {
      response.end(`served ${await text(request)}`)
    })
    upstream.listen(0, '127.0.0.1').unref()
    await once(upstream, 'listening')
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const app = await createReceiverServer(receiver, [])
    await registerResources(
      app,
      resourcesSchema.parse({ '/good': { price: '5 units', upstream: url } }),
    )
    await app.ready()
    return app.server
  },
}

async function ownServer(receiver: Receiver, secure?: typeof tls) {
  const handler = async ({ body }: { readonly body: unknown }) => `served ${body ?? ''}`
  const app = await createReceiverServer(
    receiver,
    (['GET', 'POST'] as const).map((method) => ({ path: '/good', method, price: 5n, handler })),
    { tls: secure },
  )
  await app.ready()
  return app
}

async function given(t: ExecutionContext, start: (receiver: Receiver) => Promise<Server>) {
  const system = await givenChannel(t)
  const server = await start(system.receiver)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const dial = async (): Promise<Client> => {
    const isSecure = 'setSecureContext' in server
    const plain = { host: '127.0.0.1', port, allowHalfOpen: true }
    const socket = isSecure ? connectTls({ ...plain, rejectUnauthorized: false }) : connect(plain)
    await once(socket, isSecure ? 'secureConnect' : 'connect')
    return client(socket)
  }
  const head = (first: string, fields: Record<string, string>) =>
    [
      first,
      'Host: localhost',
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ]
      .join('\r\n')
      .concat('\r\n\r\n')
  const owed = () => {
    const { sender, openBlock } = system.channel
    return system.receiver.book.ledger(sender, openBlock).claims
  }
  return { ...system, dial, head, owed }
}

interface Client {
  readonly socket: Socket
  /** Resolves with all that came once this did. */
  readonly saw: (part: string) => Promise<string>
  readonly all: Promise<string>
}

function client(socket: Socket): Client {
  let came = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    came += chunk
    socket.emit('came')
  })
  socket.on('error', () => undefined)
  socket.on('end', () => socket.end())
  const all = once(socket, 'close').then(() => came)
  const saw = async (part: string) => {
    while (!came.includes(part)) {
      const next = await Promise.race([once(socket, 'came'), all])
      if (typeof next === 'string') throw new Error(`closed after: ${came}`)
    }
    return came
  }
  return { socket, saw, all }
}

for (const [name, start] of Object.entries(servers)) {
  test.serial(
    `${name}: whoever closes its side has its answer, and pays only for that`,
    async (t) => {
      const { dial, head, headers, owed } = await given(t, start)
      const { socket, all } = await dial()
      socket.end(head('GET /good HTTP/1.1', headers(5n)))
      t.regex(await all, /^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n[\s\S]*served/)
      const unpaid = await dial()
      unpaid.socket.end(head('GET /good HTTP/1.1', {}))
      t.regex(await unpaid.all, /^HTTP\/1\.1 402 /)
      t.deepEqual(owed(), { highest: 5n, unclaimed: [] })
    },
  )

  test.serial(
    `${name}: content that waits to be asked for is asked for when it is paid`,
    async (t) => {
      const { dial, head, headers, owed } = await given(t, start)
      const expecting = {
        Expect: '100-continue',
        'Content-Type': 'text/plain',
        'Content-Length': '5',
      }
      const unpaid = await dial()
      unpaid.socket.write(head('POST /good HTTP/1.1', expecting))
      const refused = await unpaid.saw('\r\n\r\n')
      t.regex(refused, /^HTTP\/1\.1 402 /)
      // What comes next on it could be content, or another request.
      t.regex(refused, /\r\nconnection: close\r\n/i)
      t.regex(await unpaid.all, /^HTTP\/1\.1 402 /)

      const spent = await dial()
      spent.socket.write(head('POST /good HTTP/1.1', { ...headers(4n), ...expecting }))
      t.regex(await spent.all, /^HTTP\/1\.1 402 /)
      t.deepEqual(owed(), { highest: 0n, unclaimed: [] })

      const paid = await dial()
      paid.socket.write(head('POST /good HTTP/1.1', { ...headers(5n), ...expecting }))
      t.is(await paid.saw('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
      paid.socket.end('hello')
      t.regex(await paid.all, /100 Continue\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*served hello/)
      t.deepEqual(owed(), { highest: 5n, unclaimed: [] })

      // Who does not wait.
      const eager = await dial()
      eager.socket.write(`${head('POST /good HTTP/1.1', { ...headers(10n), ...expecting })}hello`)
      t.regex(await eager.saw('served hello'), /HTTP\/1\.1 200 OK/)
      eager.socket.destroy()
    },
  )

  test.serial(
    `${name}: payments one after the other on a connection count in their order`,
    async (t) => {
      const { dial, head, headers, owed } = await given(t, start)
      const { socket, all } = await dial()
      const balances = [5n, 10n, 15n, 20n, 25n, 30n]
      const requests = balances.map((balance) => head('GET /good HTTP/1.1', headers(balance)))
      socket.end(requests.join(''))
      const statuses = [...(await all).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
      t.deepEqual(
        statuses,
        balances.map(() => '200'),
      )
      t.deepEqual(owed(), { highest: 30n, unclaimed: [] })
    },
  )
}

test.serial('content that the route does not take costs nothing, asked for or not', async (t) => {
  const { dial, head, headers, owed } = await given(t, servers['the receiver’s own'] as never)
  const fields = { 'Content-Type': 'application/x-unknown', 'Content-Length': '5' }
  for (const more of [{}, { Expect: '100-continue' }]) {
    const { socket, saw } = await dial()
    socket.write(`${head('POST /good HTTP/1.1', { ...headers(5n), ...fields, ...more })}hello`)
    t.regex(await saw('Unsupported'), /HTTP\/1\.1 415/)
    socket.destroy()
    const { highest, unclaimed } = owed()
    t.is(highest - unclaimed.reduce((sum, { from, to }) => sum + to - from, 0n), 0n)
  }
})
