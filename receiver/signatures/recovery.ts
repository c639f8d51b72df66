// Recovering public keys, with the fastest of three implementations that works on this machine.
//
// native  the C library, 70 µs; the package has no binaries for ARM
// wasm    the same C library as WebAssembly, three times slower
// js      noble, seventy times slower; always there
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

export interface Recovery {
  readonly name: RecoveryName
  readonly recoverKey: RecoverKey
  readonly keccak: Keccak256
}

const loaders: { readonly [Name in RecoveryName]: () => Promise<RecoverKey> } = {
  native: async () => {
    const { default: binding } = await import('secp256k1/bindings.js')
    return (digest, rAndS, id) => binding.ecdsaRecover(rAndS, id, digest, false)
  },
  wasm: async () => {
    const { instantiateSecp256k1 } = await import('@bitauth/libauth/build/lib/crypto/secp256k1.js')
    const { recoverPublicKeyUncompressed } = await instantiateSecp256k1()
    return (digest, rAndS, id) => {
      const key = recoverPublicKeyUncompressed(rAndS, id, digest)
      return typeof key === 'string' ? undefined : key
    }
  },
  js: async () => (digest, rAndS, id) => {
    const recovered = new Uint8Array(65)
    recovered[0] = id
    recovered.set(rAndS, 1)
    return Point.fromBytes(recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false)
  },
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
      const recovery: Recovery = { name, recoverKey: await loaders[name](), keccak }
      if (passesSelfTest(recovery)) return { recovery, passedOver }
      passedOver.push({ name, why: 'it recovers a wrong key' })
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
export function isSignedBy(
  { recoverKey, keccak }: Recovery,
  address: Uint8Array,
  { digest, signature }: SignedDigest,
): boolean {
  const key = recoverOrUndefined(recoverKey, digest, signature)
  if (key === undefined) return false
  const hash = keccak(key.subarray(1))
  for (let at = 0; at < 20; at++) if (hash[12 + at] !== address[at]) return false
  return true
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
    return recoverKey(digest, signature.subarray(0, 64), signature[64] === 28 ? 1 : 0)
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
  return (
    isSignedBy(recovery, signer, { digest, signature }) &&
    !isSignedBy(recovery, signer, { digest: otherDigest, signature }) &&
    !isSignedBy(recovery, signer, { digest, signature: impossible })
  )
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
