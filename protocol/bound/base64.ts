// Base64 of short values (MACs, digests, nonces). `btoa` and `atob` are in browsers and in Node.
import { UraidenError } from '../errors.ts'

const standard = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** RFC 4648 section 4, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

/**
 * Only the one canonical text of some bytes is taken: two texts for one MAC would be two names.
 * @throws UraidenError `not_base64`
 */
export function fromBase64(text: string): Uint8Array {
  const bytes = standard.test(text) ? decode(text) : undefined
  if (bytes === undefined || toBase64(bytes) !== text) throw notBase64()
  return bytes
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function decode(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

function notBase64(): UraidenError {
  return new UraidenError({
    code: 'not_base64',
    message: 'A value is not base64.',
    hint: 'Encode it as RFC 4648 says, without line breaks.',
  })
}
