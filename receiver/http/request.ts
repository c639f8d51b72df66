// A request of node:http, fastify or express as the paywall sees it.
import type { IncomingHttpHeaders } from 'node:http'
import type { RequestView } from '../paywall/dialect.ts'
import { parseCookies } from './cookies.ts'

export interface AnyRequest {
  readonly method?: string | undefined
  /** express rewrites `url` below a mount point and keeps what was asked for here. */
  readonly originalUrl?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

export function urlOf({ originalUrl, url }: AnyRequest): string {
  return originalUrl ?? url ?? '/'
}

export function viewOf(request: AnyRequest): RequestView {
  const { headers, method = 'GET' } = request
  const cookies = parseCookies(headers.cookie ?? '')
  return {
    method,
    url: urlOf(request),
    header: (name) => {
      const value = headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    cookie: (name) => cookies.get(name),
  }
}
