// Tells the counts what the paywall has decided about a request, and how it ended.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Traffic } from '../income/traffic-recorder.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** An answer that was counted as paid has broken off, and costs nothing. */
    gaveBack?: (request: FastifyRequest) => void
  }
}

/** After the paywall, before the routes. One call in memory for each request that has a price. */
export function countTraffic(app: FastifyInstance, { count }: Traffic): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { admission } = request
    const path = request.routeOptions.url ?? ''
    switch (admission?.kind) {
      case 'paid':
        count(path, { kind: reply.statusCode >= 500 ? 'failed' : 'paid', income: cost(reply) })
        break
      case 'refused':
        count(path, { kind: 'refused', code: admission.code })
        break
      case 'repeated':
        count(path, { kind: 'repeated' })
    }
    done(null, payload)
  })
  app.decorate('gaveBack', (request) => {
    const { admission, routeOptions } = request
    if (admission?.kind !== 'paid') return
    count(routeOptions.url ?? '', { kind: 'given back', income: admission.price })
  })
}

function cost({ request: { admission }, chargedCost }: FastifyReply): bigint {
  const price = admission?.kind === 'paid' ? admission.price : 0n
  // What was settled is not given back.
  const isWhole = admission?.kind === 'paid' && admission.paidIn !== undefined
  return isWhole || chargedCost === null || chargedCost > price ? price : chargedCost
}
