import { type Signer, signDigest } from '../../protocol/index.ts'
import { addressOfPrivateKey } from './address.ts'

/**
 * A signer that holds its key in memory. The key stays inside this closure: it is no property of
 * anything that could be logged or serialised. `privateKey` has 32 bytes.
 * @example
 * const { SENDER_KEY = '' } = process.env
 * const signer = createKeySigner(fromHex(SENDER_KEY))
 */
export function createKeySigner(privateKey: Uint8Array): Signer {
  const key = Uint8Array.from(privateKey)
  return { address: addressOfPrivateKey(key), sign: async (digest) => signDigest(digest, key) }
}
