// One reading of a request: router, price, resource and signature decide on the same bytes, and each of
// them decodes in its own way. So what could be read in two ways is not served, and nothing is rewritten.

/** Origin form (RFC 9112 section 3.2.1) of visible ASCII, without a fragment. */
const originForm = /^\/[!-"$-~]*$/

/**
 * Separators, dots and control characters have no business in encoded form, once or twice: some take
 * them for what they encode and some do not. The `;` is a separator to whoever knows parameters of a
 * segment (RFC 3986 section 3.3), as servlets do, and a letter of a name to others.
 */
const disguised = /%(?:25)*(?:2e|2f|3b|5c|7f|[01][0-9a-f])/i

/**
 * Whether a request target is read alike by everybody. False for the absolute form, backslashes, control
 * characters, fragments, dot segments, a `;` in the path, encoded slashes and dots, and for a path that
 * cannot be decoded. Doubled slashes are fine: everybody here takes them for one.
 * @example
 * isPlainTarget('/reading?unit=K') // true
 * isPlainTarget('/a/../reading') // false
 */
export function isPlainTarget(target: string): boolean {
  if (!originForm.test(target)) return false
  const [path = ''] = target.split('?', 1)
  if (/[\\;]/.test(path) || disguised.test(path) || !canDecode(path)) return false
  return !path.split('/').some((segment) => segment === '.' || segment === '..')
}

function canDecode(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
