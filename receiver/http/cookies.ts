/** The RDN cookies of a `Cookie` header (RFC 6265 section 4.2); others are not ours to look at. */
export function parseCookies(header: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const pair of header.split(';')) {
    const [name = '', value] = pair.split('=', 2).map((part) => part.trim())
    if (value !== undefined && name.startsWith('RDN-') && !found.has(name)) found.set(name, value)
  }
  return found
}
