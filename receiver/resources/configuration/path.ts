// Paths that this server, a file system and an upstream server could read differently. Prices go by
// path, so who pays for /a must not get /b.

/**
 * True for dot segments, also encoded ones and those with a `;` behind, for separators and dots that
 * are encoded (once or twice), for a zero byte, and for what cannot be decoded. Doubled slashes are
 * fine: everybody here takes them for one.
 */
export function isAmbiguousPath(path: string): boolean {
  return path.split('/').some((segment) => {
    const decoded = decode(segment)
    if (decoded === undefined) return true
    const name = decoded.split(';', 1)[0]
    return name === '.' || name === '..' || /[/\\\0]|%2f|%5c|%2e|%00/i.test(decoded)
  })
}

/** The path of a request's URL, without query, with doubled slashes made one. */
export function pathOf(url: string): string {
  const [path = '/'] = url.split(/[?#]/, 1)
  return path.replace(/\/{2,}/g, '/')
}

/** The query with its question mark; empty when there is none. */
export function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at)
}

/** What comes before the `*` of a resource's path: `/archive/` for `/archive/*`. */
export function prefixOf(resourcePath: string): string {
  return resourcePath.endsWith('*') ? resourcePath.slice(0, -1) : resourcePath
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
