// The output of a command, such as a script that reads a sensor.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { isUraidenError } from '../../../protocol/index.ts'
import type { Price } from '../../http/fastify.ts'
import { nothingCharged, sendProblem } from '../../http/problem.ts'
import type { CommandResource } from '../configuration/schema.ts'
import { runCommand } from './run.ts'
import { shareRuns } from './shared.ts'

export interface CommandOptions extends Omit<CommandResource, 'kind' | 'price' | 'free'> {
  readonly price: Price
  readonly log: FastifyBaseLogger
}

export function commandRoutes(app: FastifyInstance, path: string, options: CommandOptions): void {
  const { price, type, log, cache } = options
  const stop = new AbortController()
  const output = shareRuns({
    run: () => runCommand({ ...options, signal: stop.signal }),
    keepFor: cache,
    now: () => performance.now(),
  })
  // After the last answer: a run that somebody waits for is let end.
  app.addHook('onClose', async () => stop.abort())
  app.route({
    url: path,
    method: 'GET',
    config: { price },
    handler: async (_, reply) => {
      try {
        return reply.type(type).send(await output())
      } catch (error) {
        if (!isUraidenError(error)) throw error
        log.warn({ resource: path, code: error.code }, error.message)
        const late = error.code === 'command_timeout'
        return sendProblem(reply, {
          status: late ? 504 : 500,
          code: late ? 'resource_timeout' : 'resource_failed',
          title: late ? 'The resource took too long' : 'The resource failed',
          detail: nothingCharged,
        })
      }
    },
  })
}
