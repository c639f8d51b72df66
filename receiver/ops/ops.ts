// Health and metrics of one program, as its configuration wants them.
import type { FastifyInstance } from 'fastify'
import type { ReceiverObserver } from '../core/options.ts'
import type { Receiver } from '../core/receiver.ts'
import type { OpsConfig } from './config.ts'
import { createMetrics } from './metrics.ts'
import { type OpsRoutes, opsRoutes } from './routes.ts'
import { startOpsServer } from './server.ts'

export interface Ops {
  /** For `startReceiver`; undefined when nobody wants metrics. */
  readonly observer: ReceiverObserver | undefined
  /**
   * Listens where `listen` says, if it does; before the receiver starts, so that one can see why it
   * is not ready. Resolves with the URL.
   * @throws UraidenError `ops_address_unusable`
   */
  readonly start: () => Promise<string | undefined>
  /** The receiver is there now; once. */
  readonly attach: (receiver: Receiver) => void
  /** What belongs on the receiver's own server; before its routes. */
  readonly register: (app: FastifyInstance) => Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * Given to `createReceiverServer`, it is attached and registered there.
 * @example
 * const ops = createOps(opsSchema.parse({ listen: '127.0.0.1:9403' }))
 * await ops.start()
 * const receiver = await startReceiver({ ...options, observer: ops.observer })
 * const server = await createReceiverServer(receiver, resources, { ops })
 */
export function createOps(config: OpsConfig): Ops {
  const { listen, health, metrics: wanted = listen !== undefined } = config
  const metrics = wanted ? createMetrics() : undefined
  const limits = { chainAge: config.chainAge * 1000, freeBytes: config.freeSpace * 2 ** 20 }
  let receiver: Receiver | undefined
  let server: FastifyInstance | undefined
  const routes: OpsRoutes = {
    ...(health && { health: { of: () => receiver?.health, limits } }),
    ...(metrics && { metrics }),
  }
  return {
    observer: metrics?.observer,
    start: async () => {
      if (listen === undefined) return undefined
      server = await startOpsServer(listen, routes)
      return server.listeningOrigin
    },
    attach: (started) => {
      receiver = started
      metrics?.attach(started)
    },
    register: async (app) => {
      if (metrics !== undefined) await app.register(metrics.http)
      if (listen === undefined) opsRoutes(app, routes)
    },
    stop: async () => {
      await server?.close()
    },
  }
}
