// Which headers go through a reverse proxy, and which belong to one connection or to the payment.
import type { IncomingHttpHeaders } from 'node:http'

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
    // A client could claim any address; `expect` was answered by this server.
    if (
      isPayment(name) ||
      name === 'host' ||
      name === 'expect' ||
      name.startsWith('x-forwarded-')
    ) {
      delete fields[name]
    }
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
  for (const name of Object.keys(fields)) if (isPayment(name)) delete fields[name]
  return fields
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
