// Health and metrics of one program, as its configuration wants them.

import { type FastifyInstance, fastify } from 'fastify'
import type { ListenAddress } from '../../platform/config/index.ts'
import type { ConnectionGuard } from '../../platform/http/connections.ts'
import type { ReceiverHealth } from '../chain/health.ts'
import type { ReceiverObserver } from '../core/options.ts'
import type { Receiver } from '../core/receiver.ts'
import { receiverError } from '../errors/index.ts'
import type { OpsConfig } from './config.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { decideReadiness, type Readiness, type ReadinessLimits } from './readiness.ts'

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
  readonly attach: (
    receiver: Receiver,
    connections?: Pick<ConnectionGuard, 'counts'>,
    formers?: readonly Receiver[],
  ) => void
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
    attach: (started, connections, formers) => {
      receiver = started
      metrics?.attach(started, connections, formers)
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

/**
 * On an address of its own, so that it is seen on the inside only.
 * @throws UraidenError `ops_address_unusable`
 */
async function startOpsServer(
  { host, port }: ListenAddress,
  routes: OpsRoutes,
): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000 })
  opsRoutes(app, routes)
  try {
    await app.listen({ host, port })
    return app
  } catch (cause) {
    throw receiverError({
      code: 'ops_address_unusable',
      message: `ops.listen: ${host}:${port} cannot be listened on (${(cause as NodeJS.ErrnoException).code}).`,
      cause,
    })
  }
}

interface OpsRoutes {
  /** Undefined leaves `/healthz` and `/readyz` out. */
  readonly health?: HealthSource
  /** Undefined leaves `/metrics` out. */
  readonly metrics?: Pick<Metrics, 'contentType' | 'text'>
}

interface HealthSource {
  /** Undefined while the state is being loaded. */
  readonly of: () => ReceiverHealth | undefined
  readonly limits: ReadinessLimits
}

/** `/healthz`, `/readyz` and `/metrics`: free, and quick enough to be asked every second. */
function opsRoutes(app: FastifyInstance, { health, metrics }: OpsRoutes): void {
  if (health !== undefined) {
    // Whoever answers is alive: a restart would mend nothing of what makes it not ready.
    app.get('/healthz', async () => ({ status: 'ok' }))
    app.get('/readyz', async (_, reply) => {
      const found = await readiness(health)
      return reply.code(found.ready ? 200 : 503).send(found)
    })
  }
  if (metrics !== undefined) {
    app.get('/metrics', async (_, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    )
  }
}

async function readiness({ of, limits }: HealthSource): Promise<Readiness> {
  const health = of()
  if (health === undefined) return decideReadiness(undefined, limits)
  return decideReadiness({ chain: health.chain(), disk: await health.disk() }, limits)
}
