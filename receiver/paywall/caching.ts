// What caches between the receiver and its clients may keep (RFC 9111): of what was paid for nothing, unless
// the resource says so. A shared cache does not know what a payment is, and would give it to the next one.

/** For refusals, and for answers that are true for a moment only. */
export const notStored = { 'cache-control': 'no-store' } as const

type FieldValue = string | readonly string[] | number | undefined

/** Of an answer that was paid for: only the buyer's own cache, unless `own` speaks of shared ones. */
export function paidCaching(own: FieldValue): string {
  const directives = directivesOf(own)
  const names = directives.map(nameOf)
  const isSaid = names.some((name) => name === 'public' || name === 's-maxage')
  return isSaid || isClosed(directives) ? directives.join(', ') : onlyBuyers(own)
}

/** The same when `own` is the word of somebody who does not know that it is sold. */
export function onlyBuyers(own: FieldValue): string {
  const directives = directivesOf(own).filter((each) => !forShared.has(nameOf(each)))
  return isClosed(directives) ? directives.join(', ') : ['private', ...directives].join(', ')
}

/** RFC 9111 section 5.2.2, and `private` of single fields, which lets the rest be kept. */
const forShared: ReadonlySet<string> = new Set([
  ...['public', 's-maxage', 'proxy-revalidate', 'must-understand', 'private='],
])

/** Fields that stand above `Cache-Control` for one kind of shared cache (RFC 9213 and older practice). */
export function isForSharedCaches(name: string): boolean {
  return /^(x-accel-expires|surrogate-control|edge-control|(.+-)?cdn-cache-control)$/.test(name)
}

function isClosed(directives: readonly string[]): boolean {
  return directives.map(nameOf).some((name) => name === 'private' || name === 'no-store')
}

function directivesOf(field: FieldValue): readonly string[] {
  const text = [field ?? []].flat().join(', ')
  const parts = text.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

function nameOf(directive: string): string {
  const [name = '', value] = directive.toLowerCase().split('=', 2)
  return name.trim() === 'private' && value !== undefined ? 'private=' : name.trim()
}
