// Requests and answers as plain data, and what signing and checking of both have in common.
import { shorten } from '../bytes.ts'
import { isUraidenError } from '../errors.ts'
import { type Coverage, unsound } from './base.ts'
import type { FieldLines, Fields } from './fields.ts'
import { appendSignature, type ForeignSignatures, type SignatureFields } from './signature.ts'

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
  readonly coverage: Coverage
  /** Signatures of others, which stay. */
  readonly foreign: ForeignSignatures
}

export interface SignedMessage {
  /** Set these in place of all lines of these names. */
  readonly fields: SignatureFields
  readonly mac: Uint8Array
}

/** The signature of a draft whose HMAC the caller has made. */
export function finishDraft({ foreign, coverage }: Draft, mac: Uint8Array): SignedMessage {
  return { fields: appendSignature(foreign, coverage, mac), mac }
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

/** What was wrong, of an error of ours; anything else is a defect and goes on. */
export function detailOf(error: unknown): string {
  if (isUraidenError(error)) return error.message
  throw error
}
