// Which URL of the upstream server a request is for, and the way back for redirections.
import { pathOf, prefixOf, queryOf } from '../configuration/path.ts'

/** Whether the upstream's URL has a path of its own, `/` included. */
function hasPath(upstream: string): boolean {
  return /^https?:\/\/[^/?#]+\//i.test(upstream)
}

/** No URL object: it would rewrite what was paid for. */
export interface UpstreamTarget {
  readonly origin: string
  /** Path and query, in the bytes that were asked for. */
  readonly path: string
}

/**
 * `http://host:3000` gets the whole path. When the URL has a path, be it `/`, that path takes the
 * place of the resource's own: `/cdn/*` at `http://host/files/` turns `/cdn/a.png` into
 * `/files/a.png`, as in nginx.
 */
export function targetOf(upstream: string, resourcePath: string, url: string): UpstreamTarget {
  const { origin, pathname, search } = new URL(upstream)
  const path = pathOf(url)
  const query = search + (search === '' ? queryOf(url) : queryOf(url).replace('?', '&'))
  if (!hasPath(upstream)) return { origin, path: path + query }
  const rest = resourcePath.endsWith('*') ? path.slice(prefixOf(resourcePath).length) : ''
  const own = rest === '' ? pathname : `${pathname.replace(/\/$/, '')}/${rest}`
  return { origin, path: own + query }
}

/** Where a resource is. */
export interface Place {
  readonly path: string
  /** Before it, for clients. */
  readonly publicPath: string
}

/** A redirection inside the upstream, as the client can follow it; others are left as they are. */
export function locationOf(
  upstream: string,
  { path: resourcePath, publicPath }: Place,
  location: string,
): string {
  const base = new URL(upstream)
  if (!URL.canParse(location, base.href)) return location
  const to = new URL(location, base)
  if (to.origin !== base.origin) return location
  const rest = `${to.pathname}${to.search}${to.hash}`
  if (!hasPath(upstream)) return `${publicPath}${rest}`
  const own = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return resourcePath.endsWith('*') && to.pathname.startsWith(own)
    ? `${publicPath}${prefixOf(resourcePath)}${rest.slice(own.length)}`
    : location
}

/**
 * Where a redirection leads that may be followed for the client: to the upstream itself, also from http to
 * https, and inside what the resource sells. Undefined for any other.
 */
export function followed(
  upstream: string,
  resourcePath: string,
  { from, location }: { readonly from: UpstreamTarget; readonly location: string },
): UpstreamTarget | undefined {
  const before = `${from.origin}${from.path}`
  if (!URL.canParse(location, before)) return undefined
  const [base, to] = [new URL(upstream), new URL(location, before)]
  const isSecured =
    base.protocol === 'http:' && to.protocol === 'https:' && `${base.port}${to.port}` === ''
  const isSame = to.origin === base.origin || (isSecured && to.hostname === base.hostname)
  if (!isSame || to.username !== '' || to.password !== '') return undefined
  const own = hasPath(upstream) ? base.pathname.replace(/\/?$/, '/') : prefixOf(resourcePath)
  if (resourcePath.endsWith('*') && !to.pathname.startsWith(own)) return undefined
  return { origin: to.origin, path: `${to.pathname}${to.search}` }
}
