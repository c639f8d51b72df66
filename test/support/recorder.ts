// Writes down what a fastify server has for routes and what it answers.
import type { FastifyInstance } from 'fastify'
import type { Ops } from '../../receiver/index.ts'
import type { Admin } from '../../receiver/server/admin/admin.ts'

export interface Route {
  readonly method: string
  /** As fastify has it: `/channels/:sender`. */
  readonly url: string
  /** It is sold. */
  readonly priced: boolean
}

export interface Exchange {
  readonly method: string
  /** Of the route; undefined when there is none. */
  readonly url: string | undefined
  readonly requestType: string | undefined
  readonly requestBody: unknown
  readonly status: number
  /** Without its parameters. */
  readonly type: string | undefined
  readonly body: string
}

/** Comes before all routes in the place of `ops` and `admin`, and passes on to them. */
export function recording(ops: Ops, admin: Admin) {
  const routes: Route[] = []
  const exchanges: Exchange[] = []
  const watch = (app: FastifyInstance) => {
    app.addHook('onRoute', ({ method, url, config }) => {
      for (const each of [method].flat()) {
        routes.push({ method: each, url, priced: config?.price !== undefined })
      }
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const type = String(reply.getHeader('content-type') ?? '').split(';')[0]
      exchanges.push({
        method: request.method,
        url: request.routeOptions.url,
        requestType: request.headers['content-type'],
        requestBody: request.body,
        status: reply.statusCode,
        type: type === '' ? undefined : type,
        body: String(payload ?? ''),
      })
      return payload
    })
  }
  const before = (register: Ops['register']) => async (app: FastifyInstance) => {
    watch(app)
    await register(app)
  }
  return {
    ops: { ...ops, register: before(ops.register) },
    admin: { ...admin, register: before(admin.register) },
    ...{ routes, exchanges },
  }
}
