// Payment cookies: with them the browser itself fetches what was paid for, where the page cannot
// show it (wire-protocol.md section 3).
import type { SignedPayment } from '../../../../browser/index.ts'
import { type Address, headerName } from '../../../../protocol/index.ts'

/** Replies are kept this long by default. */
const seconds = 600

const names = Object.values(headerName)

/** A cookie overrides a header: what an earlier answer or payment left must not speak for this one. */
export function clearCookies(): void {
  for (const name of names) {
    for (const path of ['/', location.pathname]) {
      // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not there without TLS
      document.cookie = `${name}=; Path=${path}; Max-Age=0`
    }
  }
}

/** For this very path; sent again with a reload. */
export function setPaymentCookies(sender: Address, { channel, payment }: SignedPayment): void {
  const values = {
    [headerName.sender]: sender,
    [headerName.openBlock]: `${channel.openBlock}`,
    [headerName.senderBalance]: `${payment.balance}`,
    [headerName.signature]: payment.signature,
    [headerName.idempotencyKey]: payment.key,
  }
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  for (const [name, value] of Object.entries(values)) {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not there without TLS
    document.cookie = `${name}=${value}; Path=${location.pathname}; Max-Age=${seconds}; SameSite=Strict${secure}`
  }
}
