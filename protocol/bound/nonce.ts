// The nonce of a request without a balance: it makes the answer fresh, which covers it.

import { randomBytes } from '@noble/hashes/utils.js'
import { protocolError } from '../errors.ts'
import { toBase64Url } from './base64.ts'

/** 16 random bytes, base64url. */
export function createNonce(): string {
  return toBase64Url(randomBytes(16))
}

/**
 * The receiver remembers no nonces, so their length is the sender's affair, within reason: a challenge
 * has its own, longer ones.
 * @throws UraidenError `malformed_nonce`
 */
export function requireNonce(text: string): void {
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(text)) {
    throw protocolError({
      code: 'malformed_nonce',
      message: 'The nonce is not 16 to 128 characters of base64url.',
    })
  }
}
