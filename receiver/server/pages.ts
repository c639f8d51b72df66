// Serves what the pages load. Its name changes with its content, so it may be kept for ever.
import type { FastifyInstance } from 'fastify'
import { assetBody, assetHeaders } from '../../platform/web/assets.ts'
import type { WebAssets } from '../web/assets.ts'
import { dashboardHeaders, dashboardPage } from './dashboard-page.ts'

/** Where somebody may log in. */
export function dashboardRoute(app: FastifyInstance, assets: WebAssets, gateway: string): void {
  const html = dashboardPage(assets, gateway)
  app.get('/admin', async (_, reply) => reply.headers(dashboardHeaders).send(html))
}

export function webRoutes(app: FastifyInstance, assets: WebAssets | undefined): void {
  app.get<{ Params: { readonly name: string } }>('/web/:name', async (request, reply) => {
    const asset = assets?.files.get(request.params.name)
    if (asset === undefined) {
      return reply.code(404).send({ code: 'not_found', title: 'There is no such file.' })
    }
    const { body, coding } = assetBody(asset, request.headers['accept-encoding'])
    reply.headers({ ...assetHeaders, 'content-type': asset.type })
    if (coding !== undefined) reply.header('content-encoding', coding)
    return reply.send(body)
  })
}
