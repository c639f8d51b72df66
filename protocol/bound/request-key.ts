// Request keys: what each side signs once to say which key speaks for it, and its JSON form.
// A request key takes part in ECDH and in nothing else; account keys only sign.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { Point } from '@noble/secp256k1'
import type { Address } from '../address.ts'
import { fromHex, type Hex, shorten } from '../bytes.ts'
import type { ChannelId, ContractBlock } from '../channel.ts'
import { protocolError, type UraidenError } from '../errors.ts'
import type { SignatureDomain } from '../proof.ts'
import {
  type Digest,
  parseSignature,
  type RecoverSigner,
  recoverSigner,
  type Signature,
} from '../signature.ts'
import { domainSeparator, hashStruct, typedDigest } from '../typed-data.ts'
import { failure, type Outcome, success } from './outcome.ts'

declare const brand: unique symbol

/** A compressed point, 33 bytes in lower-case hex. `requireOnCurve` says whether there is one. */
export type RequestPublicKey = Hex & { readonly [brand]: 'RequestPublicKey' }

/** A key and the block in which it was made. A later number replaces an earlier one for good. */
export interface NumberedKey {
  readonly key: RequestPublicKey
  /** uint64 */
  readonly number: bigint
}

/** What a sender authorises for one channel. */
export interface RequestKey extends NumberedKey {
  readonly receiver: Address
  readonly openBlock: ContractBlock
}

/** What a receiver authorises for all its channels. */
export interface ReceiverKey extends NumberedKey {
  /** The last block in which the key is good, uint64. */
  readonly until: bigint
}

/** As it is put to the receiver; receiver and block are those of the channel. */
export interface SignedRequestKey extends NumberedKey {
  readonly signature: Signature
}

export interface SignedReceiverKey extends ReceiverKey {
  readonly signature: Signature
}

const requestKeyType = 'RequestKey(address receiver,uint32 block_created,bytes key,uint64 number)'
const receiverKeyType = 'ReceiverKey(bytes key,uint64 number,uint64 until)'

/** EIP-712, in the domain of the channels contract, also where that contract is a 0.2. */
export function requestKeyDigest(domain: SignatureDomain, message: RequestKey): Digest {
  const { receiver, openBlock, key, number } = message
  const values = [receiver, BigInt(openBlock), hashKey(key), boundUint64(number)]
  return digest(domain, hashStruct(requestKeyType, values))
}

/** EIP-712, in the same domain as the keys of senders. */
export function receiverKeyDigest(domain: SignatureDomain, message: ReceiverKey): Digest {
  const { key, number, until } = message
  const values = [hashKey(key), boundUint64(number), boundUint64(until)]
  return digest(domain, hashStruct(receiverKeyType, values))
}

/**
 * Checks the form only: finding the point costs a square root, which `requireOnCurve` and ECDH do.
 * @throws UraidenError `not_a_request_key`
 */
export function parseRequestPublicKey(text: string): RequestPublicKey {
  if (!/^0x0[23][0-9a-fA-F]{64}$/.test(text)) {
    throw notAKey(`"${shorten(text)}" is not a request key.`)
  }
  return text.toLowerCase() as RequestPublicKey
}

/**
 * Infinity has no compressed form, so that a point on the curve is all there is to check
 * (the cofactor of secp256k1 is 1).
 * @throws UraidenError `not_a_request_key`
 */
export function requireOnCurve(key: RequestPublicKey): void {
  try {
    Point.fromBytes(fromHex(key)).assertValidity()
  } catch (cause) {
    throw notAKey('A request key is no point on the curve.', cause)
  }
}

/**
 * The content of a PUT of the sender's key.
 * @throws UraidenError `malformed_request_key`
 */
export function parseRequestKey(json: string): SignedRequestKey {
  return parseJson(json, (member) => parseSigned(member))
}

export function serializeRequestKey({ key, number, signature }: SignedRequestKey): string {
  return JSON.stringify({ key, number: number.toString(), signature })
}

/**
 * The content of the receiver's answer about its own key.
 * @throws UraidenError `malformed_request_key`
 */
export function parseReceiverKey(json: string): SignedReceiverKey {
  return parseJson(json, (member) => ({
    ...parseSigned(member),
    until: parseUint64(member('until')),
  }))
}

export function serializeReceiverKey(signed: SignedReceiverKey): string {
  const { key, number, until, signature } = signed
  return JSON.stringify({
    key,
    number: number.toString(),
    until: until.toString(),
    signature,
  })
}

/** Whether an offered key takes the place of the one that is known. */
export type KeySuccession = 'newer' | 'same' | 'replaced'

/**
 * Numbers only rise, so that a captured older key is worth nothing. Two keys with one number come from
 * two programs: the first stays.
 */
export function compareKeys(known: NumberedKey | undefined, offered: NumberedKey): KeySuccession {
  if (known === undefined || offered.number > known.number) return 'newer'
  return offered.number === known.number && offered.key === known.key ? 'same' : 'replaced'
}

export interface RequestKeyContext {
  readonly domain: SignatureDomain
  readonly channel: ChannelId
  readonly recover?: RecoverSigner
}

/** Whether the channel's sender has authorised this key for it. */
export function verifyRequestKey(
  signed: SignedRequestKey,
  { domain, channel, recover = recoverSigner }: RequestKeyContext,
): Outcome<RequestKey, 'request_key_invalid'> {
  const { key, number } = signed
  const message = { key, number, receiver: channel.receiver, openBlock: channel.openBlock }
  const signer = signerOf(requestKeyDigest(domain, message), signed.signature, recover)
  return signer === channel.sender
    ? success(message)
    : failure('request_key_invalid', 'The channel’s sender has not signed this request key.')
}

export interface ReceiverKeyContext {
  readonly domain: SignatureDomain
  readonly receiver: Address
  /** The newest block that is known. */
  readonly block: ContractBlock
  /** The key with the highest number that this receiver ever showed. */
  readonly known?: NumberedKey | undefined
  readonly recover?: RecoverSigner
}

export type ReceiverKeyFault =
  | 'receiver_key_invalid'
  | 'receiver_key_expired'
  | 'receiver_key_replaced'

/** Whether this receiver has authorised the key, and the key is still good. */
export function verifyReceiverKey(
  signed: SignedReceiverKey,
  { domain, receiver, block, known, recover = recoverSigner }: ReceiverKeyContext,
): Outcome<ReceiverKey, ReceiverKeyFault> {
  const { key, number, until } = signed
  if (compareKeys(known, signed) === 'replaced') {
    return failure('receiver_key_replaced', 'The receiver has shown a newer request key before.')
  }
  if (BigInt(block) > until) {
    return failure('receiver_key_expired', `The request key was good until block ${until}.`)
  }
  const message = { key, number, until }
  const signer = signerOf(receiverKeyDigest(domain, message), signed.signature, recover)
  return signer === receiver
    ? success(message)
    : failure('receiver_key_invalid', 'The receiver has not signed this request key.')
}

type JsonMember = (name: string) => string

function parseSigned(member: JsonMember): SignedRequestKey {
  return {
    key: parseRequestPublicKey(member('key')),
    number: parseUint64(member('number')),
    signature: parseSignature(member('signature')),
  }
}

function parseJson<Value>(json: string, parse: (member: JsonMember) => Value): Value {
  try {
    const value: unknown = JSON.parse(json)
    return parse((name) => {
      const member = new Map<string, unknown>(Object.entries(Object(value))).get(name)
      if (typeof member !== 'string') throw notAKey(`"${name}" is not there, or no text.`)
      return member
    })
  } catch (cause) {
    throw protocolError({
      code: 'malformed_request_key',
      message: `The request key is malformed: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    })
  }
}

function parseUint64(text: string): bigint {
  const value = /^[0-9]{1,20}$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || value >> 64n !== 0n) {
    throw notAKey(`"${shorten(text)}" is not a number of 64 bits.`)
  }
  return value
}

function signerOf(
  digest: Digest,
  signature: Signature,
  recover: RecoverSigner,
): Address | undefined {
  try {
    return recover(digest, signature)
  } catch {
    return
  }
}

function digest(domain: SignatureDomain, structHash: Uint8Array): Digest {
  return typedDigest(domainSeparator(domain.contract, domain.chainId), structHash)
}

function hashKey(key: RequestPublicKey): Uint8Array {
  return keccak_256(fromHex(key))
}

/** The struct's word has room for 256 bits; the message's field has not. */
function boundUint64(number: bigint): bigint {
  if (number >> 64n !== 0n) throw new RangeError(`${number} does not fit uint64`)
  return number
}

function notAKey(message: string, cause?: unknown): UraidenError {
  return protocolError({
    code: 'not_a_request_key',
    message,
    cause,
  })
}
