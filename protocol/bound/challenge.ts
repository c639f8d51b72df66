// A challenge (RFC 9421 section 5): the receiver's own nonce, for what must not be done twice or late.
// The nonce says when it was given and proves that the receiver gave it, so that nothing is remembered.

import { utf8ToBytes } from '@noble/hashes/utils.js'
import { protocolError } from '../errors.ts'
import { toBase64Url } from './base64.ts'
import { formatCoverage } from './coverage.ts'
import { equalBytes, type HmacSha256, hmacSha256 } from './mac.ts'
import { requestComponents, requestFields, signatureLabel, signatureTag } from './profile.ts'
import { parseDictionary, stringValue } from './structured.ts'

/** What a nonce is good for: one binding, for a while. */
export interface ChallengeScope {
  readonly keyid: string
  /** Milliseconds of a clock that never goes back, from any origin: not the time of day. */
  readonly now: number
  readonly hmac?: HmacSha256
}

export type ChallengeState = 'fresh' | 'stale' | 'foreign'

const timeDigits = 12
const proofLength = 16

/**
 * A nonce of 35 characters: 12 hex digits of time, and a MAC over them and the keys' name.
 * @param secret random bytes that only this process has, as long as its clock has one origin
 */
export function createChallenge(
  secret: Uint8Array,
  { keyid, now, hmac = hmacSha256 }: ChallengeScope,
): string {
  const time = Math.floor(now).toString(16).padStart(timeDigits, '0')
  return `${time}_${toBase64Url(proofOf(secret, `${time} ${keyid}`, hmac))}`
}

/** Whether a request's nonce is one that was given for its keys in the last `validity` milliseconds. */
export function verifyChallenge(
  nonce: string,
  secret: Uint8Array,
  { keyid, now, validity, hmac = hmacSha256 }: ChallengeScope & { readonly validity: number },
): ChallengeState {
  const match = /^([0-9a-f]{12})_([A-Za-z0-9_-]{22})$/.exec(nonce)
  if (!match) return 'foreign'
  const [, time = '', proof = ''] = match
  const expected = toBase64Url(proofOf(secret, `${time} ${keyid}`, hmac))
  if (!equalBytes(utf8ToBytes(expected), utf8ToBytes(proof))) return 'foreign'
  const age = Math.floor(now) - Number.parseInt(time, 16)
  return age >= 0 && age <= validity ? 'fresh' : 'stale'
}

/** The field `Accept-Signature`: sign again, with this nonce. */
export function formatAcceptSignature(keyid: string, nonce: string): string {
  const parameters = { keyid, nonce, tag: signatureTag.request }
  const { text } = formatCoverage([...requestComponents, ...requestFields], parameters)
  return `${signatureLabel}=${text}`
}

/**
 * The nonce that the receiver asks for. What to cover is fixed by the profile, not by the answer.
 * @throws UraidenError `malformed_dictionary`, `malformed_challenge`
 */
export function parseAcceptSignature(text: string): string {
  const members = parseDictionary(text).filter(({ key }) => key === signatureLabel)
  const value = members.length === 1 ? members[0]?.value : undefined
  const parameters = new Map(value?.kind === 'list' ? value.parameters : [])
  const nonce = stringValue(parameters.get('nonce'))
  if (nonce === undefined || stringValue(parameters.get('tag')) !== signatureTag.request) {
    throw protocolError({
      code: 'malformed_challenge',
      message: 'Accept-Signature asks for no signature of ours.',
    })
  }
  return nonce
}

function proofOf(secret: Uint8Array, text: string, hmac: HmacSha256): Uint8Array {
  return hmac(secret, `rdn-challenge-1 ${text}`).subarray(0, proofLength)
}
