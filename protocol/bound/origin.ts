// The origin that a sender dialled, as RDN-Origin carries it.

import { shorten } from '../bytes.ts'
import { protocolError, type UraidenError } from '../errors.ts'

/**
 * Scheme, host and port of a URL: `http://192.168.1.20:5000`, without the scheme's own port.
 * @throws UraidenError `not_an_origin`
 */
export function originOf(url: string | URL): string {
  const { protocol, origin, href } = typeof url === 'string' ? parseUrl(url) : url
  if (protocol !== 'http:' && protocol !== 'https:') throw notAnOrigin(href)
  return origin
}

/**
 * An origin in its only form, so that `===` compares.
 * @throws UraidenError `not_an_origin`
 */
export function parseOrigin(text: string): string {
  if (originOf(text) !== text) throw notAnOrigin(text)
  return text
}

function parseUrl(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw notAnOrigin(text)
  }
}

function notAnOrigin(text: string): UraidenError {
  return protocolError({
    code: 'not_an_origin',
    message: `"${shorten(text)}" is not an origin.`,
  })
}
