// Bound requests: which components they cover, how they are signed and checked.

import { type Address, parseAddress } from '../address.ts'
import { type ContractBlock, parseBlockNumber } from '../channel.ts'
import { protocolError } from '../errors.ts'
import type { HeaderSource } from '../headers.ts'
import { signatureBase, unsound } from './base.ts'
import { formatCoverage, nameOf } from './coverage.ts'
import { parseContentDigest, type Sha256Digest } from './digest.ts'
import { collectFields, type Fields, selectFields } from './fields.ts'
import type { Binding, BoundKeys } from './keys.ts'
import { equalBytes, type HmacSha256, hmacSha256 } from './mac.ts'
import {
  checkProtected,
  type Draft,
  detailOf,
  finishDraft,
  type RequestMessage,
  type SignedMessage,
} from './message.ts'
import { requireNonce } from './nonce.ts'
import { failure, type Outcome, success } from './outcome.ts'
import {
  choosesWhatIsServed,
  isOfPayment,
  requestComponents,
  requestFields,
  signatureTag,
} from './profile.ts'
import { foreignSignatures, readSignature, type SignatureMember } from './signature.ts'

/** What a request says that has a signature of ours. Nothing of it is proven yet. */
export interface ClaimedRequest {
  /** Names the keys, with which `verifyRequest` goes on. */
  readonly keyid: string
  readonly nonce?: string
  /** What `mac` is said to authenticate. ASCII. */
  readonly base: string
  readonly mac: Uint8Array
  /** Covered fields, and no others. */
  readonly covered: HeaderSource
  /**
   * Names, in lower case, of fields that are not covered and choose what is served: to be dropped
   * before price, resource or upstream see the request.
   */
  readonly drop: readonly string[]
  /** What the content must hash to; undefined: not one byte of content may come. */
  readonly contentDigest?: Sha256Digest
}

declare const brand: unique symbol

/** A request that came from the channel's sender as it is. Only `verifyRequest` makes them. */
export type VerifiedRequest = ClaimedRequest & { readonly [brand]: 'VerifiedRequest' }

export interface RequestSigning {
  /** Needed where there is no RDN-Balance. */
  readonly nonce?: string | undefined
}

export interface RequestChecks {
  /** Where the receiver is reached; when it is there, requests for other origins are refused. */
  readonly origins?: readonly string[] | undefined
  readonly hmac?: HmacSha256
}

/**
 * Signs a request that has all its fields: it covers method, path, query, every RDN field, the
 * Idempotency-Key, and what it has of the fields that choose what is served.
 * @throws UraidenError `unsignable_request` when the receiver would refuse it
 */
export function signRequest(
  request: RequestMessage,
  keys: BoundKeys,
  { nonce, hmac = hmacSha256 }: RequestSigning & { readonly hmac?: HmacSha256 } = {},
): SignedMessage {
  const draft = draftRequest(request, keys, { nonce })
  return finishDraft(draft, hmac(keys.requests, draft.base))
}

/**
 * The same without the HMAC, for keys that do not leave their store (WebCrypto).
 * @throws UraidenError `unsignable_request`
 */
export function draftRequest(
  request: RequestMessage,
  { keyid, binding }: Pick<BoundKeys, 'keyid' | 'binding'>,
  { nonce }: RequestSigning = {},
): Draft {
  try {
    const fields = collectFields(request.fields)
    const names = [...fields.keys()].filter(
      (name) => isOfPayment(name) || choosesWhatIsServed(name),
    )
    const covered = new Set(names)
    checkRequest(fields, { covered, nonce })
    if (!isOfBinding(selectFields(fields, covered), binding)) {
      throw unsound('other_channel', 'The request names another channel than its keys.')
    }
    const parameters = { keyid, nonce, tag: signatureTag.request }
    const coverage = formatCoverage([...requestComponents, ...names], parameters)
    const base = signatureBase(coverage, componentOf(request, fields))
    return { base, coverage, foreign: foreignSignatures(fields) }
  } catch (cause) {
    throw protocolError({
      code: 'unsignable_request',
      message: detailOf(cause),
      cause,
    })
  }
}

/**
 * What a request claims; undefined when it has no signature of ours and so is not bound. Tells which
 * keys are needed to check it.
 */
export function parseBoundRequest(
  request: RequestMessage,
): Outcome<ClaimedRequest, 'request_altered'> | undefined {
  try {
    const fields = collectFields(request.fields)
    const signature = readSignature(fields)
    return signature === undefined ? undefined : success(claimOf(request, fields, signature))
  } catch (error) {
    return failure('request_altered', detailOf(error))
  }
}

/** Whether a request comes from the channel's sender as it is, and is meant for this origin. */
export function verifyRequest(
  claimed: ClaimedRequest,
  keys: BoundKeys | undefined,
  { origins, hmac = hmacSha256 }: RequestChecks = {},
): Outcome<VerifiedRequest, 'request_key_unknown' | 'request_altered' | 'other_origin'> {
  // Keys are found by what the request says: they must be those of the channel that it names.
  if (keys?.keyid !== claimed.keyid || !isOfBinding(claimed.covered, keys.binding)) {
    return failure('request_key_unknown', 'The request is signed with a key that is unknown here.')
  }
  if (!equalBytes(hmac(keys.requests, claimed.base), claimed.mac)) {
    return failure('request_altered', 'The request’s signature does not fit it.')
  }
  const origin = claimed.covered('rdn-origin') ?? ''
  if (origins !== undefined && !origins.includes(origin)) {
    return failure('other_origin', `The request is for ${origin}.`)
  }
  return success(claimed as VerifiedRequest)
}

function claimOf(
  request: RequestMessage,
  fields: Fields,
  { coverage, names, coversRequest, parameters, mac }: SignatureMember,
): ClaimedRequest {
  if (parameters.tag !== signatureTag.request) {
    throw unsound('other_tag', 'The signature is not one of a request.')
  }
  checkDerived(names)
  if (coversRequest) throw unsound('unknown_component', 'A request answers no other request.')
  const { keyid, nonce } = parameters
  const contentDigest = checkRequest(fields, { covered: names, nonce })
  return {
    keyid,
    ...(nonce === undefined ? {} : { nonce }),
    base: signatureBase(coverage, componentOf(request, fields)),
    mac,
    covered: selectFields(fields, names),
    drop: [...fields.keys()].filter((name) => choosesWhatIsServed(name) && !names.has(name)),
    ...(contentDigest === undefined ? {} : { contentDigest }),
  }
}

interface Coverage {
  readonly covered: ReadonlySet<string>
  readonly nonce: string | undefined
}

/** What has to hold of every bound request, on both sides; gives the digest of its content. */
function checkRequest(fields: Fields, { covered, nonce }: Coverage): Sha256Digest | undefined {
  for (const name of requestFields) {
    if (!fields.has(name)) throw unsound('field_missing', `${name} is missing.`)
  }
  checkProtected(fields, covered, isOfPayment)
  if (nonce !== undefined) requireNonce(nonce)
  else if (!fields.has('rdn-balance')) {
    throw unsound('nonce_missing', 'A request without a balance needs a nonce.')
  }
  const digest = selectFields(fields, covered)('content-digest')
  if (digest !== undefined) return parseContentDigest(digest)
  if (announcesContent(fields)) {
    throw unsound('content_uncovered', 'The request has content that is not covered.')
  }
  return
}

/** By its framing (RFC 9112 section 6.3); that nothing comes where this says no is checked by the reader. */
function announcesContent(fields: Fields): boolean {
  const length = fields.get('content-length')?.value
  return fields.has('transfer-encoding') || (length !== undefined && !/^0+$/.test(length))
}

/** Requests cover all derived components of the profile and no others. */
function checkDerived(names: ReadonlySet<string>): void {
  const missing = requestComponents.find((name) => !names.has(name))
  if (missing !== undefined) throw unsound('component_uncovered', `${missing} is not covered.`)
  for (const name of names) {
    if (name.startsWith('@') && !requestComponents.includes(name)) {
      throw unsound('unknown_component', 'The request covers a component that is not used here.')
    }
  }
}

function componentOf({ method, path, query }: RequestMessage, fields: Fields) {
  return (identifier: string): string | undefined => {
    const name = nameOf(identifier)
    switch (name) {
      case '@method':
        return method
      case '@path':
        return formatPath(path)
      case '@query':
        return formatQuery(query)
      default:
        return fields.get(name)?.value
    }
  }
}

/** RFC 9421 section 2.2.6: what is empty is written as /. */
function formatPath(path: string): string {
  if (!/^(?:\/[^?#]*)?$/.test(path)) throw unsound('not_a_path', 'The path of the request is none.')
  return path === '' ? '/' : path
}

/** RFC 9421 section 2.2.7: what is empty is written as ?. */
function formatQuery(query: string): string {
  if (!/^(?:\?[^#]*)?$/.test(query))
    throw unsound('not_a_query', 'The query of the request is none.')
  return query === '' ? '?' : query
}

function isOfBinding(covered: HeaderSource, { contract, channel }: Binding): boolean {
  return (
    isAddress(covered('rdn-contract-address'), contract) &&
    isAddress(covered('rdn-receiver-address'), channel.receiver) &&
    isAddress(covered('rdn-sender-address'), channel.sender) &&
    isBlock(covered('rdn-open-block'), channel.openBlock)
  )
}

function isAddress(text: string | undefined, address: Address): boolean {
  return text === address || parsed(text, parseAddress) === address
}

function isBlock(text: string | undefined, block: ContractBlock): boolean {
  return parsed(text, parseBlockNumber) === block
}

function parsed<Value>(
  text: string | undefined,
  parse: (text: string) => Value,
): Value | undefined {
  try {
    return text === undefined ? undefined : parse(text)
  } catch (error) {
    detailOf(error)
    return
  }
}
