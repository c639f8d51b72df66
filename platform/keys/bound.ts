// The arithmetic of bound requests by node:crypto, a fraction of what it takes in JavaScript. Both sides do it
// for every request, and once a channel.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type HmacSha256, type RequestPublicKey, sharedSecret } from '../../protocol/bound/index.ts'
import { fromHex } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { type OpenCurve, openCurve } from './curve.ts'

const secrets = new WeakMap<Uint8Array, KeyObject>()

/** From bytes node would make the key anew each time, which takes longer than the MAC. */
export const hmac: HmacSha256 = (key, text) => {
  const secret = secrets.get(key) ?? createSecretKey(key)
  secrets.set(key, secret)
  return createHmac('sha256', secret).update(text).digest()
}

/** Node’s code for it. */
const invalidPoint = 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY'

/**
 * ECDH of two request keys, as `sharedSecret` of protocol/bound: 32 bytes.
 * @throws UraidenError `not_a_request_key` when the other's key is no point on the curve
 */
export function requestSecret(
  privateKey: Uint8Array,
  other: RequestPublicKey,
  open?: OpenCurve,
): Uint8Array {
  const ecdh = openCurve(open)
  if (ecdh === undefined) return sharedSecret(privateKey, other)
  ecdh.setPrivateKey(privateKey)
  try {
    return ecdh.computeSecret(fromHex(other))
  } catch (cause) {
    if ((cause as { readonly code?: string }).code !== invalidPoint) throw cause
    throw platformError({
      code: 'not_a_request_key',
      message: 'A request key is no point on the curve.',
      cause,
    })
  }
}
