// GET /healthz, /readyz and /metrics: free, and quick enough to be asked every second.
import type { FastifyInstance } from 'fastify'
import type { ReceiverHealth } from '../chain/health.ts'
import type { Metrics } from './metrics.ts'
import { decideReadiness, type Readiness, type ReadinessLimits } from './readiness.ts'

export interface OpsRoutes {
  /** Undefined leaves `/healthz` and `/readyz` out. */
  readonly health?: HealthSource
  /** Undefined leaves `/metrics` out. */
  readonly metrics?: Pick<Metrics, 'contentType' | 'text'>
}

export interface HealthSource {
  /** Undefined while the state is being loaded. */
  readonly of: () => ReceiverHealth | undefined
  readonly limits: ReadinessLimits
}

export function opsRoutes(app: FastifyInstance, { health, metrics }: OpsRoutes): void {
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
