// Administration over the network: a server of its own. What is sold may be anybody's page with scripts, and
// a browser lets pages of one origin read and do what the others there may.
import type { SecureContextOptions } from 'node:tls'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  LogController,
} from 'fastify'
import { limitConnections } from '../../platform/http/connections.ts'
import { gatewayPath } from '../core/receiver.ts'
import { refuseUnlessPlain } from '../http/fastify.ts'
import { underItsNames } from '../http/hosts.ts'
import { sendProblem } from '../http/problem.ts'
import { loadWebAssets } from '../web/assets.ts'
import type { Admin } from './admin/admin.ts'
import { answerErrors } from './api/errors.ts'
import { openApiDocument } from './openapi/document.ts'
import { dashboardRoute, webRoutes } from './pages.ts'

export interface AdminServerOptions {
  /** Attached to what `createReceiverServer` sells. */
  readonly admin: Admin
  /** Speaks https with this certificate; http without. */
  readonly tls?: SecureContextOptions | undefined
  /** Names that it answers to, besides addresses, localhost, `*.local` and the machine's own. */
  readonly hosts?: readonly string[] | undefined
  readonly loggerInstance?: FastifyBaseLogger
}

/** It has the dashboard at `/admin`, and the administrator's part of the API. Not listening yet. */
export async function createAdminServer(options: AdminServerOptions): Promise<FastifyInstance> {
  const { admin, tls, hosts = [], loggerInstance } = options
  const http = { headersTimeout: 10_000, connectionsCheckingInterval: 5000 }
  const app = fastify({
    ...(tls === undefined ? { http } : { https: { ...http, ...tls } }),
    ...(loggerInstance && { loggerInstance }),
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 60_000,
  })
  limitConnections(app.server, {})
  app.addHook('onRequest', underItsNames(hosts))
  app.addHook('onRequest', refuseUnlessPlain)
  const assets = await loadWebAssets()
  await app.register(
    async (api) => {
      answerErrors(api)
      api.get('/openapi.json', async () => openApiDocument)
      await admin.register(api)
      webRoutes(api, assets)
    },
    { prefix: gatewayPath },
  )
  if (assets !== undefined) {
    dashboardRoute(app, assets, gatewayPath)
    app.get('/', async (_, reply) => reply.redirect('/admin', 302))
  }
  return app
}

const methods = ['GET', 'POST', 'DELETE']

/** Where it was once, beside what is sold: whoever looks there hears where it is. */
export function sayWhereAdminIs(app: FastifyInstance): void {
  const paths = ['login', 'logout', 'admin', 'admin/*'].map((path) => `${gatewayPath}/${path}`)
  for (const url of ['/admin', ...paths]) {
    app.route({ url, method: methods, handler: (_, reply) => elsewhere(reply) })
  }
}

function elsewhere(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 404,
    code: 'administration_elsewhere',
    title: 'Not here',
    detail:
      'Dashboard and administration have an address of their own: admin.listen of receiver.yaml, 127.0.0.1:9404 on the receiver’s machine when it names none.',
  })
}
