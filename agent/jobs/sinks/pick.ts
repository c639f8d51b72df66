// What of a bought body goes to a sink: all of it, what a JSONPath (RFC 9535) selects, or a template.

import { compileJsonPath } from './json-path.ts'
import { type JsonText, readJson } from './json-text.ts'
import { compileTemplate } from './template.ts'
import type { Entry } from './types.ts'

export interface PickRule {
  /** A JSONPath. Of one value the value, of several a JSON array. */
  readonly select?: string
  /** Text with `{{ $.path }}`, `{{ job }}`, `{{ time }}`, `{{ id }}`, `{{ cost }}`, `{{ authentic }}`. */
  readonly template?: string
}

/** What to send of the entry's body; undefined when there is nothing of it, or nothing that fits. */
export type Picker = (entry: Entry) => Uint8Array | undefined

/** @throws UraidenError `not_a_jsonpath`, `not_a_template` */
export function compilePicker({ select, template }: PickRule): Picker {
  if (select !== undefined) return selecting(select)
  if (template !== undefined) return filling(template)
  return ({ payload }) => payload
}

function selecting(select: string): Picker {
  const path = compileJsonPath(select)
  return ({ payload }) => {
    const body = jsonOf(payload)
    const found = body && path(body)
    return found && Buffer.from('text' in found ? found.text : found.json)
  }
}

function filling(template: string): Picker {
  const fill = compileTemplate(template)
  return (entry) => {
    let body: JsonText | 'unread' | undefined = 'unread'
    const text = fill(entry, () => {
      if (body === 'unread') body = jsonOf(entry.payload)
      return body
    })
    return text === undefined ? undefined : Buffer.from(text)
  }
}

function jsonOf(payload: Uint8Array): JsonText | undefined {
  return readJson(new TextDecoder().decode(payload))
}
