// The parts of a request target that is read in one way only (protocol/target.ts).

/** The path of a request's URL, without query, with doubled slashes made one. */
export function pathOf(url: string): string {
  const [path = '/'] = url.split('?', 1)
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
