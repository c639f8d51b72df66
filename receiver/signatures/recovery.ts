// Recovering public keys, with the fastest of three implementations that works on this machine.
//
// native  the C library of 2020, 60 µs; the package has no binaries for ARM
// wasm    the C library of today as WebAssembly, 80 µs, and 75 with a known key
// js      noble, thirty times slower; always there
//
// The package `secp256k1` itself falls back to slow JavaScript in silence, so its binding is loaded
// by name (docs/design/performance.md).

import { keccak_256 } from '@noble/hashes/sha3.js'
import { Point, recoverPublicKey } from '@noble/secp256k1'
import {
  addressOfPublicKey,
  fromHex,
  type Keccak256,
  type RecoverSigner,
} from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

export const recoveryNames = ['native', 'wasm', 'js'] as const

export type RecoveryName = (typeof recoveryNames)[number]

/** 04 ‖ x ‖ y of the key that made r ‖ s over the digest; undefined or an error when there is none. */
type RecoverKey = (
  digest: Uint8Array,
  rAndS: Uint8Array,
  recoveryId: 0 | 1,
) => Uint8Array | undefined

/** A library's part of it. */
interface Curve {
  readonly recoverKey: RecoverKey
  /**
   * True exactly when `recoverKey` gives `key`. Only where that is the faster, and sees a wrong recovery
   * id: plain verification does not, and the contract would refuse what the receiver has taken.
   */
  readonly verifyKey?: (
    digest: Uint8Array,
    rAndS: Uint8Array,
    recoveryId: 0 | 1,
    key: Uint8Array,
  ) => boolean
}

export interface Recovery extends Curve {
  readonly name: RecoveryName
  readonly keccak: Keccak256
}

const loaders: { readonly [Name in RecoveryName]: () => Promise<Curve> } = {
  native: async () => {
    const { default: binding } = await import('secp256k1/bindings.js')
    return { recoverKey: (digest, rAndS, id) => binding.ecdsaRecover(rAndS, id, digest, false) }
  },
  wasm: async () => {
    const { instantiate } = await import('./libsecp256k1/index.ts')
    return instantiate()
  },
  js: async () => ({
    recoverKey: (digest, rAndS, id) => {
      const recovered = new Uint8Array(65)
      recovered[0] = id
      recovered.set(rAndS, 1)
      return Point.fromBytes(recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false)
    },
  }),
}

export interface ChosenRecovery {
  readonly recovery: Recovery
  /** Why the faster ones are not used. */
  readonly passedOver: readonly { readonly name: RecoveryName; readonly why: string }[]
}

/**
 * The first of `wanted` that loads and passes a self-test.
 * @throws UraidenError `no_verifier` when none does
 */
export async function chooseRecovery(
  wanted: readonly RecoveryName[] = recoveryNames,
): Promise<ChosenRecovery> {
  const passedOver: { name: RecoveryName; why: string }[] = []
  const keccak = await fastestKeccak()
  for (const name of wanted) {
    try {
      const recovery: Recovery = { name, keccak, ...(await loaders[name]()) }
      if (passesSelfTest(recovery)) return { recovery, passedOver }
      passedOver.push({ name, why: 'it accepts what it should not, or refuses what is good' })
    } catch (error) {
      passedOver.push({ name, why: error instanceof Error ? error.message : String(error) })
    }
  }
  throw receiverError({
    code: 'no_verifier',
    message: `Signatures cannot be checked here: ${passedOver.map(({ name, why }) => `${name}: ${why}`).join('; ')}.`,
    hint: `Leave the choice of the verifier open, or choose one of ${recoveryNames.join(', ')}.`,
  })
}

/** A digest, and r ‖ s ‖ v over it. */
export interface SignedDigest {
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** True when the last 20 bytes of the hash of the recovered key are `address`. */
export function isSignedBy(by: Recovery, address: Uint8Array, signed: SignedDigest): boolean {
  return keyOfSigner(by, address, signed) !== undefined
}

/** The key behind `address`, which made the signature; undefined when it did not. */
export function keyOfSigner(
  { recoverKey, keccak }: Recovery,
  address: Uint8Array,
  { digest, signature }: SignedDigest,
): Uint8Array | undefined {
  const key = recoverOrUndefined(recoverKey, digest, signature)
  if (key === undefined) return undefined
  const hash = keccak(key.subarray(1))
  for (let at = 0; at < 20; at++) if (hash[12 + at] !== address[at]) return undefined
  return key
}

/** The recovery id that a signature's v stands for. */
export function recoveryIdOf(signature: Uint8Array): 0 | 1 {
  return signature[64] === 28 ? 1 : 0
}

/** @throws UraidenError `unrecoverable_signature` */
export function recoverBy({ recoverKey }: Recovery): RecoverSigner {
  return (digest, signature) => {
    const key = recoverOrUndefined(recoverKey, digest, fromHex(signature))
    if (key !== undefined) return addressOfPublicKey(key)
    throw receiverError({
      code: 'unrecoverable_signature',
      message: 'No key can have made this signature.',
    })
  }
}

/** A signature that no key can have made is an error in two libraries and a value in the third. */
function recoverOrUndefined(
  recoverKey: RecoverKey,
  digest: Uint8Array,
  signature: Uint8Array,
): Uint8Array | undefined {
  try {
    return recoverKey(digest, signature.subarray(0, 64), recoveryIdOf(signature))
  } catch {
    return undefined
  }
}

/** WebAssembly is eight times faster here, and missing where code may not be generated. */
async function fastestKeccak(): Promise<Keccak256> {
  try {
    const { createKeccak } = await import('hash-wasm')
    const hasher = await createKeccak(256)
    const keccak: Keccak256 = (bytes) => hasher.init().update(bytes).digest('binary')
    return equal(keccak(selfTest.digest), keccak_256(selfTest.digest)) ? keccak : keccak_256
  } catch {
    return keccak_256
  }
}

/** The first balance proof of test/protocol/balance-proofs.json. */
const selfTest = {
  digest: fromHex('0x7e79e1c82a7dcf5e5b24f73fdb6c90b0369d38daa3a41066cd0e410038040e31'),
  signature: fromHex(
    '0x78a0fd96411967c929be4cddbeb3077c04338c87b7f4d99b51bf613477e235c44024d0832adb16947819012866b157964e41c6be3c2fb0626a5e61f22e50bba91b',
  ),
  signer: fromHex('0x616eaB8E17Bd04DBb76a5e6308c9Fb66C02B817B'),
} as const

/** One signature that is good, one over another digest, and one that no key can have made. */
function passesSelfTest(recovery: Recovery): boolean {
  const { digest, signature, signer } = selfTest
  const otherDigest = digest.map((byte) => byte ^ 1)
  const impossible = new Uint8Array(65).fill(0xff)
  const key = keyOfSigner(recovery, signer, { digest, signature })
  return (
    key !== undefined &&
    verifiesWith(recovery, key) &&
    !isSignedBy(recovery, signer, { digest: otherDigest, signature }) &&
    !isSignedBy(recovery, signer, { digest, signature: impossible })
  )
}

/** The good signature, and neither the one with the other v nor the one over another digest. */
function verifiesWith({ verifyKey }: Recovery, key: Uint8Array): boolean {
  if (verifyKey === undefined) return true
  const { digest, signature } = selfTest
  const rAndS = signature.subarray(0, 64)
  const otherDigest = digest.map((byte) => byte ^ 1)
  return (
    verifyKey(digest, rAndS, 0, key) &&
    !verifyKey(digest, rAndS, 1, key) &&
    !verifyKey(otherDigest, rAndS, 0, key)
  )
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
