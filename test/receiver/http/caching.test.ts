// What caches on the way may keep: nothing that was paid for, whatever sells it, unless the resource says so.
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import express from 'express'
import { fastify } from 'fastify'
import { Agent, cacheStores, interceptors, request } from 'undici'
import { expressPaywall } from '../../../receiver/http/express.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { onlyBuyers, paidCaching } from '../../../receiver/paywall/caching.ts'
import { givenChannel } from '../../support/channel.ts'
import { givenShop } from '../../support/shop.ts'

/** What the resource wrote, what goes out, and what goes out when it does not know that it is sold. */
const fields = [
  [undefined, 'private', 'private'],
  ['', 'private', 'private'],
  ['max-age=60', 'private, max-age=60', 'private, max-age=60'],
  ['public', 'public', 'private'],
  ['Public, max-age=60', 'Public, max-age=60', 'private, max-age=60'],
  ['s-maxage=60, max-age=5', 's-maxage=60, max-age=5', 'private, max-age=5'],
  ['private', 'private', 'private'],
  ['public, private', 'public, private', 'private'],
  ['no-store', 'no-store', 'no-store'],
  ['public, no-store', 'public, no-store', 'no-store'],
  ['private="X-A, X-B", max-age=9', 'private, max-age=9', 'private, max-age=9'],
  ['no-cache="public, a", max-age=9', 'private, no-cache="public, a", max-age=9', undefined],
  ['must-revalidate,, no-transform', 'private, must-revalidate, no-transform', undefined],
  ['proxy-revalidate, must-understand', 'private', 'private'],
  [['max-age=1', 'public'], 'max-age=1, public', 'private, max-age=1'],
] as const

for (const [own, said, unknowing = said] of fields) {
  test(`Cache-Control ${own} becomes ${said}, of an upstream ${unknowing}`, (t) => {
    t.is(paidCaching(own), said)
    t.is(onlyBuyers(own), unknowing)
  })
}

const dated = { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }

async function listening(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Whether it comes from the cache: the server behind it does not see it. */
async function fromSharedCache(url: string, headers: Record<string, string>) {
  const store = new cacheStores.MemoryCacheStore()
  const dispatcher = new Agent().compose(interceptors.cache({ store, type: 'shared' }))
  const ask = async (given: Record<string, string>) => {
    const {
      statusCode,
      body,
      headers: answered,
    } = await request(url, { headers: given, dispatcher })
    await body.dump()
    return { status: statusCode, caching: answered['cache-control'], kept: 'age' in answered }
  }
  const unpaid = await ask({})
  const paid = await ask(headers)
  const stranger = await ask({})
  await dispatcher.close()
  return { unpaid, paid, stranger }
}

test.serial(
  'resources of a configuration: who has not paid gets nothing from a cache',
  async (t) => {
    const wanting = 'public, max-age=600, s-maxage=900'
    const upstream = await listening(t, (asked, response) => {
      const headers = {
        ...dated,
        ...{ 'CDN-Cache-Control': 'max-age=600', 'Cloudflare-CDN-Cache-Control': 'public' },
        ...{ 'X-Accel-Expires': '600', 'Surrogate-Control': 'max-age=600' },
        ...(asked.url?.endsWith('/silent') !== true && { 'Cache-Control': wanting }),
        ...(asked.url?.endsWith('/silent') !== true && {
          Expires: 'Fri, 01 Jan 2100 00:00:00 GMT',
        }),
      }
      response.writeHead(asked.url?.endsWith('/failing') ? 503 : 200, headers).end('goods')
    })
    const { ask, headers, buy } = await givenShop(t, async (folder) => {
      await mkdir(join(folder, 'archive'))
      await writeFile(join(folder, 'archive/a.txt'), 'goods')
      await writeFile(
        join(folder, 'own.mjs'),
        `export const handler = (request, reply) => {
        const { say } = request.query
        if (say) reply.header('Cache-Control', say)
        return 'goods'
      }
      export const price = ({ headers }) => (headers['x-friend'] ? 0n : 1n)`,
      )
      return {
        '/archive/*': { price: '1 units', files: './archive', free: ['/archive/free.txt'] },
        '/command': { price: '1 units', command: 'echo goods', cache: 60 },
        '/upstream/*': { price: '1 units', upstream, free: ['/upstream/free'] },
        '/shared/*': { price: '1 units', upstream, sharedCaches: true },
        '/module': { price: '1 units', module: './own.mjs' },
        '/computed': { module: './own.mjs' },
      }
    })
    const bought = async (path: string) => {
      const answer = await buy(path, 1n)
      return answer.headers.get('cache-control')
    }
    const table = {
      '/archive/a.txt': 'private, max-age=0',
      '/command': 'private',
      '/upstream/x': 'private, max-age=600',
      '/upstream/silent': 'private',
      '/upstream/failing': 'private, max-age=600',
      '/shared/x': wanting,
      '/shared/silent': 'private',
      '/module': 'private',
      '/module?say=max-age%3D60': 'private, max-age=60',
      '/module?say=public': 'public',
      '/module?say=no-store': 'no-store',
    }
    for (const [path, expected] of Object.entries(table)) {
      t.is((await ask(path)).headers.get('cache-control'), 'no-store', `402 of ${path}`)
      t.is(await bought(path), expected, path)
    }
    const kept = await buy('/upstream/x', 1n)
    const forCaches = ['cdn-cache-control', 'cloudflare-cdn-cache-control', 'x-accel-expires']
    for (const name of [...forCaches, 'surrogate-control']) t.is(kept.headers.get(name), null, name)
    t.is((await ask('/upstream/free')).headers.get('cache-control'), wanting)
    // Free for one is not free for all.
    const friend = await ask('/computed', { headers: { 'X-Friend': 'yes' } })
    t.deepEqual([friend.status, friend.headers.get('cache-control')], [200, 'private'])

    for (const accept of ['text/html', 'application/problem+json']) {
      const refused = await ask('/command', { headers: { Accept: accept } })
      t.deepEqual([refused.status, refused.headers.get('cache-control')], [402, 'no-store'], accept)
    }
    for (const path of ['/api/1/stats', '/api/1/channels', '/api/1/none', '/archive/none']) {
      t.is((await ask(path)).headers.get('cache-control'), 'no-store', path)
    }
    const { sender, openBlock } = await buy('/command', 1n).then(() => headersOf(headers(100n)))
    const known = await ask(`/api/1/channels/${sender}/${openBlock}`)
    t.is(known.headers.get('cache-control'), 'no-store')
  },
)

function headersOf(headers: Record<string, string>) {
  return { sender: headers['RDN-Sender-Address'], openBlock: headers['RDN-Open-Block'] }
}

test.serial(
  'a cache that keeps all it may gives nobody what another one has paid for',
  async (t) => {
    const upstream = await listening(t, (_, response) =>
      response.writeHead(200, { ...dated, 'Cache-Control': 'public, max-age=600' }).end('goods'),
    )
    const { base, headers } = await givenShop(t, () => ({
      '/sold/*': { price: '1 units', upstream },
      '/shared/*': { price: '1 units', upstream, sharedCaches: true },
    }))
    const sold = await fromSharedCache(`${base}/sold/x`, headers(1n))
    t.like(sold, { unpaid: { status: 402 }, paid: { status: 200, kept: false } })
    t.like(sold.stranger, { status: 402, kept: false })
    // That the cache would keep it.
    const shared = await fromSharedCache(`${base}/shared/x`, headers(2n))
    t.like(shared, { unpaid: { status: 402 }, paid: { status: 200 } })
    t.like(shared.stranger, { status: 200, kept: true })
  },
)

/** Each answers what the query says by its own way to write heads. */
const middleware: { readonly [name: string]: (receiver: Receiver) => Promise<RequestListener> } = {
  'node:http': async (receiver) =>
    httpPaywall(receiver, { price: 1n }, (asked, response) => {
      const say = saidIn(asked)
      if (say === 'list') response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
      else if (say === 'cheap') response.setHeader('Cache-Control', 'max-age=7')
      else if (say !== null) response.writeHead(200, 'Fine', { 'Cache-Control': say })
      response.end('goods')
    }),
  express: async (receiver) => {
    const app = express()
    app.use(expressPaywall(receiver, { price: 1n }))
    app.use((asked, response) => {
      const say = saidIn(asked)
      if (say === 'cheap') response.locals.charge?.(0n)
      if (say === 'list') response.append('Set-Cookie', ['a=1', 'b=2'])
      else if (say !== null) response.set('Cache-Control', say === 'cheap' ? 'max-age=7' : say)
      response.send('goods')
    })
    return app
  },
  fastify: async (receiver) => {
    const app = fastify({ pluginTimeout: 0 })
    await app.register(fastifyPaywall, { ...receiver, price: 1n })
    app.get('/', async (asked, reply) => {
      const say = saidIn(asked.raw)
      if (say === 'cheap') reply.cost(0n)
      if (say === 'list') reply.header('Set-Cookie', ['a=1', 'b=2'])
      else if (say !== null) reply.header('Cache-Control', say === 'cheap' ? 'max-age=7' : say)
      return 'goods'
    })
    await app.ready()
    return (asked, response) => app.routing(asked, response)
  },
}

function saidIn({ url = '/' }: IncomingMessage): string | null {
  return new URL(url, 'http://here').searchParams.get('say')
}

for (const [name, start] of Object.entries(middleware)) {
  test.serial(
    `${name}: what is bought is private unless the handler names shared caches`,
    async (t) => {
      const system = await givenChannel(t)
      const url = await listening(t, await start(system.receiver))
      const unpaid = await fetch(url)
      t.deepEqual([unpaid.status, unpaid.headers.get('cache-control')], [402, 'no-store'])
      let balance = 0n
      const bought = async (say?: string, key?: string) => {
        const query = say === undefined ? '' : `?say=${encodeURIComponent(say)}`
        const headers = system.headers(
          ++balance,
          key === undefined ? {} : { 'Idempotency-Key': key },
        )
        const answer = await fetch(`${url}/${query}`, { headers })
        t.is(answer.status, 200)
        if (answer.headers.get('rdn-cost') === '0') balance--
        return answer
      }
      const table = {
        'max-age=60': 'private, max-age=60',
        'public, max-age=60': 'public, max-age=60',
        'no-store': 'no-store',
        cheap: 'private, max-age=7',
      }
      t.is((await bought()).headers.get('cache-control'), 'private')
      for (const [say, expected] of Object.entries(table)) {
        t.is((await bought(say)).headers.get('cache-control'), expected, say)
      }
      const listed = await bought('list', 'again')
      t.deepEqual(listed.headers.getSetCookie(), ['a=1', 'b=2'])
      balance--
      const repeated = await bought('list', 'again')
      t.deepEqual(
        [repeated.headers.get('cache-control'), repeated.headers.getSetCookie()],
        ['private', ['a=1', 'b=2']],
      )
      const wrong = await fetch(url, {
        headers: system.headers(balance, { 'RDN-Open-Block': 'x' }),
      })
      t.deepEqual([wrong.status, wrong.headers.get('cache-control')], [409, 'no-store'])
      const worker = await fetch(url, { headers: { 'Service-Worker': 'script' } })
      t.deepEqual([worker.status, worker.headers.get('cache-control')], [403, 'no-store'])
    },
  )
}
