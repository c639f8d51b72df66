// All that is under the gateway path of what is sold: the channel API, and the paywall page's files.
import formBody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import type { RateLimits } from '../../platform/http/rate.ts'
import type { Receiver } from '../core/receiver.ts'
import { atTheDoor } from '../http/fastify.ts'
import { forOwnPages, type OwnPages } from '../http/hosts.ts'
import { notStored } from '../paywall/caching.ts'
import type { WebAssets } from '../web/assets.ts'
import { channelRoutes, type ShownChannels } from './api/channels.ts'
import { answerErrors } from './api/errors.ts'
import { relayRoutes } from './api/relay.ts'
import { requestKeyRoutes } from './api/request-keys.ts'
import { stats } from './api/stats.ts'
import { openApiDocument } from './openapi/document.ts'
import { webRoutes } from './pages.ts'

export interface ApiParts {
  readonly receiver: Receiver
  /** Undefined when the pages were not built. */
  readonly assets: WebAssets | undefined
  readonly keyLimits?: Partial<RateLimits>
  readonly shown?: ShownChannels | undefined
  /** Whose pages may change something. */
  readonly pages?: Partial<OwnPages>
}

/** For a scope with the gateway path as its prefix. */
export async function apiRoutes(api: FastifyInstance, parts: ApiParts): Promise<void> {
  const { receiver, assets, keyLimits, pages, shown } = parts
  // The server around it may read forms already; a second parser would be refused.
  if (!api.hasContentTypeParser('application/x-www-form-urlencoded')) await api.register(formBody)
  answerErrors(api)
  // Where a channel stands is true for a moment only.
  api.addHook('onRequest', async (_, reply) => {
    reply.headers(notStored)
  })
  api.addHook('onRequest', forOwnPages({ names: [], ...pages }))
  // A server around it need not have a paywall of ours.
  api.addHook('onRequest', atTheDoor(receiver.paywall.door))
  api.get('/openapi.json', async () => openApiDocument)
  api.get('/stats', async () => stats(receiver))
  await channelRoutes(api, receiver, shown)
  await requestKeyRoutes(api, receiver, keyLimits)
  relayRoutes(api, receiver)
  webRoutes(api, assets)
}
