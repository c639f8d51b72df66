// What a seller of `exact` asks for, with what a test changes of it.
import type { Requirements } from '../../protocol/x402/index.ts'

export const x402Asset = `0x${'a1'.repeat(20)}`
export const x402Seller = `0x${'b2'.repeat(20)}`

export function requirements(changes: { readonly [name: string]: unknown } = {}): Requirements {
  return {
    ...{ scheme: 'exact', network: 'eip155:8453', amount: '10000', asset: x402Asset },
    ...{ payTo: x402Seller, maxTimeoutSeconds: 60, extra: { name: 'USD Coin', version: '2' } },
    ...changes,
  } as Requirements
}
