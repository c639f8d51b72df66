// secp256k1 signatures over a 32-byte digest, as Ethereum writes them: r ‖ s ‖ v.
// Signing is deterministic (RFC 6979) and yields the low s of EIP-2.

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { getPublicKey, hashes, Point, recoverPublicKey, sign } from '@noble/secp256k1'
import { type Address, addressFromBytes } from './address.ts'
import { fromHex, type Hex, shorten, toHex } from './bytes.ts'
import { protocolError } from './errors.ts'

// noble leaves the choice of hash to its user; @noble/hashes is the fastest without Node.
hashes.sha256 = sha256
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message)

declare const brand: unique symbol

/** 65 bytes r ‖ s ‖ v in lower-case hex, v 27 or 28, s in the lower half of the group's order. */
export type Signature = Hex & { readonly [brand]: 'Signature' }

/** The 32 bytes that are signed. */
export type Digest = Uint8Array

/** The address that signed `digest`, or an error: pluggable, so that a server can use native code. */
export type RecoverSigner = (digest: Digest, signature: Signature) => Address

/**
 * Holds one private key and signs with it. A key file, a credential or another process can stand
 * behind it; nothing else in a program sees the key.
 */
export interface Signer {
  readonly address: Address
  readonly sign: (digest: Digest) => Promise<Signature>
}

/** SEC 2: the order of secp256k1's group. EIP-2 allows s up to its half. */
const halfOrder = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n / 2n

/**
 * A signature as another program wrote it: 65 bytes, v 0, 1, 27 or 28. The other of the two
 * signatures that anybody can compute from one (high s) is refused: the contract takes only one.
 * @throws UraidenError `not_a_signature`, `high_s_signature`
 * @example
 * parseSignature(signature.toUpperCase().replace('0X', '0x')) === signature // true
 */
export function parseSignature(text: string): Signature {
  if (!/^0x[0-9a-fA-F]{130}$/.test(text)) {
    throw protocolError({
      code: 'not_a_signature',
      message: `"${shorten(text)}" is not a signature.`,
      hint: 'Write 0x and 130 hex digits: r, s and v, 65 bytes.',
    })
  }
  const lower = text.toLowerCase()
  const v = Number.parseInt(lower.slice(130), 16)
  const normal = v < 27 ? v + 27 : v
  if (normal !== 27 && normal !== 28) {
    throw protocolError({
      code: 'not_a_signature',
      message: `A signature ends in v = 0, 1, 27 or 28, not ${v}.`,
      hint: 'Sign again; the last byte is the recovery id.',
    })
  }
  if (BigInt(`0x${lower.slice(66, 130)}`) > halfOrder) {
    throw protocolError({
      code: 'high_s_signature',
      message: 'The signature has the high one of the two possible s values.',
    })
  }
  return `${lower.slice(0, 130)}${normal.toString(16)}` as Signature
}

/**
 * r and vs of EIP-2098: v takes the highest bit of s, which a low s leaves free.
 * @example
 * const [r, vs] = compactSignature(signature)
 * r.length // 66
 */
export function compactSignature(signature: Signature): readonly [r: Hex, vs: Hex] {
  const s = BigInt(`0x${signature.slice(66, 130)}`)
  const vs = signature.endsWith('1c') ? s | (1n << 255n) : s
  return [signature.slice(0, 66) as Hex, `0x${vs.toString(16).padStart(64, '0')}`]
}

/**
 * The 64 bytes of EIP-2098: a word less for the contract to be sent than the 65.
 * @example
 * shortSignature(signature).length // 130
 */
export function shortSignature(signature: Signature): Hex {
  const [r, vs] = compactSignature(signature)
  return `${r}${vs.slice(2)}` as Hex
}

/**
 * Signs a digest; the same key and digest give the same 65 bytes.
 * @example
 * const signature = signDigest(digest, privateKey)
 * recoverSigner(digest, signature) === addressOfKey(privateKey) // true
 */
export function signDigest(digest: Digest, privateKey: Uint8Array): Signature {
  const recovered = sign(digest, privateKey, { prehash: false, format: 'recovered' })
  // noble puts the recovery id first, Ethereum puts it last as 27 or 28.
  const bytes = new Uint8Array(65)
  bytes.set(recovered.subarray(1), 0)
  bytes[64] = 27 + (recovered[0] ?? 0)
  return toHex(bytes) as Signature
}

/**
 * The address whose key made `signature` over `digest`.
 * @throws UraidenError `unrecoverable_signature` when no key can have made it
 * @example
 * recoverSigner(digest, signature) === channel.sender // true
 */
export function recoverSigner(digest: Digest, signature: Signature): Address {
  const bytes = fromHex(signature)
  const recovered = new Uint8Array(65)
  recovered[0] = (bytes[64] ?? 0) - 27
  recovered.set(bytes.subarray(0, 64), 1)
  try {
    const publicKey = recoverPublicKey(recovered, digest, { prehash: false })
    return addressOfPublicKey(Point.fromBytes(publicKey).toBytes(false))
  } catch (cause) {
    throw protocolError({
      code: 'unrecoverable_signature',
      message: 'No key can have made this signature.',
      cause,
    })
  }
}

/**
 * The address of a private key of 32 bytes.
 * @example
 * addressOfKey(privateKey) === signer.address // true
 */
export function addressOfKey(privateKey: Uint8Array): Address {
  return addressOfPublicKey(getPublicKey(privateKey, false))
}

/**
 * The last 20 bytes of the hash of x ‖ y (Yellow Paper, appendix F); the key comes as 04 ‖ x ‖ y.
 * @example
 * // 04 ‖ x ‖ y
 * addressOfPublicKey(publicKey) === signer.address // true
 */
export function addressOfPublicKey(uncompressed: Uint8Array): Address {
  return addressFromBytes(keccak_256(uncompressed.subarray(1)).subarray(12))
}
