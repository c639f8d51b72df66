import { addressOfKey, fromHex, type Terms } from '../../protocol/index.ts'

const keyOf = (digits: string) => `0x${digits.repeat(32)}`
const address = (digits: string) => addressOfKey(fromHex(keyOf(digits)))

export const senderKey = keyOf('11')
export const receiverKey = keyOf('22')

/** What the benchmark's receiver asks. */
export const benchTerms: Terms = {
  gatewayPath: '/api/1',
  receiver: address('22'),
  contract: address('33'),
  token: address('55'),
  price: 5n,
  features: new Set(['parallel', 'eip712']),
}

export const benchChain = 31337n

export const benchChannel = { sender: address('11'), receiver: address('22'), openBlock: 1 }
