// Bound requests through nginx, haproxy and Caddy, with the configurations of docs/guides/gateways.md: what is
// bought is authentic, whatever a gateway does to the traffic unasked.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { channelName } from '../../../agent/channels/records.ts'
import type { FieldLines } from '../../../protocol/bound/index.ts'
import type { Resource } from '../../../receiver/index.ts'
import { type Answer, boundClient, fieldOf, type Sent } from '../../support/bound-client.ts'
import { givenChannel } from '../../support/channel.ts'
import { type GatewayKind, startGateway } from '../../support/gateways.ts'
import { price, startSystem } from '../../support/system.ts'
import { needing, tools } from '../../support/tools.ts'

const authority = readFileSync(
  new URL('../../support/certificates/ca.pem', import.meta.url),
  'utf8',
)
const long = 'x'.repeat(300_000)

function resources(): readonly Resource[] {
  let asked = 0
  return [
    { path: '/reading', price, handler: () => ({ celsius: 21.4 }) },
    { path: '/echo', method: 'POST', price, handler: ({ body }) => body },
    { path: '/odd/*', price, handler: ({ raw }) => ({ url: raw.url }) },
    { path: '/broken', price, handler: () => Promise.reject(new Error('the sensor is broken')) },
    {
      path: '/long',
      price,
      handler: (_, reply) => reply.type('text/plain').send(Readable.from([long, 'end'])),
    },
    // Dearer from the first payment on.
    { path: '/rising', price: () => (asked++ < 1 ? price : 2n * price), handler: () => 'risen' },
  ]
}

interface Gateway {
  readonly kind: GatewayKind
  /** Of its configuration in the guide. */
  readonly name: string
  /** What the gateway takes away. */
  readonly publicPath?: string
  /** It writes paths in its own way. */
  readonly rewrites?: boolean
}

const gateways: readonly Gateway[] = [
  { kind: 'nginx', name: 'plain' },
  { kind: 'nginx', name: 'gzip' },
  { kind: 'nginx', name: 'tls' },
  { kind: 'nginx', name: 'below a path', publicPath: '/shop' },
  { kind: 'nginx', name: 'below a path, shorter', publicPath: '/shop', rewrites: true },
  { kind: 'haproxy', name: 'plain' },
  { kind: 'haproxy', name: 'below a path', publicPath: '/shop' },
  { kind: 'caddy', name: 'plain, compressed' },
  { kind: 'caddy', name: 'below a path', publicPath: '/shop' },
]

async function behind(t: ExecutionContext, { kind, name, publicPath }: Gateway) {
  const options = publicPath === undefined ? {} : { publicPath }
  const system = await startSystem(t, resources(), options)
  const root = await startGateway(t, system.base, { kind, name })
  const agent = await system.agent({ bound: 'require', tls: { authority } })
  return { ...system, agent, root: `${root}${publicPath ?? ''}` }
}

for (const gateway of gateways) {
  const { kind, name, rewrites = false } = gateway
  const title = `${kind}, ${name}: every answer that was paid for is authentic`
  needing(test, tools[kind])(title, async (t) => {
    const { agent, root, receiver } = await behind(t, gateway)
    if (/gzip|compressed/.test(name)) {
      const packed = await fetch(`${root}/api/1/openapi.json`)
      t.is(packed.headers.get('content-encoding'), 'gzip')
    }
    const balance = () => {
      const [{ openBlock } = { openBlock: 0 }] = agent.channels()
      return receiver.book.ledger(agent.address, openBlock).claims.highest
    }
    const options = { headers: { 'accept-encoding': 'gzip' } }

    const first = await agent.get(`${root}/reading`)
    t.deepEqual([first.json(), first.payment?.authentic], [{ celsius: 21.4 }, true])
    const packed = await agent.get(`${root}/reading?unit=c`, options)
    t.deepEqual([packed.json(), packed.payment?.authentic], [{ celsius: 21.4 }, true])

    const head = await agent.request(`${root}/reading`, { method: 'HEAD' })
    t.deepEqual([head.status, head.payment?.authentic, head.answer.body.length], [200, true, 0])

    const body = JSON.stringify({ order: 'ü'.repeat(20_000) })
    const headers = { 'content-type': 'application/json' }
    const posted = await agent.post(`${root}/echo`, { body, headers })
    t.deepEqual([posted.text() === body, posted.payment?.authentic], [true, true])

    for (const more of [{}, options]) {
      const later = await agent.get(`${root}/long`, more)
      t.deepEqual([later.text() === `${long}end`, later.payment?.cost], [true, price])
      t.true(later.payment?.authentic)
      const streamed = await agent.stream(`${root}/long`, more)
      t.is((await buffer(streamed.body)).length, long.length + 3)
      t.true(streamed.payment?.authentic)
    }

    const risen = await agent.get(`${root}/rising`)
    t.deepEqual(
      [risen.text(), risen.payment?.price, risen.payment?.authentic],
      [...['risen', 2n * price, true]],
    )

    const broken = await agent.get(`${root}/broken`)
    t.deepEqual([broken.status, broken.payment?.cost, broken.payment?.authentic], [500, 0n, true])
    const missing = await agent.get(`${root}/reading`, { headers: { 'if-none-match': '"x"' } })
    t.deepEqual([missing.status, missing.payment?.authentic], [200, true])

    const paid = balance()
    const odd = agent.get(`${root}/odd/b/%7e?x=%2f&y=a%20b+c%7E`)
    if (rewrites) {
      await t.throwsAsync(odd, { code: 'traffic_altered' })
      t.is(balance(), paid)
    } else {
      const answer = await odd
      t.deepEqual(answer.json(), { url: '/odd/b/%7e?x=%2f&y=a%20b+c%7E' })
      t.true(answer.payment?.authentic)
    }

    for (const { receiver: seller, openBlock } of agent.channels()) {
      await agent.closeChannel(channelName(seller, openBlock), `${root}/api/1`)
    }
    t.is(agent.channels()[0]?.state, 'closed')
  })
}

needing(test, tools.nginx)('an HTTP/2 client gets what it pays for, through nginx', async (t) => {
  const system = await givenChannel(t, { resources: resources() })
  const origin = await startGateway(t, system.base, { kind: 'nginx', name: 'tls' })
  const client = await boundClient(origin, system, { send: sendHttp2 })
  const put = await client.putKey()
  t.deepEqual([put.status, put.authentic], [200, true])
  const refused = await client.ask('/reading')
  t.deepEqual([refused.status, refused.authentic, fieldOf(refused, 'rdn-cost')], [402, true, '0'])
  const paid = await client.ask('/reading', { balance: 5n })
  t.deepEqual([paid.status, paid.authentic], [200, true])
  const posted = await client.ask('/echo', { method: 'POST', body: '{"a":1}', balance: 10n })
  t.deepEqual([posted.status, posted.authentic, posted.body.toString()], [200, true, '{"a":1}'])
  const head = await client.ask('/reading', { method: 'HEAD', balance: 15n })
  t.deepEqual([head.status, head.authentic], [200, true])
  const odd = await client.ask('/odd/b/%7e?x=%2f', { balance: 20n })
  t.deepEqual([odd.status, odd.authentic], [200, true])
  const doubled = await client.ask('/odd//b', { balance: 25n })
  t.deepEqual([doubled.status, doubled.authentic], [400, true])
  const later = await client.ask('/long', { balance: 25n })
  t.deepEqual([later.authentic, fieldOf(later, 'rdn-body')], [true, 'later'])
  t.is(later.body.length, long.length + 3)
  t.is((await client.close(25n)).authentic, true)
})

/** One connection a request, with the field names in lower case (RFC 9113 section 8.2.1). */
async function sendHttp2(origin: string, { method, path, fields, body }: Sent): Promise<Answer> {
  const session = connect(origin, { ca: authority })
  try {
    await once(session, 'connect')
    const lines = fields.map(([name, value]) => [name.toLowerCase(), value])
    const stream = session.request(
      { ':method': method, ':path': path, ...Object.fromEntries(lines) },
      { endStream: body.length === 0 },
    )
    const head = new Promise<{ status: number; fields: FieldLines }>((resolve, reject) => {
      stream.once('error', reject).once('response', (headers) => {
        const named = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
        resolve({
          status: Number(headers[':status']),
          fields: named.map(([name, value]) => [name, String(value)] as const),
        })
      })
    })
    if (body.length > 0) stream.end(body)
    return { ...(await head), body: await buffer(stream), broken: false }
  } finally {
    session.close()
  }
}
