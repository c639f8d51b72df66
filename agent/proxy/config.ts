// The part `proxy` of agent.yaml.
import { z } from 'zod'
import {
  amountText,
  count,
  filePath,
  ownName,
  parsed,
  seconds,
} from '../../platform/config/index.ts'
import { severalCaps } from '../budget/config.ts'
import { parseLoopback } from './listen.ts'

export const proxySchema = z
  .strictObject({
    listen: parsed(parseLoopback)
      .default({ host: '127.0.0.1', port: 8402 })
      .describe('a port on the loopback, 127.0.0.1:8402'),
    socket: filePath.optional().describe('path of a Unix socket'),
    socketFor: z
      .enum(['owner', 'group', 'everyone'])
      .default('owner')
      .describe('who may connect to the socket'),
    programs: z
      .record(
        ownName,
        z.strictObject({
          token: filePath.describe('a file, mode 600; its first line is the token'),
          request: amountText.optional().describe('for a single request'),
          budget: z.strictObject(severalCaps).prefault({}),
        }),
      )
      .default({})
      .describe('local programs with a token and a budget of their own'),
    withoutToken: z
      .enum(['pay', 'refuse'])
      .optional()
      .describe('programs without a token; default refuse when there are any with one'),
    others: z
      .enum(['pass', 'refuse'])
      .default('refuse')
      .describe('requests to anybody who is no receiver'),
    connect: z
      .enum(['tunnel', 'refuse'])
      .default('refuse')
      .describe('https:// to anybody who is no receiver'),
    cookies: z
      .enum(['drop', 'pass'])
      .default('drop')
      .describe('Set-Cookie of receivers on plain HTTP, which nobody has signed'),
    timeout: seconds(1, 3600).optional().describe('for one answer: 30s, or seconds'),
    mostBody: count
      .min(1)
      .max(2 ** 30)
      .default(2 ** 20)
      .describe('bytes of a paid request’s content'),
    mostAtOnce: count.min(1).max(10_000).default(64).describe('requests at a time'),
  })
  .describe('pays for programs that set an HTTP proxy')
