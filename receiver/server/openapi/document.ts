// The channel API as an OpenAPI 3.1 document (wire-protocol.md section 5 and beyond). Written by hand;
// test/receiver/server/openapi/openapi.test.ts holds it against what the receiver really answers.
import { adminPaths } from './admin.ts'
import { channelPaths, relayPaths } from './channels.ts'
import { json, listOf, object, schemas, text } from './schemas.ts'
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

/** Health and metrics, where the configuration has them. */
const operationsPaths: Paths = {
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

const paths: Paths = {
  ...channelPaths,
  ...relayPaths,
  ...adminPaths,
  '/api/1/openapi.json': {
    get: {
      operationId: 'getOpenApi',
      summary: 'This document',
      tags: ['operations'],
      responses: { 200: json('OpenAPI 3.1.', { type: 'object' }) },
    },
  },
  ...operationsPaths,
}

export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'µRaiden receiver',
    version: '1',
    license: { name: 'MIT', identifier: 'MIT' },
    description:
      'The channel API of a receiver of µRaiden payments. What it sells is at other paths and answers 402 with `RDN-*` headers until it is paid for. Amounts are decimal strings of the token’s smallest unit.',
  },
  tags: [
    { name: 'channels', description: 'Balances and closing agreements' },
    { name: 'relay', description: 'Transactions for senders without ether; off by default' },
    { name: 'admin', description: 'For who is logged in' },
    { name: 'operations', description: 'Health and metrics' },
  ],
  paths,
  components: {
    schemas,
    securitySchemes: {
      password: { type: 'http', scheme: 'basic' },
      token: { type: 'http', scheme: 'bearer' },
    },
  },
} as const
