// What others wrote — receivers, the chain, the network — as it may be shown at a terminal: a terminal obeys
// some characters, and some turn the order of others around.

/**
 * C0, DEL and C1 (ECMA-48), halves of characters, controls of direction (Unicode UAX 9), line separators, and what is shown as
 * nothing at all (interlinear annotation, tags).
 */
const unsafe =
  /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu
const shownInstead = '\ufffd'

/** Text of several lines: line feeds and tabs stay. */
export function plainText(text: string): string {
  const lines = text.replace(/\r\n/g, '\n')
  return lines.replace(unsafe, (found) => (found === '\n' || found === '\t' ? found : shownInstead))
}

/** One line, of at most so many characters. */
export function plainLine(text: string, most = 2000): string {
  const line = text.replace(/[\r\n\t]+/g, ' ').replace(unsafe, shownInstead)
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/\p{Cs}$/u, '')}…`
}

/** JSON that says the same: such characters stand in strings only, where they may be escaped. */
export function plainJson(json: string): string {
  return json.replace(unsafe, (found) => (/[\n\r\t]/.test(found) ? found : escaped(found)))
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => {
    return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}

/** All strings in a value that was JSON. */
export function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value)
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      plainLine(name),
      // Of several lines by nature, and made by us.
      name === 'stack' && typeof each === 'string' ? plainText(each) : plainValue(each),
    ]),
  )
}
