// Nobody gets one thing at the price of another by how he writes it.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import express from 'express'
import fc from 'fast-check'
import { fastify } from 'fastify'
import { isPlainTarget } from '../../../protocol/index.ts'
import { expressPaywall } from '../../../receiver/http/express.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import { createReceiverServer, type Receiver } from '../../../receiver/index.ts'
import { givenChannel } from '../../support/channel.ts'
import { rawRequest } from '../../support/shop.ts'

const attacks = [
  'http://x/weather/berlin',
  'HTTP://x/free',
  'http://free/../weather/berlin',
  '/sensors/..%2f..%2ffree',
  '/weather/..%2Ffree',
  '/weather/..%252ffree',
  '/weather/%2e%2e/free',
  '/weather/../free',
  '/weather/./berlin',
  '/weather/..;x/free',
  '/weather/..\\free',
  '/weather/..%5cfree',
  '/free\t/../weather',
  '/free%00/../weather',
  '/free#/../weather',
  '/weather/%ff',
  '/weather/berlin;v=1',
  '/weather;v=1/berlin',
  '/weather/berlin;',
  '/weather/berlin%3Bv=1',
  '/weather/berlin%253bv=1',
] as const

for (const target of attacks) {
  test(`${JSON.stringify(target)} is not plain`, (t) => t.false(isPlainTarget(target)))
}

/** Any text of the characters that matter. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...['/', '.', '..', '%2e', '%2F', '%5c', '\\', ';', '?', '#', '%25', '%', '\t', '\0', ' '],
      ...['a', '~', 'http://x', '//', '@', ':', '%c3%a4', 'ä', '^', '|', '&'],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

test('what passes reads the same whoever decodes it and when', (t) => {
  const check = (target: string) => {
    if (!isPlainTarget(target)) return
    const [path = ''] = target.split('?', 1)
    const decoded = decodeURIComponent(path)
    // Splitting and decoding give the same parts in either order.
    t.deepEqual(path.split('/').map(decodeURIComponent), decoded.split('/'))
    // No reader takes a part away, and none sees another host or a fragment.
    const url = new URL(`http://a${target}`)
    t.is(decodeURIComponent(url.pathname), decoded)
    t.deepEqual([url.host, url.hash], ['a', ''])
    t.notRegex(decoded, /[\\;\p{Cc}]/u)
  }
  fc.assert(
    fc.property(hostile, (text) => {
      check(text)
      check(`/${text}`)
    }),
    { numRuns: 2000 },
  )
})

test('what an honest client sends passes', (t) => {
  const name = fc.stringMatching(/^[a-z0-9 äß%?#'|^()!~-]{1,8}$/)
  fc.assert(
    fc.property(fc.array(name), name, (names, query) => {
      const path = names.map(encodeURIComponent).join('/')
      // A name that holds %2f itself is an encoded slash to whoever decodes twice.
      if (/%25(?:2e|2f|3b|5c|7f|[01][\da-f])/i.test(path)) return
      const { pathname, search } = new URL(`http://a/${path}?${query}`)
      t.true(isPlainTarget(pathname + search), pathname + search)
    }),
  )
})

const prices = { '/free': 0n, '*': 5n } as const

const servers: { readonly [name: string]: (receiver: Receiver) => Promise<Server> } = {
  'node:http': async (receiver) =>
    createServer(
      httpPaywall(receiver, { price: prices }, (_, response) => void response.end('served')),
    ),
  fastify: async (receiver) => {
    const app = fastify()
    await app.register(fastifyPaywall, { ...receiver, price: prices })
    app.get('/*', async () => 'served')
    await app.ready()
    return app.server
  },
  express: async (receiver) => {
    const app = express()
    app.use(expressPaywall(receiver, { price: prices }))
    app.use((_, response) => void response.send('served'))
    return createServer(app)
  },
  'the receiver’s server': async (receiver) => {
    const handler = async () => 'served'
    const app = await createReceiverServer(receiver, [
      { path: '/free', price: 0n, handler },
      { path: '/weather/:town', price: { '/weather/:town': 5n, '*': 0n }, handler },
      { path: '/sensors/*', price: prices, handler },
    ])
    await app.ready()
    return app.server
  },
}

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: nothing priced is served for a path that can be read in two ways`, async (t) => {
    const { receiver } = await givenChannel(t)
    const server = await start(receiver)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const target of attacks) {
      const answer = await rawRequest(base, `GET ${target} HTTP/1.1`)
      t.regex(answer, /^HTTP\/1\.1 400 /, target)
      t.notRegex(answer, /served/, target)
    }
    const status = async (target: string, more = '') =>
      (await rawRequest(base, `GET ${target} HTTP/1.1${more}`)).slice(9, 12)
    // What is sold becomes no service worker of the whole origin, paid or free.
    for (const target of ['/free', '/weather/berlin']) {
      t.is(await status(target, '\r\nService-Worker: script'), '403')
    }
    for (const query of ['', '?', '?x=/../%2f']) {
      t.is(await status(`/free${query}`), '200')
      t.is(await status(`/weather/berlin${query}`), '402')
    }
  })
}
