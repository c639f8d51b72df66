// The part `jobs` of agent.yaml.
import { z } from 'zod'
import { amountText } from '../../platform/config/index.ts'
import { parseAmount, type TokenUnit } from '../../protocol/index.ts'
import { windowCaps } from '../budget/config.ts'
import { count, duration, isTimeZone, schedule } from './sinks/fields.ts'
import { sinkSchema } from './sinks/schema.ts'
import type { Job } from './types.ts'

const text = z.string().min(1)
const target = text.describe('a URL, or a receiver’s name and a path')

export const jobSchema = z
  .strictObject({
    get: target.optional(),
    post: target.optional(),
    url: target.optional(),
    method: z
      .string()
      .regex(/^[A-Z]+$/, { error: 'a method has capital letters, such as PUT.' })
      .optional()
      .describe('with url'),
    headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string()).default({}),
    body: z.string().optional(),
    every: schedule.describe('minute hour day month weekday; seconds may come first'),
    timeZone: text
      .refine(isTimeZone, { error: 'this is not the name of a time zone, such as Europe/Berlin.' })
      .optional()
      .describe('IANA name; default: the machine’s'),
    jitter: duration.default(0).describe('a run begins up to so much later, at random'),
    mostPrice: amountText.optional().describe('refuse a higher price'),
    budget: z.strictObject(windowCaps).optional().describe('of this job'),
    timeout: duration.default(30_000).describe('for one answer'),
    retry: z
      .strictObject({
        times: count.min(0).max(100).default(3),
        delay: duration
          .default(2000)
          .describe('before the first one; doubled for each further one'),
      })
      .prefault({}),
    overlap: z
      .enum(['skip', 'queue', 'allow'])
      .default('skip')
      .describe('when the run before has not ended'),
    missed: z.enum(['skip', 'run']).default('skip').describe('what was due while nothing ran'),
    sinks: z.array(sinkSchema).min(1, { error: 'a job without a sink buys for nobody.' }),
  })
  .superRefine(({ get, post, url, method, body }, context) => {
    const say = (message: string) => context.addIssue({ code: 'custom', message })
    const named = [get, post, url].filter((each) => each !== undefined)
    if (named.length !== 1) say('a job needs one of get, post and url.')
    if (method !== undefined && url === undefined) say('a method goes with url.')
    if (body !== undefined && get !== undefined)
      say('a GET has no body. Use post, or url and method.')
  })

export type JobConfig = z.output<typeof jobSchema>

/** @throws UraidenError `wrong_token`, `too_many_decimals` */
export function jobOf(name: string, config: JobConfig, token: TokenUnit): Job {
  const { get, post, url, body, timeZone, mostPrice } = config
  const { headers, every, jitter, timeout, retry, overlap, missed } = config
  return {
    name,
    target: get ?? post ?? url ?? '',
    method: config.method ?? (post === undefined ? 'GET' : 'POST'),
    ...(body !== undefined && { body }),
    ...(timeZone !== undefined && { timeZone }),
    ...(mostPrice !== undefined && { mostPrice: parseAmount(mostPrice, token) }),
    ...{ headers, every, jitter, timeout, retry, overlap, missed },
  }
}
