// Structured Fields (RFC 9651), as far as signatures need them: dictionaries. Values keep the text
// that they came in, so that members of other parties go on unchanged.

import { shorten } from '../bytes.ts'
import { protocolError, type UraidenError } from '../errors.ts'

export type BareKind = 'string' | 'bytes' | 'boolean' | 'number' | 'date' | 'display' | 'token'

/** A bare item; `text` is how it was written. */
export interface BareItem {
  readonly kind: BareKind
  readonly text: string
}

/** In the order in which they came. */
export type Parameters = readonly (readonly [key: string, value: BareItem])[]

export interface Item {
  readonly kind: 'item'
  readonly value: BareItem
  readonly parameters: Parameters
}

export interface InnerList {
  readonly kind: 'list'
  readonly items: readonly Item[]
  readonly parameters: Parameters
}

export interface Member {
  readonly key: string
  readonly value: Item | InnerList
  /** Key, value and parameters as they were written. */
  readonly text: string
}

const isTrue: BareItem = { kind: 'boolean', text: '?1' }

const keyPattern = /[a-z*][a-z0-9_.*-]*/y
const spaces = / */y
const optionalWhitespace = /[ \t]*/y
const numberPattern = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y
const datePattern = /@-?\d{1,15}(?![\d.])/y
const stringPattern = /"(?:[ !#-[\]-~]|\\["\\])*"/y
const bytesPattern = /:(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?:/y
const booleanPattern = /\?[01]/y
const displayPattern = /%"(?:[ !#$&-~]|%[0-9a-f]{2})*"/y
const tokenPattern = /[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*/y

/** The text that is read and the place that has been reached. */
interface Cursor {
  readonly text: string
  at: number
}

/**
 * All members in their order. One whose key comes again is kept, for whoever writes it again; to
 * take only one of them is the reader's decision.
 * @throws UraidenError `malformed_dictionary`
 */
export function parseDictionary(text: string): readonly Member[] {
  const cursor: Cursor = { text, at: 0 }
  const members: Member[] = []
  take(cursor, spaces)
  while (cursor.at < text.length) {
    if (members.length > 0) {
      expect(cursor, ',')
      take(cursor, optionalWhitespace)
    }
    members.push(parseMember(cursor))
    take(cursor, optionalWhitespace)
  }
  return members
}

export function serializeDictionary(members: readonly Pick<Member, 'text'>[]): string {
  return members.map(({ text }) => text).join(', ')
}

/** RFC 9651 section 4.1.1.1 */
export function serializeInnerList({ items, parameters }: InnerList): string {
  return `(${items.map(serializeItem).join(' ')})${serializeParameters(parameters)}`
}

export function serializeItem({ value, parameters }: Item): string {
  return value.text + serializeParameters(parameters)
}

/** A string; @throws UraidenError `not_a_structured_string` */
export function stringItem(value: string): BareItem {
  if (!/^[ -~]*$/.test(value)) {
    throw protocolError({
      code: 'not_a_structured_string',
      message: 'A string of a structured field has characters outside of ASCII.',
    })
  }
  return { kind: 'string', text: `"${value.replace(/["\\]/g, '\\$&')}"` }
}

/** What stands in a string; undefined for every other kind of value. */
export function stringValue(item: BareItem | undefined): string | undefined {
  return item?.kind === 'string' ? item.text.slice(1, -1).replace(/\\(.)/g, '$1') : undefined
}

function parseMember(cursor: Cursor): Member {
  const from = cursor.at
  const key = parseKey(cursor)
  const value = skip(cursor, '=') ? parseItemOrList(cursor) : parseBareMember(cursor)
  return { key, value, text: cursor.text.slice(from, cursor.at) }
}

/** A key alone says true, and may have parameters. */
function parseBareMember(cursor: Cursor): Item {
  return { kind: 'item', value: isTrue, parameters: parseParameters(cursor) }
}

function parseItemOrList(cursor: Cursor): Item | InnerList {
  return skip(cursor, '(') ? parseInnerList(cursor) : parseItem(cursor)
}

function parseInnerList(cursor: Cursor): InnerList {
  const items: Item[] = []
  for (;;) {
    take(cursor, spaces)
    if (skip(cursor, ')')) return { kind: 'list', items, parameters: parseParameters(cursor) }
    items.push(parseItem(cursor))
    const next = cursor.text[cursor.at]
    if (next !== ' ' && next !== ')') throw malformed(cursor)
  }
}

function parseItem(cursor: Cursor): Item {
  return { kind: 'item', value: parseBareItem(cursor), parameters: parseParameters(cursor) }
}

/** A parameter that comes again takes the place of the earlier one. */
function parseParameters(cursor: Cursor): Parameters {
  const parameters = new Map<string, BareItem>()
  while (skip(cursor, ';')) {
    take(cursor, spaces)
    const key = parseKey(cursor)
    parameters.set(key, skip(cursor, '=') ? parseBareItem(cursor) : isTrue)
  }
  return [...parameters]
}

function serializeParameters(parameters: Parameters): string {
  let text = ''
  for (const [key, value] of parameters) {
    text += value.kind === 'boolean' && value.text === '?1' ? `;${key}` : `;${key}=${value.text}`
  }
  return text
}

function parseKey(cursor: Cursor): string {
  return take(cursor, keyPattern) ?? fail(cursor)
}

function parseBareItem(cursor: Cursor): BareItem {
  const kind = kindOf(cursor.text[cursor.at] ?? '')
  const text = take(cursor, patterns[kind]) ?? fail(cursor)
  if (kind === 'display' && !isUtf8(text)) throw malformed(cursor)
  return { kind, text }
}

const patterns: { readonly [kind in BareKind]: RegExp } = {
  string: stringPattern,
  bytes: bytesPattern,
  boolean: booleanPattern,
  number: numberPattern,
  date: datePattern,
  display: displayPattern,
  token: tokenPattern,
}

const kindsByFirst: { readonly [first: string]: BareKind } = {
  '"': 'string',
  ':': 'bytes',
  '?': 'boolean',
  '@': 'date',
  '%': 'display',
}

function kindOf(first: string): BareKind {
  return kindsByFirst[first] ?? (/[0-9-]/.test(first) ? 'number' : 'token')
}

/** The bytes of a display string are percent-encoded UTF-8. */
function isUtf8(display: string): boolean {
  try {
    decodeURIComponent(display.slice(2, -1))
    return true
  } catch {
    return false
  }
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  if (!pattern.test(cursor.text)) return
  const from = cursor.at
  cursor.at = pattern.lastIndex
  return cursor.text.slice(from, cursor.at)
}

function skip(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at += 1
  return true
}

function expect(cursor: Cursor, character: string): void {
  if (!skip(cursor, character)) throw malformed(cursor)
}

function fail(cursor: Cursor): never {
  throw malformed(cursor)
}

function malformed({ text, at }: Cursor): UraidenError {
  return protocolError({
    code: 'malformed_dictionary',
    message: `A field is no dictionary from its character ${at + 1} on: ${shorten(JSON.stringify(text.slice(at)), 40)}.`,
  })
}
