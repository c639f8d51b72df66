// The receiver as an HTTP server: priced resources, the channel API, nothing else.
import type { Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import formBody from '@fastify/formbody'
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
  type onRequestAsyncHookHandler,
} from 'fastify'
import { type ConnectionLimits, limitConnections } from '../../platform/http/connections.ts'
import type { RateLimits } from '../../platform/http/rate.ts'
import { gatewayPath, type Receiver } from '../core/receiver.ts'
import { allowOrigins } from '../http/cross-origin.ts'
import { fastifyPaywall, type Price, refuseUnlessPlain } from '../http/fastify.ts'
import { underItsNames } from '../http/hosts.ts'
import { nothingCharged, sendProblem } from '../http/problem.ts'
import { continueWhenRead } from '../http/waiting.ts'
import type { Income } from '../income/recorder.ts'
import type { Traffic } from '../income/traffic-recorder.ts'
import type { Ops } from '../ops/ops.ts'
import { refuseReserved } from '../resources/configuration/reserved.ts'
import { loadWebAssets } from '../web/assets.ts'
import type { Admin } from './admin/admin.ts'
import type { BuyerNames } from './admin/buyers.ts'
import { listPrices, type Priced } from './admin/prices.ts'
import { sayWhereAdminIs } from './admin-server.ts'
import type { ShownChannels } from './api/channels.ts'
import { createPaidListener, type FormerServer, handOver, receiversOf } from './former.ts'
import { apiRoutes } from './routes.ts'
import { countTraffic } from './traffic.ts'

/** Something to buy. What the handler returns is sent; what it throws costs nothing. */
export interface Resource {
  readonly path: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly price: Price
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => unknown
}

/** What clients may take of the server, times in milliseconds. */
export interface ServerLimits extends Partial<ConnectionLimits> {
  /** For all headers of a request to arrive. Default 10 000. */
  readonly headersTimeout?: number
  /** For a whole request to arrive. Default 60 000. */
  readonly requestTimeout?: number
  /** Until a connection without a request is closed. Default 72 000. */
  readonly keepAliveTimeout?: number
  /** Request keys that are checked in a minute, of one address and of all. */
  readonly requestKeys?: Partial<Pick<RateLimits, 'perAddress' | 'most'>>
}

/** What else it does. */
export interface ServerOptions extends Pick<ServerLimits, 'headersTimeout' | 'requestTimeout'> {
  readonly limits?: ServerLimits
  /**
   * The only names that it answers to, besides addresses, localhost, `*.local` and the machine's own:
   * `shop.example.org`, `*.example.org`; `*` for all. Without them it answers under any name, and lets
   * browsers change something under a known one only.
   */
  readonly hosts?: readonly string[] | undefined
  /** Names that are known without being the only ones. */
  readonly names?: readonly string[] | undefined
  /** Addresses or networks of reverse proxies: their `X-Forwarded-For` says whose request it is. Default: none. */
  readonly trustProxy?: readonly string[] | undefined
  /** On contracts that channels are still open on: their requests go to them. */
  readonly formers?: readonly FormerServer[] | undefined
  /** Health and metrics; not attached yet. */
  readonly ops?: Ops
  /** Gets to know what is sold here; `createAdminServer` serves it. */
  readonly admin?: Admin
  /** Speaks https with this certificate; http without. */
  readonly tls?: SecureContextOptions | undefined
  /** Pages of these origins may buy. Default: only the server's own. */
  readonly crossOrigins?: readonly string[] | undefined
  /** Whom the channel API lists all channels: `all`, as the original does, or nobody, `own`. Default `all`. */
  readonly shown?: ShownChannels | undefined
  /** For the administrator's pages. */
  readonly income?: Income
  /** Counts requests by resource. */
  readonly traffic?: Traffic | undefined
  /** What their owner calls them. */
  readonly buyers?: BuyerNames | undefined
  readonly loggerInstance?: FastifyBaseLogger
  /** A line in the log for every request. Default false. */
  readonly logRequests?: boolean
  /** Whether `close` breaks off requests that are being answered. Default `at once`: it does. */
  readonly closing?: 'at once' | 'when idle'
}

/**
 * A fastify server that sells these resources and has the channel API; further routes can be added
 * before it listens. Prices are in the token's smallest unit, or text with a unit.
 * @throws UraidenError `resource_path_taken`, and those of `createPricer` for a price that cannot be
 * read
 * @example
 * const server = await createReceiverServer(receiver, [
 *   { path: '/reading', price: '0.005 TKN', handler: () => ({ celsius: 21.4 }) },
 * ])
 * await server.listen({ host: '0.0.0.0', port: 5000 })
 */
export function createReceiverServer(
  receiver: Receiver,
  resources: readonly Resource[],
  options: ServerOptions = {},
): Promise<FastifyInstance> {
  return buildServer(receiver, resources, options)
}

/**
 * Sells the same on a former contract: one of the `formers` of the server that listens. `receiver` shares its
 * account with that of the newest contract, see `shareAccount`.
 * @throws UraidenError those of `createReceiverServer`
 * @example
 * const former = await createFormerServer(before, resources)
 * const server = await createReceiverServer(now, resources, { formers: [former] })
 * await server.listen({ host: '0.0.0.0', port: 5000 })
 */
export async function createFormerServer(
  receiver: Receiver,
  resources: readonly Resource[],
  options: Omit<ServerOptions, 'formers' | 'ops' | 'admin' | 'income'> = {},
): Promise<FormerServer> {
  const { onPaid, behind } = createPaidListener()
  return { receiver, behind, server: await buildServer(receiver, resources, options, onPaid) }
}

async function buildServer(
  receiver: Receiver,
  resources: readonly Resource[],
  options: ServerOptions,
  onPaid?: (socket: Socket) => void,
): Promise<FastifyInstance> {
  const { ops, admin, limits = {}, formers = [] } = options
  const app = createApp(options)
  const known = [...(options.hosts ?? []), ...(options.names ?? [])]
  const connections = limitConnections(app.server, limits)
  continueWhenRead(app.server)
  answerFailures(app)
  for (const { behind, server } of formers) {
    behind(connections)
    await server.ready()
  }
  if (formers.length > 0) app.addHook('onRequest', handOver(receiver, formers))
  if (options.trustProxy !== undefined) app.addHook('onRequest', onlyTheAddress)
  if (options.hosts !== undefined) app.addHook('onRequest', underItsNames(known))
  if (options.crossOrigins !== undefined) {
    app.addHook('onRequest', allowOrigins(options.crossOrigins))
  }
  app.addHook('onRequest', refuseUnlessPlain)
  ops?.attach(receiver, connections, receiversOf(formers))
  await ops?.register(app)
  await app.register(formBody)
  const { paywall, token } = receiver
  await app.register(fastifyPaywall, { paywall, token, onPaid: onPaid ?? connections.paid })
  if (options.traffic !== undefined) countTraffic(app, options.traffic)
  const sold: Priced<FastifyRequest>[] = []
  app.addHook('onRoute', ({ url: path, method, config }) => {
    if (config?.price !== undefined)
      sold.push({ path, methods: [method].flat(), price: config.price })
  })
  const assets = await loadWebAssets()
  await app.register(
    async (api) => {
      const { requestKeys, proxies } = limits
      const keyLimits = { ...requestKeys, proxies }
      const pages = { names: known, crossOrigins: options.crossOrigins }
      await apiRoutes(api, { receiver, assets, pages, keyLimits, shown: options.shown })
    },
    { prefix: gatewayPath },
  )
  const prices = () => listPrices(sold, receiver.token)
  admin?.attach({
    ...{ receiver, prices, buyers: options.buyers },
    income: () => options.income?.history() ?? [],
    traffic: async (by, count) => options.traffic?.counts(by, count) ?? [],
  })
  if (admin !== undefined) sayWhereAdminIs(app)
  app.get('/cm', async () => 'OK')
  for (const { path, method = 'GET', price, handler } of resources) {
    refuseReserved(path)
    app.route({
      url: path,
      method,
      config: { price },
      handler,
    })
  }
  return app
}

function createApp(options: ServerOptions): FastifyInstance {
  const { tls, loggerInstance, limits = {} } = options
  const { headersTimeout = 10_000, requestTimeout = 60_000 } = { ...options, ...limits }
  const { keepAliveTimeout = 72_000 } = limits
  // Node looks for late clients every 30 seconds unless told otherwise.
  const http = { headersTimeout, connectionsCheckingInterval: Math.min(headersTimeout, 5000) }
  const secure = { ...http, handshakeTimeout: headersTimeout, ...tls }
  return fastify({
    ...(tls === undefined ? { http } : { https: secure }),
    ...(loggerInstance && { loggerInstance }),
    logController: new LogController({ disableRequestLogging: options.logRequests !== true }),
    forceCloseConnections: options.closing === 'when idle' ? 'idle' : true,
    ...(options.trustProxy && { trustProxy: [...options.trustProxy] }),
    // The original client asks for //echofix/hello.
    routerOptions: { ignoreDuplicateSlashes: true },
    ...{ requestTimeout, keepAliveTimeout },
  })
}

/** What a proxy does not set itself comes from whoever asks: of its words only the address counts. */
const onlyTheAddress: onRequestAsyncHookHandler = async ({ headers }) => {
  delete headers['x-forwarded-host']
  delete headers['x-forwarded-proto']
}

/** What went wrong inside is for the log, not for the client. */
function answerFailures(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.statusCode !== undefined && error.statusCode < 500) return reply.send(error)
    request.log.error({ err: error }, 'a request could not be answered')
    return sendProblem(reply, {
      status: 500,
      code: 'resource_failed',
      title: 'The resource failed',
      detail: nothingCharged,
    })
  })
}
