// The receiver's own paths in a server of somebody else's: the channel API and what the paywall page
// loads. Without them that page could not run.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type FastifyInstance, fastify } from 'fastify'
import plugin from 'fastify-plugin'
import { gatewayPath, type Receiver } from '../core/receiver.ts'
import { refuseUnlessPlain } from '../http/fastify.ts'
import { loadWebAssets } from '../web/assets.ts'
import { apiRoutes } from './routes.ts'

export interface ApiOptions {
  /** Names that its own pages are reached under, besides those of the machine; `*` for all. */
  readonly hosts?: readonly string[] | undefined
}

/** Answers requests of the receiver's paths, and calls `next` for all others. */
export type ApiMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void

/**
 * For node:http, and for express with `app.use`, at the root and before parsers of bodies. Nothing of
 * it can be administered over the network.
 * @example
 * const app = express()
 * app.use(await receiverApi(receiver))
 * app.get('/reading', expressPaywall(receiver, { price: '0.005 TKN' }), answerReading)
 */
export async function receiverApi(
  receiver: Receiver,
  { hosts }: ApiOptions = {},
): Promise<ApiMiddleware> {
  // A slow machine takes its time to load them; nothing here can hang.
  const app = fastify({ routerOptions: { ignoreDuplicateSlashes: true }, pluginTimeout: 0 })
  await app.register(fastifyApi, { receiver, hosts })
  await app.ready()
  return (request, response, next) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const own = path === '/cm' || path.startsWith(`${gatewayPath}/`)
    if (own) app.routing(request, response)
    else next()
  }
}

async function register(
  app: FastifyInstance,
  { receiver, hosts }: ApiOptions & { readonly receiver: Receiver },
): Promise<void> {
  const assets = await loadWebAssets()
  await app.register(async (scope) => {
    scope.addHook('onRequest', refuseUnlessPlain)
    // A default price of the server around it is not for these.
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, price: 0n }
    })
    await scope.register(
      async (api) => apiRoutes(api, { receiver, assets, pages: { names: hosts ?? [] } }),
      {
        prefix: gatewayPath,
      },
    )
    scope.get('/cm', async () => 'OK')
  })
}

/**
 * The same for fastify.
 * @example
 * await app.register(fastifyApi, { receiver })
 */
export const fastifyApi = plugin(register, { fastify: '5.x', name: 'uraiden-api' })
