import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename, stat } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, connect as dial } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { ProxyAgent, request } from 'undici'
import { jobOfProgram } from '../../../agent/proxy/pay.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { curl, raw, startTestProxy } from '../../support/proxy.ts'
import { startSystem } from '../../support/system.ts'
import { needing, tools } from '../../support/tools.ts'
import { until } from '../../support/until.ts'

const withCurl = needing(test, tools.curl)

/** Somebody who is no receiver. Answers what it was asked, as JSON. */
async function startStranger(t: ExecutionContext) {
  const seen: IncomingMessage[] = []
  const server = createServer(async (request, response) => {
    seen.push(request)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    response.setHeader('X-Twice', ['a', 'b'])
    response.setHeader('Connection', 'x-hop')
    response.setHeader('X-Hop', 'only here')
    response.end(Buffer.concat(chunks))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function problem(body: string): { readonly code: string; readonly detail: string } {
  const { type, title, status, ...rest } = JSON.parse(body)
  if (!type || !title || !status) throw new Error(`no problem details: ${body}`)
  return rest
}

withCurl('curl pays through the proxy, and the answer says what it cost', async (t) => {
  const { agent, base, receiverAccount } = await startSystem(t)
  const { url, defects } = await startTestProxy(t, await agent(), base)
  const first = await curl('-x', url, `${base}/reading`)
  t.is(first.status, 200)
  t.is(first.body, '{"celsius":21.4}')
  t.is(first.headers.get('uraiden-cost'), '5')
  t.is(first.headers.get('uraiden-balance'), '5')
  t.true(first.headers.get('uraiden-channel')?.startsWith(`${receiverAccount.address}/`))
  t.regex(first.headers.get('via') ?? '', /uraiden-agent/)

  const named = await curl('-x', url, 'http://room/reading')
  t.is(named.status, 200)
  t.is(named.headers.get('uraiden-balance'), '10')
  t.is(named.headers.get('uraiden-round-trips'), '1')

  const missing = await curl('-x', url, 'http://room/nothing')
  t.is(missing.status, 404)
  t.is(missing.headers.get('uraiden-cost'), '0')
  t.deepEqual(defects, [])
})

needing(test, tools.python3)(
  'a Python script pays through the proxy without a library',
  async (t) => {
    const { agent, base } = await startSystem(t)
    const { url } = await startTestProxy(t, await agent(), base)
    const script = `
import os, urllib.request
for _ in range(3):
    with urllib.request.urlopen(os.environ["READING"], timeout=60) as answer:
        print(answer.status, answer.headers["Uraiden-Balance"], answer.read().decode())
`
    const { stdout } = await promisify(execFile)('python3', ['-c', script], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        http_proxy: url,
        READING: `${base}/reading`,
      },
    })
    t.deepEqual(stdout.trim().split('\n'), [
      '200 5 {"celsius":21.4}',
      '200 10 {"celsius":21.4}',
      '200 15 {"celsius":21.4}',
    ])
  },
)

withCurl('content goes both ways, and what looks like a payment stays behind', async (t) => {
  const seen: IncomingMessage['headers'][] = []
  const { agent, base } = await startSystem(t, [
    {
      path: '/echo',
      price: 5n,
      method: 'POST',
      handler: (request) => {
        seen.push(request.headers)
        return request.body
      },
    },
  ])
  const { url } = await startTestProxy(t, await agent(), base)
  const headers = [
    ['RDN-Balance', '1'],
    ['Cookie', 'a=1; RDN-Sender-Balance=7; b=2'],
    ['Connection', 'X-Private'],
    ['X-Private', 'for the proxy'],
    ['Uraiden-Max-Price', '5 units'],
    ['Content-Type', 'application/json'],
  ].flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const answer = await curl('-x', url, ...headers, '-d', '{"much":"content"}', `${base}/echo`)
  t.is(answer.status, 200, answer.body)
  t.is(answer.body, '{"much":"content"}')
  const chunked = ['-H', 'Transfer-Encoding: chunked', '-H', 'Content-Type: application/json']
  t.is((await curl('-x', url, ...chunked, '-d', '{}', `${base}/echo`)).body, '{}')
  t.is(seen[0]?.cookie, 'a=1; b=2')
  t.is(seen[0]?.['x-private'], undefined)
  t.is(seen[0]?.['uraiden-max-price'], undefined)
  t.not(seen[0]?.['rdn-balance'], '1')
})

withCurl('what may not be paid is a 402 with problem details, and nothing is signed', async (t) => {
  const { agent, base } = await startSystem(t)
  const payer = await agent({ budget: { total: 12n } })
  const { url } = await startTestProxy(t, payer, base)
  const capped = await curl('-x', url, '-H', 'Uraiden-Max-Price: 4 units', `${base}/reading`)
  t.is(capped.status, 402)
  t.is(capped.headers.get('content-type'), 'application/problem+json')
  t.regex(capped.headers.get('proxy-status') ?? '', /^uraiden-agent; error=http_request_denied/)
  t.is(problem(capped.body).code, 'price_over_cap')
  t.deepEqual(payer.channels(), [])
  t.is((await curl('-x', url, `${base}/reading`)).status, 200)
  t.is((await curl('-x', url, `${base}/reading`)).status, 200)
  const spent = await curl('-x', url, `${base}/reading`)
  t.is(spent.status, 402)
  t.is(problem(spent.body).code, 'budget_total_spent')
})

withCurl('programs have tokens, and budgets of their own', async (t) => {
  const { agent, base } = await startSystem(t)
  const payer = await agent({ budget: { jobs: { [jobOfProgram('weather')]: { total: 5n } } } })
  const { url } = await startTestProxy(t, payer, base, {
    withoutToken: 'refuse',
    programs: [
      { name: 'weather', token: 'secret-of-weather' },
      { name: 'cheap', token: 'secret-of-cheap', mostPrice: 4n },
    ],
  })
  const ask = (...args: readonly string[]) => curl('-x', url, ...args, `${base}/reading`)
  const unknown = await ask()
  t.is(unknown.status, 407)
  t.regex(unknown.headers.get('proxy-authenticate') ?? '', /^Basic /)
  t.is((await ask('-U', 'weather:secret-of-cheap')).status, 407)
  t.is((await ask('-U', 'nobody:secret-of-weather')).status, 407)
  t.is((await ask('-U', 'weather:secret-of-weather')).status, 200)
  const spent = await ask('--proxy-header', 'Proxy-Authorization: Bearer secret-of-weather')
  t.is(spent.status, 402)
  t.regex(problem(spent.body).detail, /program weather .* proxy\.programs\.weather\.budget\.total/)
  t.is(problem((await ask('-U', 'cheap:secret-of-cheap')).body).code, 'price_over_cap')
})

withCurl('nobody but receivers is asked, unless the configuration says so', async (t) => {
  const { agent, base } = await startSystem(t)
  const stranger = await startStranger(t)
  const payer = await agent()
  const closed = await startTestProxy(t, payer, base)
  const refused = await curl('-x', closed.url, `${stranger.url}/a`)
  t.is(refused.status, 403)
  t.is(problem(refused.body).code, 'others_refused')
  t.is(stranger.seen.length, 0)

  const open = await startTestProxy(t, payer, base, { others: 'pass' })
  const headers = ['-H', 'Connection: X-Private', '-H', 'X-Private: 1', '-H', 'X-Kept: 2']
  const passed = await curl('-x', open.url, ...headers, '-d', 'words', `${stranger.url}/a?b`)
  t.is(passed.status, 200)
  t.is(passed.body, 'words')
  t.is(passed.headers.get('x-hop'), undefined)
  const [request] = stranger.seen
  t.is(request?.url, '/a?b')
  t.is(request?.headers.host, new URL(stranger.url).host)
  t.is(request?.headers['x-private'], undefined)
  t.is(request?.headers['x-kept'], '2')
  t.is(request?.headers['proxy-connection'], undefined)

  const nobody = await curl('-x', open.url, 'http://127.0.0.1:9/')
  t.is(nobody.status, 502)
  t.is((await curl('-x', open.url, `${open.url}/again`)).status, 508)
  t.is((await curl('-x', open.url, '-H', 'Via: 1.1 uraiden-agent', `${base}/reading`)).status, 508)
})

test('a request to others by https is encrypted, and to nobody who cannot show who he is', async (t) => {
  const certificate = (name: string) => readFile(`test/support/certificates/${name}`, 'utf8')
  const [key, cert] = await Promise.all([certificate('ip.key'), certificate('ip.pem')])
  const seen: string[] = []
  const stranger = createSecureServer({ key, cert }, ({ url = '' }, response) => {
    seen.push(url)
    response.end()
  })
  await once(stranger.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => void stranger.close())
  const nobody = { stream: () => Promise.reject(new Error('nothing is bought')) }
  const { proxy } = await startTestProxy(t, nobody, 'http://127.0.0.1:9', { others: 'pass' })
  const { port } = stranger.address() as AddressInfo
  const asked = get({ port: proxy.port, path: `https://127.0.0.1:${port}/secret`, agent: false })
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  t.is(answer.statusCode, 502)
  t.regex(Buffer.concat(await answer.toArray()).toString(), /DEPTH_ZERO_SELF_SIGNED_CERT/)
  t.deepEqual(seen, [])
})

test('tunnels are refused, or opened to others, and never to a receiver with https', async (t) => {
  const { agent, base } = await startSystem(t)
  const server = createTcpServer((socket) => void socket.pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const { port } = server.address() as AddressInfo
  const payer = await agent()
  const connect = (where: number, authority: string, more = '') =>
    raw(where, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n${more}`)

  const closed = await startTestProxy(t, payer, base)
  const portOf = (proxy: { readonly url: string }) => Number(new URL(proxy.url).port)
  t.regex(await connect(portOf(closed), `127.0.0.1:${port}`), /^HTTP\/1.1 403 .*tunnel_refused/s)

  const open = await startTestProxy(t, payer, base, { connect: 'tunnel' })
  t.regex(await connect(portOf(open), 'room:443'), /^HTTP\/1.1 403 .*tunnel_cannot_pay/s)
  t.regex(await connect(portOf(open), '127.0.0.1:9'), /^HTTP\/1.1 502 /)
  t.regex(await connect(portOf(open), 'no-port'), /^HTTP\/1.1 400 /)
  t.regex(await connect(portOf(open), `127.0.0.1:${portOf(open)}`), /^HTTP\/1.1 508 /)
  const socket = dial(portOf(open), '127.0.0.1')
  socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\nearly`)
  let echoed = ''
  for await (const chunk of socket) {
    echoed += chunk
    if (echoed.endsWith('early')) socket.end()
  }
  t.is(echoed, 'HTTP/1.1 200 Connection established\r\n\r\nearly')
})

test('requests that could be read in two ways, or mean the proxy itself, are refused', async (t) => {
  const { agent, base } = await startSystem(t)
  const { url, defects } = await startTestProxy(t, await agent(), base, { others: 'pass' })
  const port = Number(new URL(url).port)
  const host = new URL(base).host
  const head = `POST http://${host}/reading HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`
  const get = (target: string) =>
    `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
  const cases: readonly (readonly [bytes: string, status: number])[] = [
    [`${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    [`${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
    [`${head}Content-Length: 3\n\nabc`, 400],
    [get('/status'), 400],
    [get('ftp://127.0.0.1/a'), 400],
    [get(`http://me:you@${host}/reading`), 400],
    [get(`http://${host}/reading#part`), 400],
    [get('http:///'), 400],
    [`TRACE http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 405],
    [`GET http://${host}/reading HTTP/1.1\r\nConnection: close\r\n\r\n`, 400],
    [`${head}Content-Length: 1001\r\n\r\n${'x'.repeat(1001)}`, 413],
    [`${get(`http://${host}/reading`).replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\nx')}`, 400],
    [`${head}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 400],
  ]
  for (const [bytes, status] of cases) {
    t.regex(await raw(port, bytes), new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 120))
  }
  const other = `POST http://127.0.0.1:9/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`
  const coded = await raw(port, `${other}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`)
  t.regex(coded, /^HTTP\/1.1 501 /)
  t.deepEqual(defects, [])
})

withCurl(
  'at most so many requests at a time; a program that hangs up aborts its request',
  async (t) => {
    const { base } = await startSystem(t)
    let asked = 0
    const aborted: boolean[] = []
    const { url } = await startTestProxy(
      t,
      {
        stream: (_, options) => {
          asked++
          return new Promise((_, reject) => {
            options?.signal?.addEventListener('abort', () => {
              aborted.push(true)
              reject(new Error('aborted'))
            })
          })
        },
      },
      base,
      { mostAtOnce: 1 },
    )
    const first = new AbortController()
    const slow = promisify(execFile)(
      'curl',
      ['-sS', '-x', url, '--max-time', '60', `${base}/reading`],
      {
        signal: first.signal,
      },
    ).catch(() => undefined)
    await until(() => asked > 0)
    const busy = await curl('-x', url, `${base}/reading`)
    t.is(busy.status, 503)
    t.is(busy.headers.get('retry-after'), '10')
    first.abort()
    await slow
    await until(() => aborted.length > 0)
    t.is(asked, 1)
  },
)

withCurl(
  'a Unix socket is for its owner; a stale one is replaced, a living one is not',
  async (t) => {
    const { agent, base } = await startSystem(t)
    const payer = await agent()
    const path = join(await temporaryFolder(t), 'proxy.sock')
    const socket = { path, access: 'owner' } as const
    const { proxy } = await startTestProxy(t, payer, base, { socket })
    t.is((await stat(path)).mode & 0o777, 0o600)
    const answer = await curl(
      '--unix-socket',
      path,
      '--request-target',
      `${base}/reading`,
      'http://localhost/',
    )
    t.is(answer.status, 200)
    t.is(answer.body, '{"celsius":21.4}')
    await t.throwsAsync(startTestProxy(t, payer, base, { socket }), { code: 'socket_in_use' })
    await proxy.close(0)

    const left = createTcpServer()
    left.listen(path)
    await once(left, 'listening')
    // Closed without removing its file, as by kill -9.
    await rename(path, `${path}.kept`)
    left.close()
    await rename(`${path}.kept`, path)
    const group = { path, access: 'group' } as const
    await startTestProxy(t, payer, base, { socket: group })
    t.is((await stat(path)).mode & 0o777, 0o660)
    const long = { path: join('/tmp', 'x'.repeat(120)), access: 'owner' } as const
    await t.throwsAsync(startTestProxy(t, payer, base, { socket: long }), {
      code: 'socket_unusable',
    })
  },
)

test('undici opens a tunnel for http, and pays in it', async (t) => {
  const { agent, base } = await startSystem(t)
  const { url, defects } = await startTestProxy(t, await agent(), base, {
    programs: [{ name: 'weather', token: 'secret-of-weather' }],
    withoutToken: 'refuse',
  })
  const uri = url.replace('//', '//weather:secret-of-weather@')
  const dispatcher = new ProxyAgent({ uri, proxyTunnel: true })
  t.teardown(() => dispatcher.destroy())
  for (const [place, balance] of [
    [base, '5'],
    ['http://room', '10'],
    [base, '15'],
  ] as const) {
    const { statusCode, headers, body } = await request(`${place}/reading`, { dispatcher })
    t.deepEqual([statusCode, await body.json()], [200, { celsius: 21.4 }])
    t.is(headers['uraiden-balance'], balance)
  }
  const stranger = new ProxyAgent({ uri: url, proxyTunnel: true })
  t.teardown(() => stranger.destroy())
  await t.throwsAsync(request(`${base}/reading`, { dispatcher: stranger }), { message: /407/ })
  t.deepEqual(defects, [])
})

test('in a tunnel to a receiver there is HTTP, and nothing else', async (t) => {
  const { agent, base } = await startSystem(t)
  const { url, defects } = await startTestProxy(t, await agent(), base)
  const port = Number(new URL(url).port)
  const { host } = new URL(base)
  const inside = (bytes: string) =>
    raw(port, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n${bytes}`)
  const get = (target: string, of = host) =>
    `GET ${target} HTTP/1.1\r\nHost: ${of}\r\nConnection: close\r\n\r\n`
  const stood = /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 /
  for (const [bytes, status] of [
    [get('/reading'), 200],
    // Host says nothing here: the tunnel is to the receiver.
    [get('/reading', 'other.example'), 200],
    [get(`http://${host}/reading`), 200],
    [get('/nothing'), 404],
    [get('http://other.example/'), 403],
    [get('*'), 400],
    [get('/a#b'), 400],
    ['\u0016\u0003\u0001\u0002\u0000', 400],
  ] as const) {
    const answer = await inside(bytes)
    t.regex(answer, stood, bytes)
    t.is(Number(answer.replace(stood, '').slice(0, 3)), status, `${bytes}: ${answer}`)
  }
  t.deepEqual(defects, [])
})

test('a receiver’s redirections stay where the program knows it', async (t) => {
  const { agent, base } = await startSystem(t, [
    {
      path: '/shop/to',
      price: 0n,
      handler: ({ query }, reply) => reply.redirect(Object(query).to),
    },
  ])
  const shop = `${base}/shop`
  const payer = await agent()
  const named = await startTestProxy(t, payer, shop)
  const plain = await startTestProxy(t, payer, base)
  const moved = async (proxy: string, place: string, to: string) => {
    const { port } = new URL(proxy)
    const target = `${place}/to?to=${encodeURIComponent(to)}`
    const text = await raw(
      Number(port),
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    return /\r\nlocation: (.*)\r\n/i.exec(text)?.[1]
  }
  for (const [to, expected] of [
    [`${shop}/new?a=1#b`, 'http://room/new?a=1#b'],
    ['/shop/new', 'http://room/new'],
    ['new', 'http://room/new'],
    ['/elsewhere', `${base}/elsewhere`],
    ['https://other.example/new', 'https://other.example/new'],
    ['//other.example/new', 'http://other.example/new'],
  ] as const) {
    t.is(await moved(named.url, 'http://room', to), expected, to)
    t.is(await moved(plain.url, shop, to), to)
  }
})
