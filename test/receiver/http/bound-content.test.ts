// Content of bound requests that is too long to be collected: it streams, and nobody has all of it, is paid for
// it or answers it before it is known to be what the sender signed.
import { createHash } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { fastify } from 'fastify'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { upstreamRoutes } from '../../../receiver/resources/upstream/routes.ts'
import { createTeaserMaker } from '../../../receiver/resources/upstream/teaser-maker.ts'
import { fastifyApi, receiverApi } from '../../../receiver/server/embed.ts'
import { boundClient, fieldOf, type Sent, send } from '../../support/bound-client.ts'
import { givenChannel } from '../../support/channel.ts'
import { until } from '../../support/until.ts'

const price = 5n
const long = 'x'.repeat((1 << 20) + 200_000)

/** What the resource has seen of each request. */
interface Seen {
  url: string
  length: number
  /** SHA-256, in hex; undefined while it has no end. */
  digest: string | undefined
  broken: boolean
}

/** Reads the content and answers; of `/early` it reads nothing. */
async function take(seen: Seen[], request: IncomingMessage): Promise<string> {
  const each: Seen = { url: request.url ?? '', length: 0, digest: undefined, broken: false }
  seen.push(each)
  if (request.url?.startsWith('/early')) return 'early'
  const hash = createHash('sha256')
  try {
    for await (const chunk of request) {
      hash.update(chunk)
      each.length += chunk.length
    }
  } catch (error) {
    each.broken = true
    throw error
  }
  each.digest = hash.digest('hex')
  return `${each.length} bytes`
}

async function listening(t: ExecutionContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Start = (t: ExecutionContext, receiver: Receiver, seen: Seen[]) => Promise<string>

const servers: { readonly [name: string]: Start } = {
  'node:http': async (t, receiver, seen) => {
    const api = await receiverApi(receiver)
    const handler = httpPaywall(receiver, { price }, async (request, response) => {
      response.end(await take(seen, request))
    })
    const server = createServer((request, response) =>
      api(request, response, () => void handler(request, response)),
    )
    return listening(t, server)
  },
  'an upstream behind fastify': async (t, receiver, seen) => {
    const upstream = await listening(
      t,
      createServer((request, response) => {
        take(seen, request).then(
          (text) => response.end(text),
          () => response.destroy(),
        )
      }),
    )
    const app = fastify({ pluginTimeout: 0 })
    t.teardown(() => app.close())
    await app.register(fastifyApi, { receiver })
    await app.register(fastifyPaywall, { ...receiver, price })
    const { log } = app
    const maker = createTeaserMaker()
    t.teardown(() => maker.close())
    await app.register((scope) =>
      upstreamRoutes(scope, '/*', {
        upstream,
        timeout: 20_000,
        price,
        teaser: undefined,
        sandbox: false,
        sharedCaches: false,
        redirects: 'free',
        maker,
        log,
      }),
    )
    await app.ready()
    return listening(t, app.server)
  },
}

async function given(t: ExecutionContext, start: Start) {
  const system = await givenChannel(t)
  const seen: Seen[] = []
  const origin = await start(t, system.receiver, seen)
  const client = await boundClient(origin, system)
  await client.putKey()
  const { sender, openBlock } = system.channel
  const unclaimed = () => system.receiver.book.ledger(sender, openBlock).claims.unclaimed
  return { origin, client, seen, unclaimed }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Sends the first bytes of the content; `end` sends the rest, or hangs up. */
function sendPart(origin: string, { method, path, fields, body }: Sent, length: number) {
  const { hostname, port } = new URL(origin)
  const size = ['Content-Length', `${body.length}`]
  const headers = ['Host', `${hostname}:${port}`, ...fields.flat(), ...size]
  const request = httpRequest({ hostname, port, method, path, headers, agent: false })
  let status: number | undefined
  request
    .on('error', () => undefined)
    .on('response', (response) => {
      status = response.statusCode
      response.on('error', () => undefined).resume()
    })
  request.write(body.subarray(0, length))
  return {
    status: () => status,
    rest: () => request.end(body.subarray(length)),
    hangUp: () => request.destroy(),
  }
}

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: long content goes through whole, and is paid once`, async (t) => {
    const { origin, client, seen, unclaimed } = await given(t, start)
    const { sent, mac } = client.make('/take', { method: 'POST', body: long, balance: 5n })
    const answer = await send(origin, sent)
    t.deepEqual([answer.status, answer.body.toString()], [200, `${long.length} bytes`])
    t.true(client.isAuthentic(answer, mac))
    t.is(seen[0]?.digest, sha256(long))
    t.deepEqual(unclaimed(), [])
    const again = await send(origin, sent)
    t.deepEqual([again.body, seen.length], [answer.body, 1])
  })

  test(`${name}: altered content has no end, no answer and no price; what was signed is bought later`, async (t) => {
    const { origin, client, seen, unclaimed } = await given(t, start)
    const { sent, mac } = client.make('/take', { method: 'POST', body: long, balance: 5n })
    for (const at of [0, 600_000, long.length - 1]) {
      const body = Buffer.from(sent.body)
      body[at] = 0
      await t.throwsAsync(send(origin, { ...sent, body }))
      await until(() => seen.at(-1)?.broken === true)
      await until(() => unclaimed().length === 1)
      t.true((seen.at(-1)?.length ?? 0) < long.length)
    }
    const answer = await send(origin, sent)
    t.deepEqual([answer.status, client.isAuthentic(answer, mac)], [200, true])
    t.is(fieldOf(answer, 'rdn-cost'), '5')
    t.deepEqual(unclaimed(), [])
    t.is(seen.length, 4)
  })

  test(`${name}: content that breaks off costs nothing`, async (t) => {
    const { origin, client, seen, unclaimed } = await given(t, start)
    const { sent } = client.make('/take', { method: 'POST', body: long, balance: 5n })
    const part = sendPart(origin, sent, long.length - 1)
    await until(() => seen.length === 1)
    part.hangUp()
    await until(() => unclaimed().length === 1)
    t.is(seen[0]?.digest, undefined)
  })
}

test('nothing is answered before all of the content is there, also where nobody reads it', async (t) => {
  const { origin, client, seen, unclaimed } = await given(t, servers['node:http'] as Start)
  const { sent } = client.make('/early', { method: 'POST', body: long, balance: 5n })
  const part = sendPart(origin, sent, long.length - 1)
  await until(() => seen.length === 1)
  t.is(part.status(), undefined)
  // Who never sends the rest has paid for nothing, and has got nothing.
  part.hangUp()
  await until(() => unclaimed().length === 1)
  const whole = sendPart(origin, sent, long.length - 1)
  await until(() => seen.length === 2)
  whole.rest()
  await until(() => whole.status() === 200)
  t.deepEqual(unclaimed(), [])
})

test('a refusal does not wait for the content', async (t) => {
  const { origin, client } = await given(t, servers['node:http'] as Start)
  const { sent } = client.make('/take', { method: 'POST', body: long })
  const part = sendPart(origin, sent, long.length - 1)
  await until(() => part.status() === 402)
  part.hangUp()
  t.pass()
})
