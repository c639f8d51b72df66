// Who pays at paywalls that share a database: senders by number, each with a channel, and what they put on a request.
import { addressOfKey, formatPayment, fromHex, type Hex } from '../../protocol/index.ts'
import type { ChannelId } from '../../receiver/channels/book.ts'
import { balanceProof } from '../../scripts/lib/sign.ts'

export const price = 5n
export const receiverKey: Hex = `0x${'22'.repeat(32)}`
export const receiver = addressOfKey(fromHex(receiverKey))
export const domain = {
  contract: addressOfKey(fromHex(`0x${'33'.repeat(32)}`)),
  chainId: 31337n,
}

const keyOf = (number: number): Hex => `0x${(number + 1).toString(16).padStart(64, '0')}`

export const channelOf = (number: number): ChannelId => ({
  sender: addressOfKey(fromHex(keyOf(number))),
  openBlock: 7,
})

/** `name` is for the request's `Idempotency-Key`. */
export function paymentFields(number: number, balance: bigint, name?: string) {
  const channel = { ...channelOf(number), receiver }
  const key = keyOf(number)
  const signature = balanceProof({ domain, ...channel, balance, key, form: 'eip712' })
  return {
    ...formatPayment({ signature, balance, ...channelOf(number), amount: price }),
    ...(name !== undefined && { 'Idempotency-Key': name }),
  }
}
