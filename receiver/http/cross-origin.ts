// Pages of other origins (Fetch, "CORS protocol"): what they must be let send, and read, so that they can pay,
// and can check that an answer is the receiver's.
import type { onRequestAsyncHookHandler } from 'fastify'
import { boundHeaderName } from '../../protocol/bound/index.ts'
import { headerName } from '../../protocol/index.ts'

/** Of x402; by name, because its code is loaded only where it is taken. Stock clients send the last one. */
const ofX402 = {
  allowed: ['PAYMENT-SIGNATURE', 'Access-Control-Expose-Headers'],
  exposed: ['PAYMENT-REQUIRED', 'PAYMENT-RESPONSE'],
} as const

const ofProtocol = [...Object.values(headerName), ...Object.values(boundHeaderName)]

/**
 * For a server of your own: both lists by the names that `cors` and `@fastify/cors` give them.
 * @example
 * app.use(cors({ origin: 'https://shop.example', ...crossOriginHeaders }))
 */
export const crossOriginHeaders = {
  allowedHeaders: [
    ...[...ofProtocol, ...ofX402.allowed],
    ...['Idempotency-Key', 'Accept', 'Accept-Language', 'Content-Type'],
  ],
  /** What bound answers cover; of the rest a page sees the simplest fields anyway. */
  exposedHeaders: [
    ...[...ofProtocol, ...ofX402.exposed],
    ...['Content-Encoding', 'Content-Range', 'Location', 'Retry-After'],
  ],
}

const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': crossOriginHeaders.allowedHeaders.join(', '),
  'access-control-max-age': '600',
}

/**
 * Lets pages of these origins buy. No `Authorization` is let through, so that the owner's part stays
 * closed to them; and no cookies.
 */
export function allowOrigins(origins: readonly string[]): onRequestAsyncHookHandler {
  const allowed = new Set(origins)
  const exposed = crossOriginHeaders.exposedHeaders.join(', ')
  return async ({ method, headers }, reply) => {
    reply.header('vary', 'Origin')
    const { origin } = headers
    if (origin === undefined || !allowed.has(origin)) return undefined
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposed,
    })
    const asks = method === 'OPTIONS' && 'access-control-request-method' in headers
    return asks ? reply.code(204).headers(preflight).send() : undefined
  }
}
