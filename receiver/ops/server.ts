// Health and metrics on an address of their own, so that they are seen on the inside only.
import { type FastifyInstance, fastify } from 'fastify'
import type { ListenAddress } from '../../platform/config/index.ts'
import { UraidenError } from '../../protocol/index.ts'
import { type OpsRoutes, opsRoutes } from './routes.ts'

/**
 * Resolves when it listens; stop with `close()`.
 * @throws UraidenError `ops_address_unusable`
 */
export async function startOpsServer(
  { host, port }: ListenAddress,
  routes: OpsRoutes,
): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000 })
  opsRoutes(app, routes)
  try {
    await app.listen({ host, port })
    return app
  } catch (cause) {
    throw new UraidenError({
      code: 'ops_address_unusable',
      message: `ops.listen: ${host}:${port} cannot be listened on (${(cause as NodeJS.ErrnoException).code}).`,
      hint: 'Another program may use it: choose another port, or stop the other program.',
      cause,
    })
  }
}
