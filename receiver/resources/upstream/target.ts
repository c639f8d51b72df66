// Which URL of the upstream server a request is for, and the way back for redirections.
import { pathOf, prefixOf, queryOf } from '../configuration/path.ts'

/** Whether the upstream's URL has a path of its own, `/` included. */
function hasPath(upstream: string): boolean {
  return /^https?:\/\/[^/?#]+\//i.test(upstream)
}

/**
 * `http://host:3000` gets the whole path. When the URL has a path, be it `/`, that path takes the
 * place of the resource's own: `/cdn/*` at `http://host/files/` turns `/cdn/a.png` into
 * `/files/a.png`, as in nginx.
 */
export function targetOf(upstream: string, resourcePath: string, url: string): URL {
  const base = new URL(upstream)
  const path = pathOf(url)
  const target = new URL(base.origin)
  if (hasPath(upstream)) {
    const rest = resourcePath.endsWith('*') ? path.slice(prefixOf(resourcePath).length) : ''
    target.pathname = rest === '' ? base.pathname : `${base.pathname.replace(/\/$/, '')}/${rest}`
  } else target.pathname = path
  const [own, asked] = [base.search, queryOf(url)]
  target.search = own === '' || asked === '' ? own + asked : `${own}&${asked.slice(1)}`
  return target
}

/** A redirection inside the upstream, as the client can follow it; others are left as they are. */
export function locationOf(upstream: string, resourcePath: string, location: string): string {
  const base = new URL(upstream)
  if (!URL.canParse(location, base.href)) return location
  const to = new URL(location, base)
  if (to.origin !== base.origin) return location
  const rest = `${to.pathname}${to.search}${to.hash}`
  if (!hasPath(upstream)) return rest
  const own = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return resourcePath.endsWith('*') && to.pathname.startsWith(own)
    ? `${prefixOf(resourcePath)}${rest.slice(own.length)}`
    : location
}
