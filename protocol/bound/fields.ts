// Header fields as a message has them on the wire.
import type { HeaderSource } from '../headers.ts'

/**
 * Field lines in their order. A name may come several times and in any case: what a table by names
 * would hide is exactly what has to be seen here.
 */
export type FieldLines = readonly (readonly [name: string, value: string])[]

export interface Field {
  /** Of all its lines (RFC 9421 section 2.1). */
  readonly value: string
  readonly lines: number
}

/** By name in lower case, in the order in which the names first came. */
export type Fields = ReadonlyMap<string, Field>

/** Lines from name, value, name, value…: Node's `rawHeaders`. */
export function fieldLines(raw: readonly string[]): FieldLines {
  const lines: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return lines
}

export function collectFields(lines: FieldLines): Fields {
  const fields = new Map<string, Field>()
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    const before = fields.get(key)
    const text = unfold(value)
    fields.set(
      key,
      before === undefined
        ? { value: text, lines: 1 }
        : { value: `${before.value}, ${text}`, lines: before.lines + 1 },
    )
  }
  return fields
}

/** A source of headers that knows the fields of these names and no others. */
export function selectFields(fields: Fields, names: ReadonlySet<string>): HeaderSource {
  return (name) => {
    const key = name.toLowerCase()
    return names.has(key) ? fields.get(key)?.value : undefined
  }
}

/** Outer white space is no part of a value, and an obsolete line folding is one space. */
function unfold(value: string): string {
  if (!value.includes('\n')) return trim(value)
  return value
    .split(/\r?\n/)
    .map((line, at) => (at === 0 || /^[ \t]/.test(line) ? trim(line) : `\n${line}`))
    .join(' ')
}

/** `String.trim` takes characters off that are not white space in HTTP. */
function trim(value: string): string {
  let from = 0
  let to = value.length
  while (from < to && isSpace(value, from)) from += 1
  while (to > from && isSpace(value, to - 1)) to -= 1
  return from === 0 && to === value.length ? value : value.slice(from, to)
}

function isSpace(value: string, at: number): boolean {
  const code = value.charCodeAt(at)
  return code === 0x20 || code === 0x09
}
