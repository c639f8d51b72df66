// What a running receiver announces of itself.
import type { Logger } from 'pino'
import { defined } from '../../../protocol/index.ts'
import { gatewayPath, type Receiver } from '../../core/receiver.ts'
import type { ResourceConfigs } from '../../resources/routes.ts'
import { type AnnouncedReceiver, announce } from './announce.ts'
import type { DiscoveryConfig } from './config.ts'
import { priceNote } from './price.ts'

export interface AnnouncedParts {
  readonly discovery: DiscoveryConfig
  readonly receiver: Receiver
  readonly resources: ResourceConfigs
  readonly port: number
  readonly tls: boolean
  readonly log: Logger
}

export function announceReceiver(parts: AnnouncedParts): Promise<AnnouncedReceiver> {
  const { discovery, receiver, resources, port, tls, log } = parts
  const { address, contract, chainId, token } = receiver
  const price = priceNote(constantPrices(resources), token)
  return announce({
    ...defined(discovery),
    port,
    announcement: {
      path: gatewayPath,
      receiver: address,
      contract,
      chainId,
      tls,
      ...(price !== undefined && { price }),
    },
    log,
  })
}

function constantPrices(resources: ResourceConfigs): readonly string[] {
  return Object.values(resources).flatMap(({ price }) =>
    typeof price === 'object' ? Object.values(price) : (price ?? []),
  )
}
