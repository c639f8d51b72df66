// The resources of a configuration as routes behind the paywall.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isUraidenError, UraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { Price } from '../http/fastify.ts'
import { commandRoutes } from './command/routes.ts'
import { priceRule } from './configuration/prices.ts'
import type { ResourceConfig } from './configuration/schema.ts'
import { filesRoutes } from './files.ts'
import { loadModule, moduleRoutes } from './module.ts'
import { upstreamRoutes } from './upstream/routes.ts'
import { createTeaserMaker, type TeaserMaker } from './upstream/teaser-maker.ts'

export type ResourceConfigs = { readonly [path: string]: ResourceConfig }

/**
 * @throws UraidenError `resource_missing`, `module_unusable`, `resource_path_taken`, and with the
 * resource's name those of `createPricer`
 */
export async function registerResources(
  app: FastifyInstance,
  resources: ResourceConfigs,
): Promise<void> {
  const maker = createTeaserMaker()
  app.addHook('onClose', () => maker.close())
  for (const [path, resource] of Object.entries(resources)) {
    try {
      await app.register(async (scope) => {
        scope.addHook('onRoute', ({ config }) => {
          if (config?.price !== undefined && resource.sold) config.sold = resource.sold
        })
        await addRoutes(scope, { path, resource, maker })
      })
    } catch (error) {
      throw withName(path, error)
    }
  }
}

interface Added {
  readonly path: string
  readonly resource: ResourceConfig
  readonly maker: TeaserMaker
}

async function addRoutes(app: FastifyInstance, { path, resource, maker }: Added): Promise<void> {
  const { free, price: configured } = resource
  const { log } = app
  const priceOf = (given: Price): Price => priceRule<FastifyRequest>(given, free)
  const price = priceOf(configured ?? 0n)
  switch (resource.kind) {
    case 'files':
      return filesRoutes(app, path, { ...resource, price })
    case 'upstream':
      return upstreamRoutes(app, path, { ...resource, price, maker, log })
    case 'command':
      return commandRoutes(app, path, { ...resource, price, log })
    case 'module': {
      const { handler, price: own } = await loadModule(path, resource.module)
      const named = configured ?? own
      if (named === undefined) throw priceMissing(path, resource.module)
      // As a table, so that a function gets the parts of the path that have a name.
      const rule = typeof named === 'function' ? { [path]: named, '*': named } : named
      return moduleRoutes(app, path, { ...resource, handler, price: priceOf(rule) })
    }
  }
}

function priceMissing(path: string, file: string): UraidenError {
  return receiverError({
    code: 'price_missing',
    message: `resources.${path}: neither the configuration nor ${file} says what it costs.`,
    hint: 'Add price to the resource, or export price from the module.',
  })
}

/** Which of the resources it is about. */
function withName(path: string, error: unknown): unknown {
  const name = `resources.${path}`
  if (isUraidenError(error)) {
    if (error.message.startsWith(name)) return error
    const { code, message, hint } = error
    return new UraidenError({ code, message: `${name}: ${message}`, hint, cause: error })
  }
  const { code, message } = error as { readonly code?: string; readonly message: string }
  if (code !== 'FST_ERR_DUPLICATED_ROUTE') return error
  return receiverError({
    code: 'resource_path_taken',
    message: `${name}: ${message}.`,
    hint: 'Another resource has this path, or the receiver itself (health, metrics, /js of its page): choose another one.',
    cause: error,
  })
}
