// What goes through to an upstream and back: what was paid for, and what is the upstream's to say.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { requestHeaders } from '../../../../receiver/resources/upstream/headers.ts'
import { givenShop, rawRequest } from '../../../support/shop.ts'

async function givenUpstream(
  t: ExecutionContext,
  listener: RequestListener,
  price: object,
  more: object = {},
) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return givenShop(t, () => ({ '/api/*': { price, upstream, ...more } }))
}

/** By each of these some server takes another address, method or path for the request's. */
const claims = [
  ...[
    'X-Forwarded-For',
    'X_Forwarded_For',
    'x_forwarded-for',
    'X.Forwarded.For',
    'X~Forwarded!For',
  ],
  ...['X-Forwarded-Proto', 'X-Forwarded-Prefix', 'Forwarded', 'X-Real-IP', 'X_Real_IP'],
  ...['X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Remote_User', 'X-Remote-User'],
  ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X_HTTP_Method_Override'],
  ...['X-Original-URL', 'X-Rewrite-URL', 'X-Script-Name', 'X-Accel-Mapping', 'X-Sendfile-Type'],
  ...['Proxy', 'X-Middleware-Subrequest'],
] as const

test.serial('no client speaks for another address, method or path to the upstream', async (t) => {
  const { base } = await givenUpstream(
    t,
    ({ rawHeaders }, response) => void response.end(JSON.stringify(rawHeaders)),
    { '*': '0' },
  )
  const { hostname, port } = new URL(base)
  const socket = connect(Number(port), hostname)
  const said = claims.map((name) => `${name}: 10.9.9.9\r\n`).join('')
  socket.write(`GET /api/x HTTP/1.1\r\n${said}X-Own: kept\r\nHost: x\r\nConnection: close\r\n\r\n`)
  const seen = await text(socket)
  t.regex(seen, /"x-own","kept"/i)
  t.regex(seen, /"x-forwarded-for","127\.0\.0\.1"/i)
  t.notRegex(seen, /10\.9\.9\.9/)
})

test('whatever a client says, a server that knows headers as CGI does hears no claim', (t) => {
  const asCgi = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
  const forbidden = new Set(claims.map(asCgi))
  const name = fc
    .tuple(fc.constantFrom(...claims), fc.stringMatching(/^[-_.!~*]$/), fc.boolean())
    .map(([claim, mark, lower]) =>
      claim.replace(/[-_.!~]/g, mark)[lower ? 'toLowerCase' : 'trim'](),
    )
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const headers = Object.fromEntries(names.map((each) => [each.toLowerCase(), '10.9.9.9']))
      const sent = requestHeaders(headers, { client: '127.0.0.1', host: 'h', protocol: 'http' })
      const claimed = Object.entries(sent).filter(([, value]) => value === '10.9.9.9')
      t.deepEqual(
        claimed.filter(([each]) => forbidden.has(asCgi(each))),
        [],
      )
    }),
  )
})

test.serial('parameters of a segment take no other price', async (t) => {
  const seen: string[] = []
  const { base, headers } = await givenUpstream(
    t,
    ({ url = '' }, response) => {
      seen.push(url)
      response.end('served')
    },
    { '/api/dear': '50 units', '*': '1 units' },
  )
  const payment = Object.entries(headers(1n))
    .map(([name, value]) => `\r\n${name}: ${value}`)
    .join('')
  for (const path of ['/api/dear;v=1', '/api;v=1/dear', '/api/dear;', '/api/dear%3bv=1']) {
    const answer = await rawRequest(base, `GET ${path} HTTP/1.1${payment}`)
    t.regex(answer, /^HTTP\/1\.1 400 .*path_ambiguous/s, path)
  }
  t.deepEqual(seen, [])
  t.regex(await rawRequest(base, `GET /api/x?a;b HTTP/1.1${payment}`), /^HTTP\/1\.1 200 .*served/s)
})

test.serial('an upstream says nothing about the whole origin, nor about payments', async (t) => {
  const { buy } = await givenUpstream(
    t,
    (_, response) => {
      response.writeHead(200, [
        ...['Service-Worker-Allowed', '/', 'Clear-Site-Data', '"*"'],
        ...['Strict-Transport-Security', 'max-age=1', 'Alt-Svc', 'h2="evil:443"'],
        ...['Report-To', '{}', 'NEL', '{}', 'Reporting-Endpoints', 'a="https://evil/"'],
        ...['Set-Cookie', 'RDN-Sender-Balance=9; HttpOnly; Path=/', 'Set-Cookie', 'lang=de'],
        ...['Set-Cookie', ' rdn-receiver-address=0; Path=/', 'X-Own', 'kept'],
      ])
      response.end('goods')
    },
    { '*': '5 units' },
  )
  const answer = await buy('/api/x', 5n)
  t.is(await answer.text(), 'goods')
  t.is(answer.headers.get('x-own'), 'kept')
  t.deepEqual(
    answer.headers.getSetCookie().filter((cookie) => !/^RDN-Sender-Balance=5\b/.test(cookie)),
    ['lang=de'],
  )
  for (const name of [
    ...['service-worker-allowed', 'clear-site-data', 'strict-transport-security', 'alt-svc'],
    ...['report-to', 'nel', 'reporting-endpoints'],
  ]) {
    t.false(answer.headers.has(name), name)
  }
})

test.serial(
  'with sandbox, documents of an upstream have an origin of nobody’s as well',
  async (t) => {
    const listener: RequestListener = ({ url }, response) => {
      if (url === '/api/page') response.setHeader('content-type', 'text/html; charset=utf-8')
      if (url === '/api/page') response.setHeader('content-security-policy', "default-src 'self'")
      if (url === '/api/data') response.setHeader('content-type', 'application/json')
      response.end('{}')
    }
    const { base } = await givenUpstream(t, listener, { '*': '0' }, { sandbox: true })
    const policy = async (path: string) =>
      (await fetch(`${base}/api/${path}`)).headers.get('content-security-policy')
    t.is(await policy('page'), "default-src 'self', sandbox allow-scripts")
    // What has no type a browser takes for what it looks like.
    t.is(await policy('untyped'), 'sandbox allow-scripts')
    t.is(await policy('data'), null)
  },
)
