// From the two request keys of a channel to the two keys that authenticate its requests and answers.

import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { getPublicKey, getSharedSecret, utils } from '@noble/secp256k1'
import { type Address, addressToBytes } from '../address.ts'
import { fromHex, toHex, writeUint } from '../bytes.ts'
import type { ChannelId } from '../channel.ts'
import { protocolError } from '../errors.ts'
import { parseRequestPublicKey, type RequestPublicKey } from './request-key.ts'

/** Which channel a pair of keys is for, where, and the request keys of both sides. */
export interface Binding {
  readonly chainId: bigint
  readonly contract: Address
  readonly channel: ChannelId
  readonly senderKey: RequestPublicKey
  readonly receiverKey: RequestPublicKey
}

export interface BoundKeys {
  /** 16 hex digits that name the binding on the wire. */
  readonly keyid: string
  /** What these keys authenticate; a message that names another channel is not theirs. */
  readonly binding: Binding
  /** 32 bytes: HMAC key of requests. */
  readonly requests: Uint8Array
  /** 32 bytes: HMAC key of answers. */
  readonly answers: Uint8Array
}

export interface RequestKeyPair {
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  readonly publicKey: RequestPublicKey
}

const version = utf8ToBytes('rdn-bound-1\0')

/** A random request key. */
export function createRequestKey(): RequestKeyPair {
  const privateKey = utils.randomSecretKey()
  return { privateKey, publicKey: requestPublicKey(privateKey) }
}

export function requestPublicKey(privateKey: Uint8Array): RequestPublicKey {
  return parseRequestPublicKey(toHex(getPublicKey(privateKey, true)))
}

/**
 * ECDH: the x-coordinate (32 bytes) of the common point. `ECDH.computeSecret` of node:crypto gives the
 * same 32 bytes in a quarter of the time and checks the point as well.
 * @throws UraidenError `not_a_request_key` when the other's key is no point on the curve
 */
export function sharedSecret(privateKey: Uint8Array, other: RequestPublicKey): Uint8Array {
  try {
    return getSharedSecret(privateKey, fromHex(other), true).subarray(1)
  } catch (cause) {
    throw protocolError({
      code: 'not_a_request_key',
      message: 'A request key is no point on the curve.',
      cause,
    })
  }
}

/**
 * The HKDF's `info`: whatever the keys depend on, at fixed places. The sides are not sorted, so that
 * the keys of a channel in the other direction are other keys.
 */
export function bindingInfo(binding: Binding): Uint8Array {
  const { chainId, contract, channel } = binding
  const info = new Uint8Array(174)
  info.set(version, 0)
  writeUint(info, chainId, 12, 32)
  info.set(addressToBytes(contract), 44)
  info.set(addressToBytes(channel.sender), 64)
  info.set(addressToBytes(channel.receiver), 84)
  writeUint(info, BigInt(channel.openBlock), 104, 4)
  info.set(fromHex(binding.senderKey), 108)
  info.set(fromHex(binding.receiverKey), 141)
  return info
}

/**
 * HKDF-SHA-256 (RFC 5869) without salt: 32 bytes for requests, 32 for answers.
 * @throws RangeError when `secret` is not the 32 bytes of ECDH
 */
export function deriveBoundKeys(secret: Uint8Array, binding: Binding): BoundKeys {
  if (secret.length !== 32) throw new RangeError(`a secret has 32 bytes, not ${secret.length}`)
  const info = bindingInfo(binding)
  const keys = hkdf(sha256, secret, undefined, info, 64)
  return {
    keyid: bytesToHex(sha256(info)).slice(0, 16),
    binding,
    requests: keys.subarray(0, 32),
    answers: keys.subarray(32),
  }
}
