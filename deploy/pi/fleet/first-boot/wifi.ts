// The key of a Wi-Fi network in place of its password.

import { pbkdf2Sync } from 'node:crypto'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'

/**
 * IEEE 802.11i, annex H.4.1: PBKDF2 over the network's name. 64 hex digits.
 * @throws UraidenError `wifi_password_invalid`
 */
export function wpaKey(ssid: string, password: string): string {
  if (/^[0-9a-f]{64}$/i.test(password)) return password.toLowerCase()
  if (/^[ -~]{8,63}$/.test(password)) {
    return pbkdf2Sync(password, ssid, 4096, 32, 'sha1').toString('hex')
  }
  throw toolError({
    code: 'wifi_password_invalid',
    message: 'The Wi-Fi password does not have 8 to 63 ASCII characters.',
  })
}
