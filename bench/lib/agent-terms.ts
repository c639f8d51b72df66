import { addressOfKey, fromHex, type Terms } from '../../protocol/index.ts'

const address = (digits: string) => addressOfKey(fromHex(`0x${digits.repeat(32)}`))

/** What the benchmark's receiver asks. */
export const benchTerms: Terms = {
  gatewayPath: '/api/1',
  receiver: address('22'),
  contract: address('33'),
  token: address('55'),
  price: 5n,
  features: new Set(['eip712']),
}
