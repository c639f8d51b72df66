// The same promises whichever HTTP server stands in front: node:http, fastify, express.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import express from 'express'
import { fastify } from 'fastify'
import { parseUint192 } from '../../../protocol/index.ts'
import { expressPaywall } from '../../../receiver/http/express.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { fastifyApi, receiverApi } from '../../../receiver/server/embed.ts'
import { givenChannel } from '../../support/channel.ts'

/** `/good`, `/broken`, `/cheap` (costs 2), `/stream`, `/said` (what was sent), and `/free`; 5 units each. */
const prices = { '/free': 0n, '/echodyn/:n': echoPrice, '*': 5n } as const

function echoPrice(_: unknown, { n = '' }: { readonly [name: string]: string }): bigint {
  return parseUint192(n)
}

const servers: { readonly [name: string]: (receiver: Receiver) => Promise<Server> } = {
  'node:http': async (receiver) => {
    const api = await receiverApi(receiver)
    const handler = httpPaywall(receiver, { price: prices }, async (request, response, charge) => {
      if (request.url === '/broken') throw new Error('the sensor is broken')
      if (request.url === '/cheap') charge(2n)
      if (request.url === '/unavailable') response.writeHead(503)
      if (request.url === '/said') response.end(await text(request))
      else if (request.url === '/stream') Readable.from(['a', 'b', 'c']).pipe(response)
      else response.end('served')
    })
    return createServer((request, response) =>
      api(request, response, () => void handler(request, response)),
    )
  },
  fastify: async (receiver) => {
    const app = fastify({ pluginTimeout: 0 })
    await app.register(fastifyApi, { receiver })
    await app.register(fastifyPaywall, { ...receiver, price: prices })
    app.get('/broken', () => Promise.reject(new Error('the sensor is broken')))
    app.get('/cheap', async (_, reply) => reply.cost(2n).send('served'))
    app.get('/unavailable', async (_, reply) => reply.code(503).send('served'))
    app.get('/stream', async () => Readable.from(['a', 'b', 'c']))
    app.post('/said', async ({ body }) => body)
    app.post('/good', async () => 'served')
    for (const path of ['/good', '/free', '/echodyn/:n']) app.get(path, async () => 'served')
    await app.ready()
    return app.server
  },
  express: async (receiver) => {
    const app = express()
    app.set('env', 'test')
    app.use(await receiverApi(receiver))
    app.use(expressPaywall(receiver, { price: prices }))
    app.get('/broken', () => Promise.reject(new Error('the sensor is broken')))
    app.get('/cheap', (_, response) => {
      response.locals.charge?.(2n)
      response.send('served')
    })
    app.get('/unavailable', (_, response) => void response.status(503).send('served'))
    app.get('/stream', (_, response) => void Readable.from(['a', 'b', 'c']).pipe(response))
    app.post('/said', async (request, response) => void response.send(await text(request)))
    app.post('/good', (_, response) => void response.send('served'))
    for (const path of ['/good', '/free', '/echodyn/:n']) {
      app.get(path, (_, response) => void response.send('served'))
    }
    return createServer(app)
  },
  'express after a parser of bodies': async (receiver) => {
    const app = express()
    app.use(await receiverApi(receiver))
    app.use(express.text({ limit: '1mb' }))
    app.use(expressPaywall(receiver, { price: prices }))
    app.post('/said', ({ body }, response) => void response.send(body))
    app.post('/good', (_, response) => void response.send('served'))
    return createServer(app)
  },
}

async function given(t: ExecutionContext, start: (receiver: Receiver) => Promise<Server>) {
  const system = await givenChannel(t)
  const server = await start(system.receiver)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = (path: string, balance: bigint, more: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers: system.headers(balance, more) })
  return { ...system, url, get }
}

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: another body under the key of an answer gets none of it, and is told so`, async (t) => {
    const { url, headers } = await given(t, start)
    const say = (path: string, balance: bigint, body?: string) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: headers(balance, {
          'Idempotency-Key': 'abc',
          ...(body !== undefined && { 'Content-Type': 'text/plain' }),
        }),
        ...(body !== undefined && { body }),
      })
    const said = async (...given: Parameters<typeof say>) => {
      const answer = await say(...given)
      return [answer.status, await answer.text()]
    }
    // The first fits into one packet with its head, the second comes in many.
    for (const [balance, body] of [
      [5n, 'measure at noon'],
      [10n, 'x'.repeat(300_000)],
    ] as const) {
      t.deepEqual(await said('/said', balance, body), [200, body])
      t.deepEqual(await said('/said', balance, body), [200, body])
      for (const other of [`${body}!`, body.slice(1), body.replace(/.$/, '?'), undefined]) {
        const refused = await say('/said', balance, other)
        t.is(refused.status, 422, `${other?.slice(0, 20)}`)
        t.regex(`${refused.headers.get('content-type')}`, /^application\/problem\+json/)
        t.like(await refused.json(), { code: 'idempotency_key_reused' })
      }
    }
    t.deepEqual(await said('/good', 15n), [200, 'served'])
    t.is((await say('/good', 15n, 'now with a body')).status, 422)
    // What nobody reads is compared as well.
    t.deepEqual(await said('/good', 20n, 'unread'), [200, 'served'])
    t.deepEqual(await said('/good', 20n, 'unread'), [200, 'served'])
    t.is((await say('/good', 20n, 'unsaid')).status, 422)
  })
}

for (const [name, start] of Object.entries(servers).filter(([each]) => !each.includes('after'))) {
  test(`${name}: served when paid, refused when not, free when free`, async (t) => {
    const { url, get } = await given(t, start)
    const unpaid = await fetch(`${url}/good`)
    t.is(unpaid.status, 402)
    t.is(unpaid.headers.get('rdn-price'), '5')
    t.regex(await unpaid.text(), /^Payment required: /)
    const paid = await get('/good', 5n)
    t.is(paid.status, 200)
    t.is(await paid.text(), 'served')
    t.is(paid.headers.get('rdn-sender-balance'), '5')
    t.is(paid.headers.get('rdn-cost'), null)
    t.is((await get('/good', 5n)).status, 402)
    t.is((await fetch(`${url}/free`)).status, 200)
    t.is((await get('/echodyn/7', 12n)).status, 200)
    const wrong = await fetch(`${url}/echodyn/-7`)
    t.is(wrong.status, 400)
    t.like(await wrong.json(), { code: 'not_an_integer' })
    const streamed = await get('/stream', 17n)
    t.is(await streamed.text(), 'abc')
    t.is(streamed.headers.get('rdn-sender-balance'), '17')
  })

  test(`${name}: what fails costs nothing, what costs less leaves credit`, async (t) => {
    const { get } = await given(t, start)
    const broken = await get('/broken', 5n)
    t.is(broken.status, 500)
    t.is(broken.headers.get('rdn-cost'), '0')
    const unavailable = await get('/unavailable', 5n)
    t.is(unavailable.status, 503)
    t.is(unavailable.headers.get('rdn-cost'), '0')
    const retried = await get('/good', 5n)
    t.is(retried.status, 200)
    const cheap = await get('/cheap', 10n)
    t.is(cheap.headers.get('rdn-cost'), '2')
    t.is(await cheap.text(), 'served')
    // 7 to 10 is credit: the next 5 units need 2 more.
    t.is((await get('/good', 12n)).status, 200)
  })

  test(`${name}: a lost reply is given again under the same key, and claims nothing`, async (t) => {
    const { get } = await given(t, start)
    const key = { 'Idempotency-Key': 'abc' }
    for (const [path, balance, body] of [
      ['/good', 5n, 'served'],
      ['/stream', 10n, 'abc'],
    ] as const) {
      const first = await get(path, balance, key)
      const again = await get(path, balance, key)
      t.is(await first.text(), body)
      t.is(again.status, 200)
      t.is(await again.text(), body)
      t.is(again.headers.get('rdn-sender-balance'), `${balance}`)
      t.is((await get(path, balance)).status, 402)
      t.is((await get(path, balance, { 'Idempotency-Key': 'other' })).status, 402)
    }
    t.is((await get('/echodyn/5', 5n, key)).status, 402)
    t.is((await get('/broken', 15n, key)).status, 500)
    t.is((await get('/unavailable', 15n, key)).headers.get('rdn-cost'), '0')
    const both = await Promise.all([get('/good', 15n, key), get('/good', 15n, key)])
    t.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    )
  })

  test(`${name}: beside the paywall there is what its page needs`, async (t) => {
    const { url, get, channel } = await given(t, start)
    const page = await fetch(`${url}/good`, { headers: { accept: 'text/html' } })
    t.is(page.status, 402)
    const loaded = (await page.text()).match(/\/api\/1\/web\/[\w.-]+/g) ?? []
    t.true(loaded.length >= 2, 'the page is not built: npm run web')
    for (const path of loaded) {
      const asset = await fetch(`${url}${path}`)
      t.deepEqual([asset.status, asset.headers.get('x-content-type-options')], [200, 'nosniff'])
      t.true((await asset.text()).length > 1000)
    }
    await get('/good', 5n)
    const listed = await fetch(`${url}/api/1/channels/${channel.sender}?status=all`)
    t.like(await listed.json(), [{ balance: '5', open_block: `${channel.openBlock}` }])
    const closing = await fetch(`${url}/api/1/channels/${channel.sender}/${channel.openBlock}`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: '{"balance":"5"}',
    })
    t.is(closing.status, 200)
    t.regex(await closing.text(), /"close_signature":"0x[0-9a-f]{130}"/)
    t.is(await (await fetch(`${url}/cm?x`)).text(), 'OK')
    // In fastify the default price of the scope is that of paths that are not there, too.
    t.true([402, 404].includes((await fetch(`${url}/api/1/admin/stats`)).status))
  })
}
