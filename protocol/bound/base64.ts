// Base64 of short values (MACs, digests, nonces). `btoa` and `atob` are in browsers and in Node.
import { protocolError, type UraidenError } from '../errors.ts'

/** Canonical: the bits of the last digit that belong to no byte are zero. */
const canonical =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/

/** RFC 4648 section 4, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/**
 * Only the one canonical text of some bytes is taken: two texts for one MAC would be two names.
 * @throws UraidenError `not_base64`
 */
export function fromBase64(text: string): Uint8Array {
  if (!canonical.test(text)) throw notBase64()
  const digits = atob(text)
  const bytes = new Uint8Array(digits.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = digits.charCodeAt(at)
  return bytes
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function notBase64(): UraidenError {
  return protocolError({
    code: 'not_base64',
    message: 'A value is not base64.',
  })
}
