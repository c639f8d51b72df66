// The receiver's metrics in Prometheus' text format.
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { ConnectionGuard } from '../../platform/http/connections.ts'
import type { ReceiverObserver } from '../core/options.ts'
import type { Receiver } from '../core/receiver.ts'
import { createCounters } from './counters.ts'
import { registerConnections, registerFormers, registerGauges } from './gauges.ts'

export interface Metrics {
  /** For `startReceiver`. */
  readonly observer: ReceiverObserver
  /** Shows the receiver's own state too; once. */
  readonly attach: (
    receiver: Receiver,
    connections?: Pick<ConnectionGuard, 'counts'>,
    formers?: readonly Receiver[],
  ) => void
  /** Registered before the routes, it counts requests of a fastify server. */
  readonly http: (app: FastifyInstance) => Promise<void>
  readonly contentType: string
  readonly text: () => Promise<string>
}

/** There is one process, however many receivers run in it. */
let processMetrics: Registry | undefined

function metricsOfProcess(): Registry {
  if (processMetrics === undefined) {
    processMetrics = new Registry()
    collectDefaultMetrics({ register: processMetrics })
  }
  return processMetrics
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const counters = createCounters(registry)
  return {
    observer: counters.observer,
    attach: (receiver, connections, formers = []) => {
      registerGauges(registry, receiver, counters.sums)
      if (formers.length > 0) registerFormers(registry, formers)
      if (connections !== undefined) registerConnections(registry, connections.counts)
    },
    http: httpMetrics(registry),
    contentType: registry.contentType,
    text: async () => {
      const parts = await Promise.all([metricsOfProcess().metrics(), registry.metrics()])
      return parts.join('\n')
    },
  }
}

/** Routes are labels, paths are not: a stranger could make up as many as he likes. */
function httpMetrics(registry: Registry): Metrics['http'] {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request’s headers to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  return plugin(
    async (app: FastifyInstance) => {
      app.addHook('onResponse', async (request, reply) => {
        const { url: route = 'none' } = request.routeOptions
        const labels = { method: request.method, route, status: `${reply.statusCode}` }
        duration.observe(labels, reply.elapsedTime / 1000)
      })
    },
    { fastify: '5.x', name: 'uraiden-http-metrics' },
  )
}
