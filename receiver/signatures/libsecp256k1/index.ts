// The module that verifier.c describes, for one thread: its memory holds one signature at a time.
import { libsecp256k1 } from './module.ts'

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly digestAt: () => number
  readonly signatureAt: () => number
  readonly keyAt: () => number
  readonly recover: (odd: 0 | 1) => 0 | 1
  readonly verify: (odd: 0 | 1) => 0 | 1
}

/** Its types come with those of browsers, which are not read here; its interface is verifier.c. */
declare const WebAssembly: {
  readonly instantiate: (
    module: Uint8Array,
  ) => Promise<{ readonly instance: { readonly exports: Exports } }>
}

export interface Libsecp256k1 {
  /** 04 ‖ x ‖ y of the key that made r ‖ s over the digest; undefined when there is none. */
  readonly recoverKey: (
    digest: Uint8Array,
    rAndS: Uint8Array,
    recoveryId: 0 | 1,
  ) => Uint8Array | undefined
  /** True exactly when `recoverKey` gives `key`. */
  readonly verifyKey: (
    digest: Uint8Array,
    rAndS: Uint8Array,
    recoveryId: 0 | 1,
    key: Uint8Array,
  ) => boolean
}

/** @throws WebAssembly.CompileError where the processor or Node has no SIMD for WebAssembly */
export async function instantiate(): Promise<Libsecp256k1> {
  const { instance } = await WebAssembly.instantiate(Buffer.from(libsecp256k1, 'base64'))
  const { memory, digestAt, signatureAt, keyAt, recover, verify } = instance.exports
  const bytes = new Uint8Array(memory.buffer)
  const [digestStart, signatureStart, keyStart] = [digestAt(), signatureAt(), keyAt()]
  const write = (digest: Uint8Array, rAndS: Uint8Array): void => {
    bytes.set(digest, digestStart)
    bytes.set(rAndS, signatureStart)
  }
  return {
    recoverKey: (digest, rAndS, recoveryId) => {
      write(digest, rAndS)
      if (recover(recoveryId) === 0) return undefined
      const key = new Uint8Array(65)
      key[0] = 4
      key.set(bytes.subarray(keyStart, keyStart + 64), 1)
      return key
    },
    verifyKey: (digest, rAndS, recoveryId, key) => {
      write(digest, rAndS)
      bytes.set(key.subarray(1), keyStart)
      return verify(recoveryId) === 1
    },
  }
}
