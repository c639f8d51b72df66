// Who pays whom in the benchmark of bound requests.
import { addressOfKey, fromHex } from '../../../protocol/index.ts'

export const keys = { sender: `0x${'11'.repeat(32)}`, receiver: `0x${'22'.repeat(32)}` }
/** Whose address stands for the contract. */
export const contractKey = `0x${'33'.repeat(32)}`
export const token = addressOfKey(fromHex(`0x${'55'.repeat(32)}`))
export const price = 5n

export function channelOf() {
  return {
    sender: addressOfKey(fromHex(keys.sender)),
    receiver: addressOfKey(fromHex(keys.receiver)),
    openBlock: 7,
    deposit: 10n ** 18n,
  }
}
