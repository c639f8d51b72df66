// Health and metrics, where the configuration has them.
import { json, listOf, object, text } from './schemas.ts'
import type { Paths } from './types.ts'

const readiness = object({
  ready: { type: 'boolean' },
  checks: listOf(
    object({
      name: { enum: ['state', 'chain', 'ether', 'disk'] },
      ok: { type: 'boolean' },
      detail: text,
    }),
  ),
})

export const operationsPaths: Paths = {
  '/cm': {
    get: {
      operationId: 'getChannelManager',
      summary: 'OK while the receiver runs, as the original has it',
      tags: ['operations'],
      responses: { 200: { description: 'OK', content: { 'text/plain': { schema: text } } } },
    },
  },
  '/healthz': {
    get: {
      operationId: 'getHealth',
      summary: 'Whether the process is alive',
      tags: ['operations'],
      responses: { 200: json('It is.', object({ status: { const: 'ok' } })) },
    },
  },
  '/readyz': {
    get: {
      operationId: 'getReadiness',
      summary: 'Whether it can take payments now, and if not, why',
      tags: ['operations'],
      responses: { 200: json('It can.', readiness), 503: json('It cannot.', readiness) },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Metrics in Prometheus’ text format',
      tags: ['operations'],
      responses: {
        200: { description: 'The metrics.', content: { 'text/plain': { schema: text } } },
      },
    },
  },
}
