// secp256k1 of the system's library, where that has it. Bun's has not: its programs compute with noble, which takes
// longer and gives the same.
import { createECDH, type ECDH } from 'node:crypto'

export type OpenCurve = (name: 'secp256k1') => ECDH

/** Nothing where the library cannot. */
export function openCurve(open: OpenCurve = createECDH): ECDH | undefined {
  try {
    return open('secp256k1')
  } catch {
    return undefined
  }
}
