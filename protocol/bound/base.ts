// The signature base (RFC 9421 section 2.5): the text that is authenticated.
import { shorten } from '../bytes.ts'
import { UraidenError } from '../errors.ts'
import { type InnerList, type Item, serializeInnerList, serializeItem } from './structured.ts'

/** The value of one component; undefined when the message does not have it. */
export type ComponentValue = (component: Item) => string | undefined

/**
 * One line a component, and the list of components with the parameters last.
 * @throws UraidenError `component_missing`, `component_repeated`, `component_not_ascii`
 */
export function signatureBase(list: InnerList, valueOfComponent: ComponentValue): string {
  const seen = new Set<string>()
  let base = ''
  for (const component of list.items) {
    const name = serializeItem(component)
    if (seen.has(name)) throw failure('component_repeated', name, 'is listed twice')
    seen.add(name)
    const value = valueOfComponent(component)
    if (value === undefined) throw failure('component_missing', name, 'is not in the message')
    // A line feed would let one value pass for several components.
    if (!/^[\t -~]*$/.test(value)) {
      throw failure('component_not_ascii', name, 'has characters outside of printable ASCII')
    }
    base += `${name}: ${value}\n`
  }
  return `${base}"@signature-params": ${serializeInnerList(list)}`
}

function failure(code: string, name: string, what: string): UraidenError {
  return new UraidenError({
    code,
    message: `The component ${shorten(name)} ${what}.`,
    hint: 'The message was altered on its way, or its sender does not follow RFC 9421.',
  })
}
