// The signature base (RFC 9421 section 2.5): the text that is authenticated.

import { shorten } from '../bytes.ts'
import { protocolError, type UraidenError } from '../errors.ts'
import { type InnerList, serializeInnerList, serializeItem } from './structured.ts'

/** The components that a signature covers. */
export interface Coverage {
  /** As they stand in the list, with their parameters: `"@method"`. Each is there once. */
  readonly identifiers: readonly string[]
  /** List and parameters in their only form: the value of `@signature-params`. */
  readonly text: string
}

/** The value of one component; undefined when the message does not have it. */
export type ComponentValue = (identifier: string) => string | undefined

/** @throws UraidenError `component_repeated` */
export function coverageOf(list: InnerList): Coverage {
  const identifiers = list.items.map(serializeItem)
  if (new Set(identifiers).size < identifiers.length) {
    throw unsound('component_repeated', 'A component is covered twice.')
  }
  return { identifiers, text: serializeInnerList(list) }
}

/**
 * One line a component, and the list of components with the parameters last.
 * @throws UraidenError `component_missing`, `component_not_ascii`
 */
export function signatureBase(
  { identifiers, text }: Coverage,
  valueOfComponent: ComponentValue,
): string {
  let base = ''
  for (const identifier of identifiers) {
    const value = valueOfComponent(identifier)
    if (value === undefined) {
      throw unsound('component_missing', `${shorten(identifier)} is covered and not there.`)
    }
    // A line feed would let one value pass for several components.
    if (!/^[\t -~]*$/.test(value)) {
      throw unsound('component_not_ascii', `${shorten(identifier)} is not all printable ASCII.`)
    }
    base += `${identifier}: ${value}\n`
  }
  return `${base}"@signature-params": ${text}`
}

/** What makes a message no signed one of this profile. */
export function unsound(
  code:
    | 'component_missing'
    | 'component_not_ascii'
    | 'component_repeated'
    | 'component_uncovered'
    | 'content_uncovered'
    | 'field_missing'
    | 'field_repeated'
    | 'field_uncovered'
    | 'malformed_body'
    | 'malformed_signature'
    | 'nonce_missing'
    | 'not_a_path'
    | 'not_a_query'
    | 'not_a_status'
    | 'other_channel'
    | 'other_tag'
    | 'unknown_component'
    | 'unknown_parameter',
  message: string,
): UraidenError {
  return protocolError({
    code,
    message,
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  })
}
