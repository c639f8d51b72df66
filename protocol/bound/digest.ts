// Content-Digest (RFC 9530): the content by its SHA-256.

import { sha256 } from '@noble/hashes/sha2.js'
import { protocolError, type UraidenError } from '../errors.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { parseDictionary } from './structured.ts'

/** The 32 bytes of a SHA-256. */
export type Sha256Digest = Uint8Array

/** The SHA-256 of content; a caller with native code uses that instead. */
export function digestOfContent(content: Uint8Array): Sha256Digest {
  return sha256(content)
}

export function formatContentDigest(digest: Sha256Digest): string {
  return `sha-256=:${toBase64(digest)}:`
}

/** Usually it is the only member. */
const onlySha256 = /^sha-256=:([A-Za-z0-9+/]{43}=):$/

/**
 * The SHA-256 of the field. Digests by other algorithms beside it count for nothing.
 * @throws UraidenError `malformed_content_digest` also when it has no SHA-256, or two
 */
export function parseContentDigest(text: string): Sha256Digest {
  const only = onlySha256.exec(text)?.[1]
  if (only !== undefined) return fromBase64(only)
  const members = parseDictionary(text).filter(({ key }) => key === 'sha-256')
  const value = members[0]?.value
  if (members.length !== 1 || value?.kind !== 'item' || value.value.kind !== 'bytes') {
    throw malformed('has no SHA-256, or more than one.')
  }
  const digest = fromBase64(value.value.text.slice(1, -1))
  if (digest.length !== 32) throw malformed(`has a SHA-256 of ${digest.length} bytes.`)
  return digest
}

function malformed(what: string): UraidenError {
  return protocolError({
    code: 'malformed_content_digest',
    message: `Content-Digest ${what}`,
  })
}
