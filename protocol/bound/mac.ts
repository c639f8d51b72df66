// HMAC-SHA-256 (RFC 9421 section 3.3.3) and the comparison that tells nothing by its duration.
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * HMAC-SHA-256 of an ASCII text. A server passes node:crypto's, with one KeyObject a key: from bytes
 * `createHmac` takes six times as long, longer than the default here.
 */
export type HmacSha256 = (key: Uint8Array, text: string) => Uint8Array

export const macLength = 32

export const hmacSha256: HmacSha256 = (key, text) => hmac(sha256, key, utf8ToBytes(text))

/** True for the same bytes. Its duration depends on the lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let at = 0; at < left.length; at++) difference |= (left[at] ?? 0) ^ (right[at] ?? 0)
  return difference === 0
}
