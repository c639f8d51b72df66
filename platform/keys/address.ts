// The address of a key by the system's own curve: noble would compute thousands of points of its table first.
import { type Address, addressOfKey, addressOfPublicKey } from '../../protocol/index.ts'
import { type OpenCurve, openCurve } from './curve.ts'

/**
 * The address of a private key of 32 bytes; the same as `addressOfKey` of the protocol.
 * @throws Error another length, 0, and numbers from the group's order up are no keys (SEC 1, section 3.2.1)
 */
export function addressOfPrivateKey(key: Uint8Array, open?: OpenCurve): Address {
  // It would take a shorter one as a number.
  if (key.length !== 32) throw new RangeError('A private key has 32 bytes.')
  const curve = openCurve(open)
  if (curve === undefined) return addressOfKey(key)
  curve.setPrivateKey(key)
  return addressOfPublicKey(curve.getPublicKey())
}
