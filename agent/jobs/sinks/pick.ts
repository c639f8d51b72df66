// What of a bought body goes to a sink: all of it, what a JSONPath (RFC 9535) selects, or a template.

import { compile, JSONPathError, type JSONPathQuery, type JSONValue } from 'json-p3'
import { shorten } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { Entry } from './types.ts'

export interface PickRule {
  /** A JSONPath. Of one value the value, of several a JSON array. */
  readonly select?: string
  /** Text with `{{ $.path }}`, `{{ job }}`, `{{ time }}`, `{{ id }}`, `{{ cost }}`, `{{ authentic }}`. */
  readonly template?: string
}

/** What to send of the entry's body; undefined when there is nothing of it. */
export type Picker = (entry: Entry) => Uint8Array | undefined

/** @throws UraidenError `not_a_jsonpath`, `not_a_template` */
export function compilePicker({ select, template }: PickRule): Picker {
  if (select !== undefined) return selecting(compilePath(select))
  if (template !== undefined) return filling(compileTemplate(template))
  return ({ payload }) => payload
}

function selecting(path: JSONPathQuery): Picker {
  return ({ payload }) => {
    const document = parse(payload)
    const text = document && selected(path, document.value)
    return text === undefined ? undefined : Buffer.from(text)
  }
}

type Part = string | JSONPathQuery | ((entry: Entry) => string)

function filling(parts: readonly Part[]): Picker {
  return (entry) => {
    let document: ReturnType<typeof parse> | 'unread' = 'unread'
    const texts = parts.map((part) => {
      if (typeof part === 'string') return part
      if (typeof part === 'function') return part(entry)
      if (document === 'unread') document = parse(entry.payload)
      return document && selected(part, document.value)
    })
    return texts.includes(undefined) ? undefined : Buffer.from(texts.join(''))
  }
}

const facts: { readonly [name: string]: (entry: Entry) => string } = {
  job: ({ job }) => job,
  id: ({ id }) => id,
  cost: ({ cost }) => cost,
  authentic: ({ authentic = false }) => `${authentic}`,
  time: ({ time }) => new Date(time).toISOString(),
}

function compileTemplate(template: string): readonly Part[] {
  // Every other part is what was between braces.
  return template.split(/\{\{\s*(.*?)\s*\}\}/).map((text, index): Part => {
    if (index % 2 === 0) return text
    if (text.startsWith('$')) return compilePath(text)
    const fact = Object.hasOwn(facts, text) ? facts[text] : undefined
    if (fact !== undefined) return fact
    throw agentError({
      code: 'not_a_template',
      message: `"{{ ${shorten(text, 60)} }}" is nothing that a template knows.`,
      hint: `Write a JSONPath such as {{ $.celsius }}, or one of: ${Object.keys(facts).join(', ')}.`,
    })
  })
}

function compilePath(path: string): JSONPathQuery {
  try {
    return compile(path)
  } catch (cause) {
    if (!(cause instanceof JSONPathError)) throw cause
    throw agentError({
      code: 'not_a_jsonpath',
      message: `"${shorten(path, 60)}" is not a JSONPath: ${cause.message}.`,
      cause,
    })
  }
}

function parse(payload: Uint8Array): { readonly value: JSONValue } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder().decode(payload)) }
  } catch {
    return undefined
  }
}

function selected(path: JSONPathQuery, document: JSONValue): string | undefined {
  const values = path.query(document).values()
  const [first] = values
  if (values.length === 0) return undefined
  if (values.length > 1 || !path.singularQuery()) return JSON.stringify(values)
  return typeof first === 'string' ? first : JSON.stringify(first)
}
