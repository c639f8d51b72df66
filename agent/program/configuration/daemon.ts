// The parts `control`, `metrics` and `log` of agent.yaml.
import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import { UraidenError } from '../../../protocol/index.ts'

export const controlSchema = z
  .strictObject({
    socket: z.string().min(1).optional().describe('path of the Unix socket for commands'),
  })
  .prefault({})

export const logSchema = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    form: z
      .enum(['json', 'text'])
      .optional()
      .describe('default text at a terminal, json elsewhere'),
  })
  .prefault({})

/** Where Prometheus asks: amounts are seen there, nothing can be spent. */
export const metricsSchema = parsed(parseListen).optional().describe('host:port for Prometheus')

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new UraidenError({
    code: 'not_a_place',
    message: `"${text}" is not a host and a port.`,
    hint: 'Write it like 127.0.0.1:9402.',
  })
}
