// The wiki of scripts/examples behind a paywall, for tests of its pages.
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { resourcesSchema } from '../../receiver/resources/configuration/schema.ts'
import type { ServerOptions } from '../../receiver/server/server.ts'
import { startChild } from '../../scripts/lib/examples/child.ts'
import { examplesFolder } from '../../scripts/lib/examples/start.ts'
import { price, startShop } from './page-shop.ts'

/** Everything ends with the test. */
export async function startWiki(t: ExecutionContext, serverOptions: ServerOptions = {}) {
  const { firstLine: upstream, stop } = await startChild(join(examplesFolder, 'wiki/stand-in.js'), [
    '0',
  ])
  t.teardown(stop)
  const teaser = { show: ['h1', '.summary'] }
  const resources = resourcesSchema.parse({
    '/wiki/*': { price: `${price} units`, upstream, teaser, title: 'A wiki of payments' },
    '/static/*': { price: '0', upstream },
  })
  return startShop(t, {}, serverOptions, resources)
}
