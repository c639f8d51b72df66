import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { answerId, parseReceipt } from '../../../../protocol/bound/index.ts'
import { createReceiverServer } from '../../../../receiver/index.ts'
import { resourcesSchema } from '../../../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../../../receiver/resources/routes.ts'
import { upstreamRoutes } from '../../../../receiver/resources/upstream/routes.ts'
import { followed, locationOf, targetOf } from '../../../../receiver/resources/upstream/target.ts'
import { createTeaserMaker } from '../../../../receiver/resources/upstream/teaser-maker.ts'
import { boundClient, fieldOf, send } from '../../../support/bound-client.ts'
import { givenChannel } from '../../../support/channel.ts'
import { givenShop, rawRequest } from '../../../support/shop.ts'
import { until } from '../../../support/until.ts'

async function startUpstream(t: ExecutionContext, listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  t.teardown(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** Tells what arrived. */
const mirror: RequestListener = async (request, response) => {
  const body = await text(request)
  const { method, url, headers } = request
  response.setHeader('content-type', 'application/json')
  response.setHeader('x-own', ['a', 'b'])
  response.setHeader('rdn-price', '99')
  response.setHeader('keep-alive', 'timeout=99')
  response.end(JSON.stringify({ method, url, headers, body }))
}

async function givenProxy(
  t: ExecutionContext,
  listener: RequestListener = mirror,
  more: object = {},
) {
  const upstream = await startUpstream(t, listener)
  const shop = await givenShop(t, () => ({
    '/api/*': { price: '5 units', upstream: upstream.url, free: ['GET /api/health'], ...more },
  }))
  return { ...shop, upstream }
}

test.serial(
  'a paid request goes through with method, path, query, body and headers, without the payment',
  async (t) => {
    const { ask, buy } = await givenProxy(t)
    t.is((await ask('/api/echo')).status, 402)
    const answer = await buy('/api/echo/a%20b?x=1&y=%2F', 5n, {
      method: 'POST',
      body: 'hello',
      headers: {
        'Content-Type': 'text/x-own',
        Cookie: 'theme=dark; RDN-Foreign=1; lang=de',
        'X-Own': 'kept',
        'X-Forwarded-For': '1.2.3.4',
      },
    })
    t.is(answer.status, 200)
    const seen = (await answer.json()) as {
      readonly headers: { readonly [name: string]: string }
    }
    t.like(seen, { method: 'POST', url: '/api/echo/a%20b?x=1&y=%2F', body: 'hello' })
    t.like(seen.headers, {
      'content-type': 'text/x-own',
      'content-length': '5',
      cookie: 'theme=dark; lang=de',
      'x-own': 'kept',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    })
    t.deepEqual(
      Object.keys(seen.headers).filter((name) => name.startsWith('rdn-')),
      [],
    )
    t.is(answer.headers.get('x-own'), 'a, b')
    t.is(answer.headers.get('rdn-price'), '5')
    t.not(answer.headers.get('keep-alive'), 'timeout=99')
  },
)

test.serial(
  'what is free is free, and nothing else by another way of writing its path',
  async (t) => {
    const { ask, base } = await givenProxy(t)
    t.is((await ask('/api/health')).status, 200)
    t.is((await ask('/api/health', { method: 'POST' })).status, 402)
    t.is((await ask('//api//health')).status, 200)
    for (const path of [
      '/api/secret/../health',
      '/api/secret/..%2fhealth',
      '/api/secret/%2e%2e/health',
      '/api/secret/..;/health',
      '/api/secret%2f..%2fhealth',
      '/api/secret/..\\health',
    ]) {
      t.regex(await rawRequest(base, `GET ${path} HTTP/1.1`), /^HTTP\/1\.1 (400|404) /, path)
    }
  },
)

test.serial(
  'an answer streams: its beginning arrives while its end is not written yet',
  async (t) => {
    let finish = () => {}
    const { buy } = await givenProxy(t, (_, response) => {
      response.write('first ')
      finish = () => response.end('last')
    })
    const answer = await buy('/api/slow', 5n)
    const reader = answer.body?.getReader()
    const decoder = new TextDecoder()
    t.is(decoder.decode((await reader?.read())?.value), 'first ')
    finish()
    t.is(decoder.decode((await reader?.read())?.value), 'last')
  },
)

test.serial(
  'a body streams: the upstream sees its beginning while its end is not sent yet',
  async (t) => {
    const { base, headers } = await givenProxy(t, (request, response) => {
      request.once('data', (chunk) => response.end(`seen ${chunk}`))
    })
    const payment = Object.entries(headers(5n)).map(([name, value]) => `${name}: ${value}\r\n`)
    const { hostname, port } = new URL(base)
    const socket = connect(Number(port), hostname)
    t.teardown(() => socket.destroy())
    socket.write(
      `POST /api/in HTTP/1.1\r\nHost: x\r\n${payment.join('')}Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`,
    )
    let seen = ''
    for await (const chunk of socket) {
      seen += chunk
      if (seen.includes('seen part')) break
    }
    t.regex(seen, /^HTTP\/1\.1 200 /)
  },
)

test.serial(
  'an upstream that fails costs nothing, and the same payment is good when it is well again',
  async (t) => {
    let well = false
    const { buy, balance } = await givenProxy(t, (_, response) => {
      response.statusCode = well ? 200 : 503
      response.end(well ? 'fine' : 'broken')
    })
    const broken = await buy('/api/x', 5n)
    t.is(broken.status, 503)
    t.is(broken.headers.get('rdn-cost'), '0')
    t.is(await broken.text(), 'broken')
    well = true
    t.is(await (await buy('/api/x', 5n)).text(), 'fine')
    t.is(balance(), 5n)
  },
)

test.serial('an upstream that is too slow costs nothing', async (t) => {
  const { buy } = await givenProxy(t, () => undefined, { timeout: 0.2 })
  const slow = await buy('/api/slow', 5n)
  t.is(slow.status, 504)
  t.like(await slow.json(), { code: 'resource_timeout' })
  t.is(slow.headers.get('rdn-cost'), '0')
})

test.serial('an upstream that wants money itself, or is not there, costs nothing', async (t) => {
  const { buy, upstream } = await givenProxy(t, (_, response) => {
    response.writeHead(402, { 'rdn-price': '7' }).end()
  })
  const greedy = await buy('/api/pay', 5n)
  t.is(greedy.status, 502)
  t.is(greedy.headers.get('rdn-price'), '5')
  t.is(greedy.headers.get('rdn-cost'), '0')

  upstream.close()
  const gone = await buy('/api/x', 5n)
  t.is(gone.status, 502)
  t.like(await gone.json(), { code: 'upstream_failed' })
  t.is(gone.headers.get('rdn-cost'), '0')
})

test.serial(
  'an answer that breaks off in its middle gives the payment back, also under a key',
  async (t) => {
    let breaks = true
    const { base, headers, receiver, channel } = await givenProxy(t, (_, response) => {
      response.setHeader('content-length', '100')
      response.write('half of it')
      if (breaks) setImmediate(() => response.destroy())
      else response.end('x'.repeat(90))
    })
    const keyed = { headers: headers(5n, { 'Idempotency-Key': 'k1' }) }
    const half = await fetch(`${base}/api/x`, keyed)
    await t.throwsAsync(half.text())
    const unclaimed = () => receiver.book.ledger(channel.sender, channel.openBlock).claims.unclaimed
    await until(() => unclaimed().length > 0)
    t.deepEqual(unclaimed(), [{ from: 0n, to: 5n }])
    breaks = false
    const whole = await fetch(`${base}/api/x`, keyed)
    t.is((await whole.text()).length, 100)
    t.deepEqual(unclaimed(), [])
  },
)

test.serial(
  'under one key a body that streams through is bought once, and another body is refused',
  async (t) => {
    const { base, headers } = await givenProxy(t, async (request, response) => {
      const body = await text(request)
      response.end(`${body.length} ${body.slice(0, 5)}`)
    })
    const large = 'x'.repeat(3 << 20)
    const post = (body: string) =>
      fetch(`${base}/api/in`, {
        method: 'POST',
        headers: headers(5n, { 'Idempotency-Key': 'k1' }),
        body,
      })
    t.is(await (await post('small')).text(), '5 small')
    t.is(await (await post('small')).text(), '5 small')
    t.is((await post('large')).status, 422)
    t.is((await post(large)).status, 422)
    const again = { 'Idempotency-Key': 'k2' }
    const upload = (last: string) =>
      fetch(`${base}/api/in`, { method: 'POST', headers: headers(10n, again), body: large + last })
    t.is(await (await upload('y')).text(), `${large.length + 1} xxxxx`)
    t.is(await (await upload('y')).text(), `${large.length + 1} xxxxx`)
    t.is((await upload('z')).status, 422)
  },
)

test.serial('a failure whose body breaks off later is given back once', async (t) => {
  let breakOff: () => void = () => undefined
  const { buy, balance, pay, receiver, channel } = await givenProxy(t, ({ url }, response) => {
    if (url !== '/api/failing') return void response.end('fine')
    response.writeHead(503, { 'content-length': 100 }).write('half of it')
    breakOff = () => void response.destroy()
  })
  const failing = await buy('/api/failing', 5n)
  t.deepEqual([failing.status, failing.headers.get('rdn-cost')], [503, '0'])
  // The credit pays for something else before the failure is over.
  t.is(await (await buy('/api/x', 5n)).text(), 'fine')
  breakOff()
  await t.throwsAsync(failing.text())
  t.deepEqual(receiver.book.ledger(channel.sender, channel.openBlock).claims.unclaimed, [])
  t.is(balance(), 5n)
  t.is((await pay(5n)).status, 402)
})

/** An upstream with an answer that fits into no buffer, and a client that reads when it is told to. */
async function givenReader(t: ExecutionContext) {
  let breakOff: () => void = () => undefined
  const upstream = await startUpstream(t, (_, response) => {
    response.writeHead(200, { 'content-length': 64 << 20 })
    const more = () => {
      while (response.write(Buffer.alloc(1 << 16)));
    }
    response.on('drain', more)
    more()
    breakOff = () => void response.destroy()
  })
  const system = await givenChannel(t)
  const server = await createReceiverServer(system.receiver, [])
  t.teardown(() => server.close())
  let time = 0
  const maker = createTeaserMaker()
  t.teardown(() => maker.close())
  await server.register(async (scope) =>
    upstreamRoutes(scope, '/archive', {
      ...{
        upstream: upstream.url,
        timeout: 30_000,
        teaser: undefined,
        sandbox: false,
        sharedCaches: false,
        redirects: 'free',
        maker,
      },
      ...{ price: 5n, log: scope.log, now: () => time },
    }),
  )
  const { port, hostname } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  const responses: ServerResponse[] = []
  server.server.on('request', (_, response) => responses.push(response))
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  const payment = Object.entries(system.headers(5n)).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET /archive HTTP/1.1\r\nHost: x\r\n${payment.join('')}\r\n`)
  await once(socket, 'readable')
  const { sender, openBlock } = system.channel
  return {
    ...{ socket, breakOff: () => breakOff() },
    /** What was bought waits for its reader. */
    isFull: () => until(() => responses[0]?.writableNeedDrain),
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    ended: once(socket, 'close'),
    claims: () => system.receiver.book.ledger(sender, openBlock).claims,
  }
}

for (const [given, stall, unclaimed] of [
  ['a reader that stalls until the upstream gives up has paid', 2000, []],
  [
    'a reader that was slow for less than two seconds has its payment back',
    1999,
    [{ from: 0n, to: 5n }],
  ],
] as const) {
  for (const when of ['while it stalls', 'when it reads again'] as const) {
    test.serial(`${given}, broken off ${when}`, async (t) => {
      const { socket, breakOff, isFull, pass, ended, claims } = await givenReader(t)
      await isFull()
      pass(stall)
      if (when === 'while it stalls') breakOff()
      socket.resume()
      if (when === 'when it reads again') {
        await once(socket, 'data')
        breakOff()
      }
      await ended
      await until(() => unclaimed.length === 0 || claims().unclaimed.length > 0)
      t.deepEqual(claims(), { highest: 5n, unclaimed: [...unclaimed] })
    })
  }
}

test.serial('a client that leaves in the middle has paid, and the upstream is told', async (t) => {
  let left: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    left = resolve
  })
  const { base, headers, receiver, channel } = await givenProxy(t, (_, response) => {
    response.write('beginning')
    response.once('close', () => left())
  })
  const leaving = new AbortController()
  const answer = await fetch(`${base}/api/x`, { headers: headers(5n), signal: leaving.signal })
  t.is(answer.status, 200)
  leaving.abort()
  await told
  t.deepEqual(receiver.book.ledger(channel.sender, channel.openBlock).claims.unclaimed, [])
})

test.serial('a WebSocket is refused before anybody pays', async (t) => {
  const { base, headers } = await givenProxy(t)
  const payment = Object.entries(headers(5n)).map(([name, value]) => `${name}: ${value}\r\n`)
  const { hostname, port } = new URL(base)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.write(
    `GET /api/ws HTTP/1.1\r\nHost: x\r\n${payment.join('')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  )
  const [chunk] = await once(socket, 'data')
  t.regex(String(chunk), /^HTTP\/1\.1 501 /)
  t.regex(String(chunk), /upgrade_refused/)
  t.notRegex(String(chunk), /rdn-/i)
})

test.serial('a redirection inside the upstream becomes one inside the resource', async (t) => {
  const { buy } = await givenProxy(t, (request, response) => {
    const host = request.headers.host
    response.writeHead(302, { location: `http://${host}/api/new?x=1` }).end()
  })
  const moved = await buy('/api/old', 5n, { redirect: 'manual' })
  t.is(moved.status, 302)
  t.is(moved.headers.get('location'), '/api/new?x=1')
})

const targets = [
  ['http://h:3000', '/api/*', '/api/a%20b?x=1', 'http://h:3000/api/a%20b?x=1'],
  ['http://h:3000/', '/api/*', '/api/a', 'http://h:3000/a'],
  ['http://h/base', '/api/*', '/api/a/b', 'http://h/base/a/b'],
  ['http://h/base/', '/api/*', '/api/', 'http://h/base/'],
  ['http://h/v1/ticker?key=1', '/ticker', '/ticker?x=2', 'http://h/v1/ticker?key=1&x=2'],
  ['http://h/v1/ticker?key=1', '/ticker', '/ticker', 'http://h/v1/ticker?key=1'],
  ['http://h', '/api/*', '//api//a', 'http://h/api/a'],
  ['http://h', '/api/*', `/api/^|?q='"\\`, `http://h/api/^|?q='"\\`],
] as const
for (const [upstream, resource, url, target] of targets) {
  test(`${url} of ${resource} at ${upstream} is ${target}`, (t) => {
    const { origin, path } = targetOf(upstream, resource, url)
    t.is(origin + path, target)
  })
}

/** What the client is sent to, and below /shop of a gateway. */
const locations = [
  ['http://h', '/api/*', '/api/x', '/api/x', '/shop/api/x'],
  ['http://h', '/api/*', 'http://h/api/x#y', '/api/x#y', '/shop/api/x#y'],
  ['http://h', '/api/*', 'https://other/x', 'https://other/x', 'https://other/x'],
  ['http://h/base/', '/cdn/*', 'http://h/base/x', '/cdn/x', '/shop/cdn/x'],
  ['http://h/base', '/cdn/*', '/base/x?y=1', '/cdn/x?y=1', '/shop/cdn/x?y=1'],
  ['http://h/base', '/cdn/*', '/elsewhere', '/elsewhere', '/elsewhere'],
] as const
for (const [upstream, path, location, given, below] of locations) {
  test(`${path} at ${upstream} turns the location ${location} into ${given}`, (t) => {
    t.is(locationOf(upstream, { path, publicPath: '' }, location), given)
    t.is(locationOf(upstream, { path, publicPath: '/shop' }, location), below)
  })
}

const follows = [
  ['http://h/api/*', '/old', '/api/new?x=1', 'http://h/api/new?x=1'],
  ['http://h/api/*', '/old', 'new', 'http://h/api/new'],
  ['http://h/api/*', '/old', 'https://h/api/new', 'https://h/api/new'],
  ['https://h/api/*', '/old', 'http://h/api/new', undefined],
  ['http://h:3000/api/*', '/old', 'https://h/api/new', undefined],
  ['http://h/api/*', '/old', 'http://h:81/api/new', undefined],
  ['http://h/api/*', '/old', 'http://other/api/new', undefined],
  ['http://h/api/*', '/old', '//other/api/new', undefined],
  ['http://h/api/*', '/old', 'http://a:b@h/api/new', undefined],
  ['http://h/api/*', '/old', '/admin', undefined],
  ['http://h/api/*', '/old', '/api/../admin', undefined],
  ['http://h/api/*', '/old', 'file:///etc/passwd', undefined],
  ['http://h/api/*', '/old', 'http://[', undefined],
  ['http://h/latest', '', '/2026-01-01', 'http://h/2026-01-01'],
  ['http://h/latest', '', 'https://h/latest', 'https://h/latest'],
] as const
for (const [sold, rest, location, expected] of follows) {
  test(`${sold} leads from ${rest} to ${location}: ${expected ?? 'not followed'}`, (t) => {
    const { origin, pathname } = new URL(sold)
    // The same resource at an upstream with a path of its own, and without.
    for (const upstream of rest === '' ? [sold] : [origin, `${origin}/api`, `${origin}/api/`]) {
      const from = { origin, path: rest === '' ? pathname : `/api${rest}` }
      const to = followed(upstream, pathname, { from, location })
      t.is(to && to.origin + to.path, expected, upstream)
    }
  })
}

test.serial('a redirection costs nothing, or is followed where it may be', async (t) => {
  const upstream = await startUpstream(t, ({ url = '', method }, response) => {
    const [, status = '', to = ''] = /^\/api\/(\d+)\/(.*)$/.exec(url) ?? []
    if (status === '') return void response.end(`${method} ${url}`)
    response.writeHead(Number(status), {
      location: to === 'away' ? 'http://other.invalid/' : `/api/${to}`,
    })
    response.end('moved')
  })
  const kinds = { price: '5 units', upstream: upstream.url }
  const { buy, balance } = await givenShop(t, () => ({
    '/api/*': kinds,
    '/follow/*': { ...kinds, upstream: `${upstream.url}/api/`, redirects: 'follow' },
  }))
  const free = [
    ...[301, 302, 303, 307, 308, 304].flatMap((status) => [
      ['GET', status, true],
      ['HEAD', status, true],
    ]),
    ['POST', 303, false],
    ['POST', 302, false],
    ['POST', 307, true],
    ['POST', 308, true],
    ['GET', 200, false],
  ] as const
  for (const [method, status, isFree] of free) {
    const before = balance()
    const answer = await buy(`/api/${status}/new`, 5n, { method: `${method}`, redirect: 'manual' })
    t.is(answer.status, Number(status))
    t.is(balance() - before, isFree ? 0n : 5n, `${method} ${status}`)
  }
  const followed = [
    ['GET', '302/new', 200, 'GET /api/new', 5n],
    ['HEAD', '308/new', 200, '', 5n],
    ['GET', '301/302/303/307/308/end', 200, 'GET /api/end', 5n],
    ['GET', `${'301/'.repeat(6)}end`, 301, 'moved', 0n],
    ['GET', '302/away', 302, 'moved', 0n],
    ['POST', '303/new', 303, 'moved', 5n],
    ['POST', '307/new', 307, 'moved', 0n],
    ['GET', '301/503/x', 503, 'moved', 0n],
  ] as const
  for (const [method, path, status, body, cost] of followed) {
    const before = balance()
    const answer = await buy(`/follow/${path}`, 5n, { method, redirect: 'manual' })
    t.deepEqual([answer.status, await answer.text()], [status, body], `${method} ${path}`)
    t.is(balance() - before, cost, `${method} ${path}`)
  }
})
test.serial('a GET with a body, and a body of no type, go through too', async (t) => {
  const { base } = await givenProxy(t, mirror, { price: 0 })
  for (const [method, type] of [
    ['GET', 'Content-Type: text/plain\r\n'],
    ['POST', ''],
    ['PUT', 'Content-Type: application/json\r\n'],
  ]) {
    const head = `${method} /api/x HTTP/1.1\r\n${type}Content-Length: 2\r\nHost: x\r\nConnection: close\r\n\r\n{]`
    const { hostname, port } = new URL(base)
    const socket = connect(Number(port), hostname)
    socket.write(head)
    t.regex(await text(socket), /"body":"\{\]"/, `${method} ${type}`)
  }
})

for (const [trustProxy, expected] of [
  [undefined, '127.0.0.1'],
  [['127.0.0.1'], '9.8.7.6'],
  [['127.0.0.0/8', '9.8.7.6'], '203.0.113.5'],
  [['10.0.0.1'], '127.0.0.1'],
] as const) {
  test.serial(
    `behind ${trustProxy ?? 'no proxy'} the client is ${expected}, and nothing else is believed`,
    async (t) => {
      const upstream = await startUpstream(t, mirror)
      const { receiver, headers } = await givenChannel(t)
      const server = await createReceiverServer(receiver, [], { trustProxy })
      t.teardown(() => server.close())
      await registerResources(
        server,
        resourcesSchema.parse({ '/x': { price: '1 units', upstream: upstream.url } }),
      )
      const base = await server.listen({ host: '127.0.0.1', port: 0 })
      const forged = {
        'X-Forwarded-For': '203.0.113.5, 9.8.7.6',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Proto': 'https',
      }
      const answer = await fetch(`${base}/x`, { headers: headers(1n, forged) })
      const seen = (await answer.json()) as {
        readonly headers: { readonly [name: string]: string }
      }
      t.like(seen.headers, {
        'x-forwarded-for': expected,
        'x-forwarded-host': new URL(base).host,
        'x-forwarded-proto': 'http',
      })
    },
  )
}

test.serial('methods of WebDAV and others go to an upstream, priced as all', async (t) => {
  const { base } = await givenProxy(t)
  const shop = await givenProxy(t, mirror, { price: { PROPFIND: '3 units', '*': '5 units' } })
  for (const [method, price] of [
    ['PROPFIND', 3n],
    ['REPORT', 5n],
    ['MKCOL', 5n],
    ['SEARCH', 5n],
  ] as const) {
    t.is((await shop.ask('/api/x', { method })).headers.get('rdn-price'), `${price}`)
    const answer = await shop.buy('/api/x', price, { method, body: '<all/>' })
    t.like(await answer.json(), { method, url: '/api/x', body: '<all/>' })
  }
  t.regex(await rawRequest(base, 'TRACE /api/x HTTP/1.1'), /^HTTP\/1\.1 (404|405|501)/)
})

test.serial('below a path, what a client is sent to begins with it', async (t) => {
  const upstream = await startUpstream(t, (_, response) =>
    response.writeHead(302, { location: '/x/new' }).end(),
  )
  const shop = await givenShop(
    t,
    async (folder) => {
      await mkdir(join(folder, 'archive/deep'), { recursive: true })
      await writeFile(join(folder, 'archive/deep/index.html'), 'deep')
      const teaser = { from: '/preview' }
      return {
        '/archive/*': { price: '1 units', files: './archive' },
        '/x/*': { price: '1 units', upstream: upstream.url, teaser },
      }
    },
    { publicPath: '/shop' },
  )
  const location = async (answer: Promise<Response>) => (await answer).headers.get('location')
  const init = { redirect: 'manual' } as const
  t.is(await location(shop.ask('/archive/deep?a=1', init)), '/shop/archive/deep/?a=1')
  t.is(await location(shop.buy('/x/old', 1n, init)), '/shop/x/new')
  const page = await (await shop.ask('/x/old', { headers: { Accept: 'text/html' } })).text()
  t.regex(page, /src="\/shop\/api\/1\/teaser\/x\/old"/)
})

test.serial(
  'an answer that breaks off has cost nothing: its receipt says so, and how far it came',
  async (t) => {
    const size = 300_000
    const upstream = await startUpstream(t, ({ url }, response) => {
      response.writeHead(200, { 'content-length': size })
      response.write(Buffer.alloc(200_000), () => {
        if (url === '/api/broken') response.destroy()
        else response.end(Buffer.alloc(size - 200_000))
      })
    })
    const shop = await givenShop(t, () => ({
      '/api/*': { price: '5 units', upstream: upstream.url },
    }))
    const client = await boundClient(shop.base, shop)
    t.true((await client.putKey()).authentic)
    for (const [path, balance, complete, cost] of [
      ['/api/broken', 5n, false, 0n],
      // The same payment is good for the next try.
      ['/api/whole', 5n, true, 5n],
      ['/api/broken', 10n, false, 0n],
    ] as const) {
      const { sent, mac } = client.make(path, { balance })
      const answer = await send(shop.base, sent)
      t.deepEqual(
        [answer.status, answer.broken, fieldOf(answer, 'rdn-cost')],
        [200, !complete, '5'],
      )
      const receiptPath = `${client.own}/answers/${answerId(mac)}`
      const read = async () => parseReceipt((await client.ask(receiptPath)).body.toString())
      await until(async () => (await read()).cost === cost)
      const receipt = await read()
      t.like(receipt, { status: 200, complete, cost })
      t.true(complete ? receipt.length === size : receipt.length < size)
    }
    const { sender, openBlock } = shop.channel
    t.deepEqual(shop.receiver.book.ledger(sender, openBlock).claims, {
      highest: 10n,
      unclaimed: [{ from: 5n, to: 10n }],
    })
  },
)
