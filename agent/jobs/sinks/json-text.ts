// JSON that somebody else has written, with its numbers as they were written: JavaScript's own parser makes
// doubles of them, which have no 12345678901234567890 and no 1e400.
//
// Node 22 could say what a number was (the third argument of a reviver); the agent runs on Node 20 as well.

import { randomUUID } from 'node:crypto'
import type { JSONValue } from 'json-p3'

export interface JsonText {
  /** As JavaScript has it. */
  readonly value: JSONValue
  /** All of it, on one line. */
  readonly text: () => string
  /** JSON of the value at a place of the document: names and indices from its root. */
  readonly textAt: (place: readonly (string | number)[]) => string
}

/** Undefined for what is no JSON. A byte order mark before it is none of it (RFC 8259 section 8.1). */
export function readJson(written: string): JsonText | undefined {
  const source = written.replace(/^\ufeff/, '')
  let value: JSONValue
  try {
    value = JSON.parse(source)
  } catch {
    return undefined
  }
  let marked: JSONValue | undefined
  return {
    value,
    text: () => outsideStrings(source, (part) => part.replace(/\s+/g, '')),
    textAt: (place) => {
      marked ??= JSON.parse(outsideStrings(source, markNumbers))
      return JSON.stringify(valueAt(marked, place)).replace(marks, '$1')
    },
  }
}

/** Nobody else knows it: a text of the document is never taken for a number. */
const mark = randomUUID()
const marks = new RegExp(`"${mark}([^"]+)"`, 'g')

function markNumbers(part: string): string {
  return part.replace(/-?\d[\d.eE+-]*/g, (number) =>
    JSON.stringify(Number(number)) === number ? number : `"${mark}${number}"`,
  )
}

function valueAt(document: JSONValue, place: readonly (string | number)[]): unknown {
  return place.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown>)[key],
    document,
  )
}

/** Changes what of a JSON text is in no string. In time by its length, whatever is in it. */
function outsideStrings(source: string, change: (part: string) => string): string {
  const parts: string[] = []
  let at = 0
  for (let open = source.indexOf('"'); open >= 0; open = source.indexOf('"', at)) {
    const end = endOfString(source, open)
    parts.push(change(source.slice(at, open)), source.slice(open, end))
    at = end
  }
  return parts.concat(change(source.slice(at))).join('')
}

function endOfString(source: string, open: number): number {
  let close = open
  let escapes: number
  do {
    close = source.indexOf('"', close + 1)
    escapes = 0
    while (source[close - 1 - escapes] === '\\') escapes++
  } while (escapes % 2 === 1)
  return close + 1
}
