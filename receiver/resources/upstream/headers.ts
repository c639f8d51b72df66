// Which headers go through a reverse proxy, and which belong to one connection or to the payment.
import type { IncomingHttpHeaders } from 'node:http'
import { isForSharedCaches, onlyBuyers } from '../../paywall/caching.ts'

type Fields = { [name: string]: string | string[] }

/** RFC 9110 section 7.6.1, and what it names of older practice. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What a proxy tells the server behind it, by the names in use: whom a request comes from, and what it
 * really asks for. In a client's mouth it is another address, method or path than the one that was paid for.
 */
const proxysWord: ReadonlySet<string> = new Set([
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-originating-ip'],
  ...['x-remote-ip', 'x-remote-addr', 'x-remote-user', 'x-original-forwarded-for'],
  ...['client-ip', 'remote-addr', 'remote-user', 'true-client-ip', 'cf-connecting-ip'],
  ...['fastly-client-ip', 'x-original-host', 'x-host'],
  ...['x-http-method', 'x-http-method-override', 'x-method-override', 'x-original-method'],
  ...['x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-override-url', 'x-script-name'],
  // Rack::Sendfile, next.js, and HTTP_PROXY of CGI programs.
  ...['x-sendfile-type', 'x-accel-mapping', 'x-middleware-subrequest', 'proxy'],
])

/**
 * CGI, WSGI, Rack and PHP know a header by an upper-case name with `_` in place of all else: `X_Real_IP`
 * is `X-Real-IP` to them.
 */
const plainName = /^[a-z0-9-]+$/

/** What an answer may say of a whole origin, other goods and the channel API included: not its to say. */
const ownersWord: ReadonlySet<string> = new Set([
  ...['service-worker-allowed', 'clear-site-data', 'strict-transport-security', 'alt-svc'],
  ...['public-key-pins', 'public-key-pins-report-only', 'expect-ct', 'nel', 'report-to'],
  ...['reporting-endpoints', 'origin-agent-cluster', 'use-as-dictionary', 'set-login'],
])

export interface Forwarding {
  /** The client's address. */
  readonly client: string
  /** As the client named it. */
  readonly host: string
  readonly protocol: string
}

/** For the upstream server: without the payment, with who asked. */
export function requestHeaders(
  headers: IncomingHttpHeaders,
  { client, host, protocol }: Forwarding,
): Fields {
  const fields = endToEnd(headers)
  for (const name of Object.keys(fields)) {
    // `expect` was answered by this server.
    const isAnswered = name === 'host' || name === 'expect'
    if (isAnswered || isPayment(name) || isOfProxy(name)) delete fields[name]
  }
  const cookie = withoutPayment(headers.cookie)
  if (cookie === undefined) delete fields.cookie
  else fields.cookie = cookie
  return {
    ...fields,
    'x-forwarded-for': client,
    'x-forwarded-host': host,
    'x-forwarded-proto': protocol,
  }
}

/** For the client: what another receiver says about its own payments would only mislead. */
export function responseHeaders(headers: IncomingHttpHeaders): Fields {
  const fields = endToEnd(headers)
  for (const name of Object.keys(fields)) {
    if (isPayment(name) || ownersWord.has(name)) delete fields[name]
  }
  // The payer's page finds its terms and its channel in cookies of these names.
  const cookies = headers['set-cookie']?.filter((cookie) => !isPayment(cookie.trim()))
  if (cookies === undefined || cookies.length === 0) delete fields['set-cookie']
  else fields['set-cookie'] = cookies
  return fields
}

/** Of an answer that was paid for: the upstream server does not know that it is sold. */
export function keepToBuyer(fields: Fields): void {
  for (const name of Object.keys(fields)) if (isForSharedCaches(name)) delete fields[name]
  fields['cache-control'] = onlyBuyers(fields['cache-control'])
}

function isOfProxy(name: string): boolean {
  return !plainName.test(name) || proxysWord.has(name) || name.startsWith('x-forwarded-')
}

function isPayment(name: string): boolean {
  return name.toLowerCase().startsWith('rdn-')
}

function endToEnd(headers: IncomingHttpHeaders): Fields {
  const named = new Set(
    `${headers.connection ?? ''}`.split(',').map((name) => name.trim().toLowerCase()),
  )
  const kept: Fields = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value
  }
  return kept
}

function withoutPayment(cookie: string | undefined): string | undefined {
  const kept = cookie?.split(';').filter((pair) => !isPayment(pair.trim()))
  return kept === undefined || kept.length === 0 ? undefined : kept.join(';').trim()
}
