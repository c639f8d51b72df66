// The name that a receiver announces itself under.

/** The machine's, without its domain. */
export function defaultName(hostname: string): string {
  return hostname.split('.')[0] || 'uraiden-receiver'
}

/** mDNS names of machines end in `.local` (RFC 6762 section 3). */
export function localHost(hostname: string): string {
  return `${defaultName(hostname)}.local`
}

/** The first of `name`, `name (2)`, `name (3)` … that nobody has (RFC 6762 section 9). */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const lower = new Set([...taken].map((name) => name.toLowerCase()))
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${cut(wanted, 63 - ` (${count})`.length)} (${count})`
    if (!lower.has(name.toLowerCase())) return name
  }
}

/** At most so many bytes, without half a character. */
function cut(text: string, most: number): string {
  let result = text
  while (Buffer.byteLength(result) > most) result = [...result].slice(0, -1).join('')
  return result
}
