// Templates: a text of the owner's with values of a receiver's in it. A value stays the one value that the
// owner meant: it is escaped by the form that the template writes, and where there is no form it is one line.

import { shorten } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { compileJsonPath, type Found } from './json-path.ts'
import type { JsonText } from './json-text.ts'
import type { Entry } from './types.ts'

/** The text for an entry, with its body as JSON; undefined when it lacks a value or one does not fit. */
export type Template = (entry: Entry, body: () => JsonText | undefined) => string | undefined

/** @throws UraidenError `not_a_template`, `not_a_jsonpath` */
export function compileTemplate(template: string): Template {
  // Every other part is what was between braces.
  const parts = template.split(/\{\{\s*(.*?)\s*\}\}/)
  const fixed = parts.filter((_, index) => index % 2 === 0)
  const values = parts.filter((_, index) => index % 2 === 1).map(readerOf)
  const forms = formsOf(fixed)
  return (entry, body) => {
    let text = fixed[0] ?? ''
    for (const [index, value] of values.entries()) {
      const found = value(entry, body)
      const written = found === undefined ? undefined : forms[index]?.(found)
      if (written === undefined) return undefined
      text += `${written}${fixed[index + 1]}`
    }
    return text
  }
}

/** As text, or what is JSON already and no text. */
type Value = Found
export type Reader = (entry: Entry, body: () => JsonText | undefined) => Value | undefined

const facts: { readonly [name: string]: (entry: Entry) => string } = {
  job: ({ job }) => job,
  id: ({ id }) => id,
  cost: ({ cost }) => cost,
  authentic: ({ authentic = false }) => `${authentic}`,
  time: ({ time }) => new Date(time).toISOString(),
}

/** @throws UraidenError `not_a_template`, `not_a_jsonpath` */
export function readerOf(text: string): Reader {
  const [, inner] = /^(.*[^|\s])\s*\|\s*json$/s.exec(text) ?? []
  if (inner !== undefined) {
    const value = readerOf(inner)
    return (entry, body) => {
      const found = value(entry, body)
      return found && { json: 'json' in found ? found.json : JSON.stringify(found.text) }
    }
  }
  if (text.startsWith('$')) {
    const path = compileJsonPath(text)
    return (_, body) => {
      const document = body()
      return document && path(document)
    }
  }
  const fact = Object.hasOwn(facts, text) ? facts[text] : undefined
  if (fact !== undefined) return (entry) => ({ text: fact(entry) })
  throw agentError({
    code: 'not_a_template',
    message: `"{{ ${shorten(text, 60)} }}" is nothing that a template knows.`,
    hint: `Write a JSONPath such as {{ $.celsius }}, or one of: ${Object.keys(facts).join(', ')}.`,
  })
}

/** How a value is written at one place; undefined when it cannot be. */
type Form = (value: Value) => string | undefined

/** For each place between two fixed texts. */
function formsOf(fixed: readonly string[]): readonly Form[] {
  const sample = fixed.join('0')
  if (isJson(sample)) return placesIn(fixed, jsonString, jsonValue)
  if (sample.split('\n').every((line) => line === '' || isLineProtocol(line))) {
    return placesIn(fixed, lineString, lineName)
  }
  return fixed.map(() => oneLine)
}

/** Inside double quotes or outside of them, as JSON and line protocol have them. */
function placesIn(fixed: readonly string[], inside: Form, outside: Form): readonly Form[] {
  let isInside = false
  return fixed.map((text) => {
    for (const [sign] of text.matchAll(/\\.|"/gs)) if (sign === '"') isInside = !isInside
    return isInside ? inside : outside
  })
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

const raw = (value: Value): string => ('json' in value ? value.json : value.text)

const jsonString: Form = (value) => JSON.stringify(raw(value)).slice(1, -1)

/** A text where JSON wants a value is one in quotes, but for a number that somebody sent as text. */
const jsonValue: Form = (value) => {
  if ('json' in value) return value.json
  return isNumber(value.text) ? value.text : JSON.stringify(value.text)
}

function isNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)
}

/**
 * `measurement,tag=value field=value time`: InfluxDB's, which others read too
 * (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/).
 */
function isLineProtocol(line: string): boolean {
  const name = String.raw`(?:\\.|[^\s,="\\])+`
  const field = String.raw`${name}=(?:"(?:\\.|[^"\\])*"|[^\s,="]+)`
  return new RegExp(`^${name}(?:,${name}=${name})* ${field}(?:,${field})*(?: -?\\d+)?$`).test(line)
}

export const lineString: Form = (value) => withoutControls(raw(value).replace(/["\\]/g, '\\$&'))

/** A tag, a name, or a field's value that is no text. Its readers do not agree on quotes and backslashes. */
export const lineName: Form = (value) => {
  const text = raw(value)
  if (text === '' || /["\\]/.test(text)) return undefined
  return withoutControls(text.replace(/[,= ]/g, '\\$&'))
}

/** Whoever reads by lines would take a second line for one of its own. */
const oneLine: Form = (value) => {
  const text = raw(value)
  return withoutControls(text.replaceAll('\t', '')) === undefined ? undefined : text
}

function withoutControls(text: string): string | undefined {
  return /[\p{Cc}\u2028\u2029]/u.test(text) ? undefined : text
}
