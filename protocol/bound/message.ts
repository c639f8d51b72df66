// Requests and answers as plain data, and what signing and checking of both have in common.
import { shorten } from '../bytes.ts'
import { isUraidenError, UraidenError } from '../errors.ts'
import type { FieldLines, Fields } from './fields.ts'
import { appendSignature, type SignatureFields } from './signature.ts'
import { type InnerList, type Item, stringItem, stringValue } from './structured.ts'

export interface RequestMessage {
  /** In its own case: methods are case sensitive. */
  readonly method: string
  /**
   * The bytes of the request line before the `?`, as the client sent them: not decoded, and with the
   * prefix that a proxy took away.
   */
  readonly path: string
  /** With its `?`; empty when there is none. */
  readonly query: string
  readonly fields: FieldLines
}

export interface AnswerMessage {
  readonly status: number
  readonly fields: FieldLines
}

/** What a signature still needs: the HMAC of `base`. For callers whose keys are somewhere else. */
export interface Draft {
  /** ASCII. */
  readonly base: string
  /** Components and parameters as Signature-Input carries them. */
  readonly components: string
  /** The message's fields before it is signed. */
  readonly fields: Fields
}

export interface SignedMessage {
  /** Set these in place of all lines of these names. */
  readonly fields: SignatureFields
  readonly mac: Uint8Array
}

/** The signature of a draft whose HMAC the caller has made. */
export function finishDraft({ fields, components }: Draft, mac: Uint8Array): SignedMessage {
  return { fields: appendSignature(fields, components, mac), mac }
}

/** A list of plain components with string parameters. */
export function componentList(
  components: readonly Item[],
  parameters: readonly (readonly [key: string, value: string])[],
): InnerList {
  return {
    kind: 'list',
    items: components,
    parameters: parameters.map(([key, value]) => [key, stringItem(value)] as const),
  }
}

/** A component without parameters. */
export function plainComponent(name: string): Item {
  return { kind: 'item', value: stringItem(name), parameters: [] }
}

/** The name of a component without parameters; undefined for one that has some. */
export function plainName(component: Item): string | undefined {
  return component.parameters.length === 0 ? stringValue(component.value) : undefined
}

/**
 * Fields that must come once and covered.
 * @throws UraidenError `field_repeated`, `field_uncovered`
 */
export function checkProtected(
  fields: Fields,
  covered: ReadonlySet<string>,
  isProtected: (name: string) => boolean,
): void {
  for (const [name, { lines }] of fields) {
    if (!isProtected(name)) continue
    if (lines > 1) throw unsound('field_repeated', `${shorten(name)} is there ${lines} times.`)
    if (!covered.has(name)) throw unsound('field_uncovered', `${shorten(name)} is not covered.`)
  }
}

/** What makes a message no bound one of this profile. */
export function unsound(code: string, message: string): UraidenError {
  return new UraidenError({
    code,
    message,
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  })
}

/** What was wrong, of an error of ours; anything else is a defect and goes on. */
export function detailOf(error: unknown): string {
  if (isUraidenError(error)) return error.message
  throw error
}
