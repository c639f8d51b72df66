// JSON that comes from the other side of an x402 payment. It has one reading: a name that comes twice, or a number
// that a reader rounds, would be one message to us and another one to somebody else.
import { fromBase64, toBase64 } from '../bound/base64.ts'
import { shorten } from '../bytes.ts'
import { protocolError, type UraidenError } from '../errors.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [name: string]: Json
}

/** Bytes of a header field's value in base64: Node takes no more in all fields together. */
export const mostField = 16 << 10
/** Bytes of a body: of version 1, or what a facilitator answers. */
export const mostBody = 64 << 10
/** Objects and arrays in each other. */
const deepest = 16

/**
 * The object in a header field: standard base64 of UTF-8 JSON. `name` is for the error.
 * @throws UraidenError `malformed_x402`
 */
export function readField(name: string, text: string): JsonObject {
  if (text.length > mostField) {
    throw malformed(name, `is longer than ${mostField} bytes`)
  }
  return readObject(name, decoded(name, text))
}

export function writeField(value: object): string {
  return toBase64(new TextEncoder().encode(JSON.stringify(value)))
}

function decoded(name: string, text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromBase64(text))
  } catch {
    throw malformed(name, 'is not base64 of UTF-8 text')
  }
}

/**
 * The object that a text is.
 * @throws UraidenError `malformed_x402`
 */
export function readObject(name: string, text: string): JsonObject {
  if (text.length > mostBody) throw malformed(name, `is longer than ${mostBody} bytes`)
  const value = parsed(name, text)
  if (!isObject(value)) throw malformed(name, 'is no JSON object')
  return value
}

function parsed(name: string, text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(name, `is not JSON: "${shorten(text)}"`)
  }
  checkShape(name, text)
  if (!isExact(value)) throw malformed(name, 'has a number that cannot be read exactly')
  return value
}

function isExact(value: Json): boolean {
  if (typeof value === 'number') return isExactNumber(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every(isExact)
}

/** A fraction means the nearest number to everybody; an integer that is rounded does not mean itself. */
function isExactNumber(number: number): boolean {
  return Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number)
}

/** Of valid JSON: texts and what is between them. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

function checkShape(name: string, text: string): void {
  const open: Set<string>[] = []
  let before = ''
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') takeName(name, before, open.at(-1))
    if (open.length > deepest) throw malformed(name, `is deeper than ${deepest}`)
    before = token
  }
}

function takeName(where: string, text: string, names: Set<string> | undefined): void {
  const name: string = JSON.parse(text)
  // Not a name to whoever copies objects.
  if (name === '__proto__') throw malformed(where, 'has the name __proto__')
  if (names?.has(name)) throw malformed(where, `has ${shorten(text)} twice`)
  names?.add(name)
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The same value, whatever the order of the names. */
export function isSame(a: Json, b: Json): boolean {
  return inOrder(a) === inOrder(b)
}

function inOrder(value: Json): string {
  return JSON.stringify(value, (_, each: Json) =>
    isObject(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

/** `is` goes on after the place: `accepts[0].amount is no text`. */
export function malformed(where: string, is: string): UraidenError {
  return protocolError({ code: 'malformed_x402', message: `${where} ${is}.` })
}

interface TextBounds {
  readonly least?: number
  readonly most: number
}

/** @throws UraidenError `malformed_x402` */
export function textIn(
  object: JsonObject,
  name: string,
  where: string,
  bounds: TextBounds,
): string {
  const text = object[name]
  const { least = 1, most } = bounds
  if (typeof text !== 'string') throw malformed(`${where}.${name}`, 'is no text')
  if (text.length < least) throw malformed(`${where}.${name}`, 'is empty')
  if (text.length > most) throw malformed(`${where}.${name}`, `is longer than ${most} characters`)
  return text
}

/** Undefined where it is not there, or null. @throws UraidenError `malformed_x402` */
export function optionalTextIn(
  object: JsonObject,
  name: string,
  where: string,
  most: number,
): string | undefined {
  if ((object[name] ?? null) === null) return undefined
  return textIn(object, name, where, { least: 0, most })
}

/** @throws UraidenError `malformed_x402` */
export function objectIn(object: JsonObject, name: string, where: string): JsonObject {
  const value = object[name]
  if (!isObject(value)) throw malformed(`${where}.${name}`, 'is no object')
  return value
}

/** Undefined where it is not there, or null. @throws UraidenError `malformed_x402` */
export function optionalObjectIn(
  object: JsonObject,
  name: string,
  where: string,
): JsonObject | undefined {
  return (object[name] ?? null) === null ? undefined : objectIn(object, name, where)
}
