// What of a bought body goes to a sink: all of it, what a JSONPath (RFC 9535) selects, or a template.

import { compileJsonPath, type Found } from './json-path.ts'
import { type Body, compileTemplate } from './template.ts'
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
    const body = parse(payload)
    const found = body && path(body.value)
    return found && Buffer.from(textOf(found))
  }
}

function filling(template: string): Picker {
  const fill = compileTemplate(template)
  return (entry) => {
    let body: Body | 'unread' | undefined = 'unread'
    const text = fill(entry, () => {
      if (body === 'unread') body = parse(entry.payload)
      return body
    })
    return text === undefined ? undefined : Buffer.from(text)
  }
}

function parse(payload: Uint8Array): Body | undefined {
  try {
    return { value: JSON.parse(new TextDecoder().decode(payload)) }
  } catch {
    return undefined
  }
}

function textOf(found: Found): string {
  if (found.kind === 'several') return JSON.stringify(found.values)
  return typeof found.value === 'string' ? found.value : JSON.stringify(found.value)
}
