// What is sold: is it there, and can its price be read?
import { fastify } from 'fastify'
import { type Finding, failure, findingOf, ok, warning } from '../../../platform/cli/doctor.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { fastifyPaywall } from '../../http/fastify.ts'
import { createDoor } from '../../paywall/door.ts'
import type { Paywall } from '../../paywall/paywall.ts'
import { createReplyRoom } from '../../paywall/replies.ts'
import type { ResourceConfig } from '../../resources/configuration/schema.ts'
import { registerResources } from '../../resources/routes.ts'
import type { Check } from './checks.ts'

/** Milliseconds for an upstream server to take a connection. */
const patience = 5000

export function resourceCheck(path: string, resource: ResourceConfig, token: TokenUnit): Check {
  return {
    name: 'resource',
    look: async () => {
      try {
        await tryRoutes(path, resource, token)
      } catch (error) {
        return findingOf(error)
      }
      return resource.kind === 'upstream' ? lookAtUpstream(path, resource.upstream) : ok(path)
    },
  }
}

/** As `start` does it, on a server that never listens; nobody is let through. */
async function tryRoutes(path: string, resource: ResourceConfig, token: TokenUnit): Promise<void> {
  const app = fastify()
  const nobody: Paywall = {
    door: createDoor({ find: () => undefined }),
    replyRoom: createReplyRoom({ largestBody: 0, mostBytes: 0 }),
    admit: neverAsked,
    take: neverAsked,
  }
  try {
    await app.register(fastifyPaywall, { paywall: nobody, token })
    await registerResources(app, { [path]: resource })
  } finally {
    await app.close()
  }
}

async function neverAsked(): Promise<never> {
  throw new Error('this server never listens')
}

/** Any answer is one: what it says to a stranger is the upstream's own business. */
async function lookAtUpstream(path: string, upstream: string): Promise<Finding> {
  const { origin } = new URL(upstream)
  try {
    const answer = await fetch(origin, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    })
    const says = `${path}, ${origin} answers`
    return answer.status < 500 ? ok(says) : warning(`${says} with ${answer.status}: see its log.`)
  } catch {
    return failure(`${path}: ${origin} does not answer. Start it, or correct upstream.`)
  }
}
