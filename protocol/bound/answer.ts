// Answers to bound requests: what they cover, among it the request's MAC and with it all of the request.
import { protocolError } from '../errors.ts'
import type { HeaderSource } from '../headers.ts'
import { signatureBase, unsound } from './base.ts'
import { formatCoverage, nameOf, requestSignature } from './coverage.ts'
import { parseContentDigest, type Sha256Digest } from './digest.ts'
import { collectFields, type Fields, selectFields } from './fields.ts'
import type { BoundKeys } from './keys.ts'
import { equalBytes, type HmacSha256, hmacSha256 } from './mac.ts'
import {
  type AnswerMessage,
  checkProtected,
  type Draft,
  detailOf,
  finishDraft,
  type SignedMessage,
} from './message.ts'
import { failure, type Outcome, success } from './outcome.ts'
import { bodyLater, isOfProtocol, signatureTag, tellsTheAgent } from './profile.ts'
import { foreignSignatures, formatMac, readSignature, type SignatureMember } from './signature.ts'

/** How the content of an answer is to be checked. */
export type AnswerContent =
  /** Its SHA-256, of the bytes without codings that are not covered. */
  | { readonly kind: 'digest'; readonly digest: Sha256Digest }
  /** By the receipt, once it has come. */
  | { readonly kind: 'later' }
  /** Not one byte may come. */
  | { readonly kind: 'none' }

/** What an answer says that has a signature of ours. Nothing of it is proven yet. */
export interface ClaimedAnswer {
  readonly status: number
  readonly keyid: string
  /** What `mac` is said to authenticate. ASCII. */
  readonly base: string
  readonly mac: Uint8Array
  /** Covered fields, and no others: whatever is decided is decided by these. */
  readonly covered: HeaderSource
  /**
   * Names, in lower case, of fields that are not covered and must not be acted on. `content-encoding`
   * among them was added on the way: the coding is taken off before the content is hashed.
   */
  readonly drop: readonly string[]
  readonly content: AnswerContent
}

declare const brand: unique symbol

/** The receiver's answer to exactly this request. Only `verifyAnswer` makes them. */
export type VerifiedAnswer = ClaimedAnswer & { readonly [brand]: 'VerifiedAnswer' }

export type AnswerFault = 'answer_unsigned' | 'answer_key_unknown' | 'answer_altered'

/** To what an answer belongs. */
export interface Answered {
  /** Of the request. */
  readonly requestMac: Uint8Array
}

/**
 * Signs an answer that has all its fields: status, every RDN field, what the agent acts on, and the
 * request that it answers.
 * @throws UraidenError `unsignable_answer` when the agent would not believe it
 */
export function signAnswer(
  answer: AnswerMessage,
  keys: BoundKeys,
  { requestMac, hmac = hmacSha256 }: Answered & { readonly hmac?: HmacSha256 },
): SignedMessage {
  try {
    const draft = draftAnswer(answer, keys.keyid, requestMac)
    return finishDraft(draft, hmac(keys.answers, draft.base))
  } catch (cause) {
    throw protocolError({
      code: 'unsignable_answer',
      message: detailOf(cause),
      cause,
    })
  }
}

/** What an answer claims. `requestMac` is that of the request that was sent. */
export function parseBoundAnswer(
  answer: AnswerMessage,
  { requestMac }: Answered,
): Outcome<ClaimedAnswer, 'answer_unsigned' | 'answer_altered'> {
  try {
    const fields = collectFields(answer.fields)
    const signature = readSignature(fields)
    return signature === undefined
      ? failure('answer_unsigned', 'The answer is not signed.')
      : success(claimOf(answer, fields, { ...signature, requestMac }))
  } catch (error) {
    return failure('answer_altered', detailOf(error))
  }
}

/** Whether this is the receiver's answer to the request. Any other one is a lost answer. */
export function verifyAnswer(
  claimed: ClaimedAnswer,
  keys: BoundKeys,
  { hmac = hmacSha256 }: { readonly hmac?: HmacSha256 } = {},
): Outcome<VerifiedAnswer, AnswerFault> {
  return compareAnswer(claimed, { keyid: keys.keyid, mac: hmac(keys.answers, claimed.base) })
}

/** The same with the HMAC of the claimed base, for keys that do not leave their store (WebCrypto). */
export function compareAnswer(
  claimed: ClaimedAnswer,
  { keyid, mac }: { readonly keyid: string; readonly mac: Uint8Array },
): Outcome<VerifiedAnswer, AnswerFault> {
  if (claimed.keyid !== keyid) {
    return failure('answer_key_unknown', 'The answer is signed with another key.')
  }
  return equalBytes(mac, claimed.mac)
    ? success(claimed as VerifiedAnswer)
    : failure('answer_altered', 'The answer’s signature fits neither it nor its request.')
}

function draftAnswer(answer: AnswerMessage, keyid: string, requestMac: Uint8Array): Draft {
  const fields = collectFields(answer.fields)
  const names = [...fields.keys()].filter((name) => isOfProtocol(name) || tellsTheAgent(name))
  const covered = new Set(names)
  checkProtected(fields, covered, isOfProtocol)
  contentOf(selectFields(fields, covered))
  const parameters = { keyid, tag: signatureTag.answer }
  const coverage = formatCoverage(['@status', ...names], parameters, [requestSignature])
  const base = signatureBase(coverage, componentOf(answer, fields, requestMac))
  return { base, coverage, foreign: foreignSignatures(fields) }
}

function claimOf(
  answer: AnswerMessage,
  fields: Fields,
  { coverage, names, coversRequest, parameters, mac, requestMac }: SignatureMember & Answered,
): ClaimedAnswer {
  if (parameters.tag !== signatureTag.answer) {
    throw unsound('other_tag', 'The signature is not one of an answer.')
  }
  if (!coversRequest) throw unsound('component_uncovered', 'The request is not covered.')
  checkDerived(names)
  checkProtected(fields, names, isOfProtocol)
  const source = selectFields(fields, names)
  return {
    status: answer.status,
    keyid: parameters.keyid,
    base: signatureBase(coverage, componentOf(answer, fields, requestMac)),
    mac,
    covered: source,
    drop: [...fields.keys()].filter((name) => tellsTheAgent(name) && !names.has(name)),
    content: contentOf(source),
  }
}

/** Answers cover their status, and no other derived component. */
function checkDerived(names: ReadonlySet<string>): void {
  if (!names.has('@status')) throw unsound('component_uncovered', 'The status is not covered.')
  for (const name of names) {
    if (name.startsWith('@') && name !== '@status') {
      throw unsound('unknown_component', 'The answer covers a component that is not used here.')
    }
  }
}

function componentOf({ status }: AnswerMessage, fields: Fields, requestMac: Uint8Array) {
  return (identifier: string): string | undefined => {
    if (identifier === requestSignature) return formatMac(requestMac)
    const name = nameOf(identifier)
    return name === '@status' ? formatStatus(status) : fields.get(name)?.value
  }
}

/** Interim answers (1xx) are no answers. */
function formatStatus(status: number): string {
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw unsound('not_a_status', `${status} is not the status of an answer.`)
  }
  return status.toString()
}

function contentOf(covered: HeaderSource): AnswerContent {
  const digest = covered('content-digest')
  const body = covered('rdn-body')
  if (body !== undefined && (body !== bodyLater || digest !== undefined)) {
    throw unsound('malformed_body', 'RDN-Body says another thing than later, or beside a digest.')
  }
  if (body !== undefined) return { kind: 'later' }
  if (digest === undefined) return { kind: 'none' }
  return { kind: 'digest', digest: parseContentDigest(digest) }
}
