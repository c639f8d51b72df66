// The RDN dialect: headers and cookies of µRaiden (wire-protocol.md sections 2, 3 and 8).
import { type Address, type Feature, formatTerms, parsePayment } from '../../protocol/index.ts'
import type { Dialect } from './dialect.ts'

export interface RdnIdentity {
  readonly gatewayPath: string
  readonly receiver: Address
  readonly contract: Address
  readonly token: Address
  readonly features: ReadonlySet<Feature>
}

export function rdnDialect(identity: RdnIdentity): Dialect {
  return {
    name: 'RDN',
    payment: ({ header, cookie }) => parsePayment(header, cookie),
    headers: ({ price, channel, reason, cost }) =>
      formatTerms({
        ...identity,
        price,
        ...(channel && { sender: channel.sender, senderBalance: channel.claims.highest }),
        ...(channel?.proof && { signature: channel.proof.signature }),
        ...(reason !== undefined && { reason }),
        ...(cost !== undefined && { cost }),
      }),
  }
}
