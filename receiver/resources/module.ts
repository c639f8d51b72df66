// A resource that is a JavaScript file: it exports what handles a request and, if it likes, the price.

import { pathToFileURL } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { Price } from '../http/fastify.ts'
import type { Method } from './configuration/schema.ts'

/** What a module exports. */
export interface ResourceModule {
  /** What it returns is sent; what it throws costs nothing. */
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => unknown
  /** Counts when the configuration names none. */
  readonly price?: Price
}

/** @throws UraidenError `module_unusable` */
export async function loadModule(path: string, file: string): Promise<ResourceModule> {
  const loaded = await importFile(path, file)
  if (typeof loaded.handler !== 'function') {
    throw unusable(path, `${file} exports no function named handler.`)
  }
  if (loaded.price !== undefined && !isPrice(loaded.price)) {
    throw unusable(path, `${file} exports a price that is no text, bigint, function or table.`)
  }
  return loaded as unknown as ResourceModule
}

export function moduleRoutes(
  app: FastifyInstance,
  path: string,
  options: Pick<ResourceModule, 'handler'> & {
    readonly price: Price
    readonly methods: readonly Method[]
  },
): void {
  const { handler, price, methods } = options
  app.route({
    url: path,
    method: [...methods],
    config: { price },
    handler: async (request, reply) => handler(request, reply),
  })
}

async function importFile(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (cause) {
    throw unusable(path, `${file} cannot be loaded: ${(cause as Error).message}`, cause)
  }
}

function isPrice(value: unknown): boolean {
  return (
    ['string', 'bigint', 'function'].includes(typeof value) ||
    (typeof value === 'object' && value !== null)
  )
}

function unusable(path: string, message: string, cause?: unknown): UraidenError {
  return receiverError({
    code: 'module_unusable',
    message: `resources.${path}.module: ${message}`,
    cause,
  })
}
