// What of a bought body is a row of a CSV file (RFC 4180). Loaded where there is such a sink.

import { readJson } from './json-text.ts'
import { compilePicker } from './pick.ts'
import { type Reader, readerOf } from './template.ts'
import type { Entry } from './types.ts'

/** By its name in the header: a JSONPath, or what a template knows, such as `time`. */
export interface Columns {
  readonly [name: string]: string
}

export interface CsvRule {
  /** Default: time, job, cost, and the body, or what is selected of it, as value. */
  readonly columns?: Columns | undefined
  readonly select?: string | undefined
}

/** Of every file, without its end. */
export function csvHeader({ columns }: CsvRule): string {
  const names = columns === undefined ? ['time', 'job', 'cost', 'value'] : Object.keys(columns)
  return names.map(cell).join(',')
}

/** A row without its end; undefined where the body has nothing of what it wants. */
export function compileCsv({ columns, select }: CsvRule): (entry: Entry) => Uint8Array | undefined {
  if (columns === undefined) return plainRows(select)
  const readers = Object.values(columns).map((text) => ({
    read: readerOf(text),
    isOfBody: text.startsWith('$'),
  }))
  const needsBody = readers.some(({ isOfBody }) => isOfBody)
  return (entry) => {
    const document = readJson(new TextDecoder().decode(entry.payload))
    const found = readers.map(({ read }) => read(entry, () => document))
    const hasSome = readers.some(({ isOfBody }, at) => isOfBody && found[at] !== undefined)
    return needsBody && !hasSome ? undefined : row(found)
  }
}

function plainRows(select: string | undefined): (entry: Entry) => Uint8Array | undefined {
  const pick = compilePicker(select === undefined ? {} : { select })
  const facts = ['time', 'job', 'cost'].map(readerOf)
  return (entry) => {
    const value = pick(entry)
    if (value === undefined) return undefined
    const found = facts.map((read) => read(entry, () => undefined))
    return row([...found, { text: new TextDecoder().decode(value) }])
  }
}

/** What is missing is an empty cell. */
function row(found: readonly ReturnType<Reader>[]): Uint8Array {
  const texts = found.map((value) =>
    value === undefined ? '' : 'json' in value ? value.json : value.text,
  )
  return Buffer.from(texts.map(cell).join(','))
}

function cell(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
