// The part `jobs` of agent.yaml: each job, and what is wrong with jobs only when seen together.
import { z } from 'zod'
import { intervalIn, parseEvery } from '../../platform/config/every.ts'
import { amountText, count, duration, parsed, size, timeZone } from '../../platform/config/index.ts'
import { severalCaps } from '../budget/config.ts'
import { sinkId, sinkName } from './sinks/create.ts'
import { type BrokerConfig, type SinkConfig, sinkSchema } from './sinks/schema.ts'

/** Bytes: an agent reads no more at a time. */
const mostBodyOfAll = 32_000_000

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
    every: parsed(parseEvery).describe(
      '5m, or minute hour day month weekday; seconds may come first',
    ),
    timeZone: timeZone.optional().describe('IANA name; default: the machine’s'),
    jitter: duration.default(0).describe('a run begins up to so much later, at random'),
    mostPrice: amountText.optional().describe('refuse a higher price'),
    authentic: z
      .literal('require')
      .optional()
      .describe('buy nothing that is not proven to come from the receiver'),
    budget: z.strictObject(severalCaps).optional().describe('of this job'),
    timeout: duration.default(30_000).describe('for one answer'),
    mostBody: size
      .refine((bytes) => bytes <= mostBodyOfAll, { error: 'this should be at most 32 MB.' })
      .default(4_000_000)
      .describe('of one answer, decoded; what no sink can take is not read either'),
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
  .superRefine(({ get, post, url, method, body, every, timeZone }, context) => {
    const say = (message: string) => context.addIssue({ code: 'custom', message })
    const named = [get, post, url].filter((each) => each !== undefined)
    if (named.length !== 1) say('a job needs one of get, post and url.')
    if (method !== undefined && url === undefined) say('a method goes with url.')
    if (body !== undefined && get !== undefined)
      say('a GET has no body. Use post, or url and method.')
    if (timeZone !== undefined && intervalIn(every) !== undefined)
      say('an interval is the same in every time zone. Leave out timeZone, or write five fields.')
  })

export type JobConfig = z.output<typeof jobSchema>

interface JobsProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

interface CheckedParts {
  readonly jobs: Readonly<Record<string, JobConfig>>
  readonly alerts: readonly SinkConfig[]
  readonly broker: BrokerConfig | undefined
  /** Jobs that have caps in `budget.jobs`. */
  readonly budgets: readonly string[]
}

export function problemsOfJobs({
  jobs,
  alerts,
  broker,
  budgets,
}: CheckedParts): readonly JobsProblem[] {
  const known = new Map<string, { readonly job: string; readonly settings: string }>()
  const inSinks = (job: string, place: JobsProblem['path'], sinks: readonly SinkConfig[]) =>
    sinks.flatMap((sink, index): readonly JobsProblem[] => {
      const path = [...place, 'sinks', index]
      const id = sinkId(sink)
      const settings = settingsOf(sink)
      const other = known.get(id) ?? { job, settings }
      known.set(id, other)
      return [
        ...(sink.mqtt !== undefined && broker === undefined ? [noBroker([...path, 'mqtt'])] : []),
        ...(other.settings === settings ? [] : [differs(path, sinkName(id), other.job)]),
      ]
    })
  return [
    ...Object.entries(jobs).flatMap(([job, { sinks, budget }]) => [
      ...(budget !== undefined && budgets.includes(job) ? [twoBudgets(job)] : []),
      ...inSinks(job, ['jobs', job], sinks),
    ]),
    ...inSinks('alerts', ['alerts'], alerts),
  ]
}

/** Of the target: what is picked may differ from job to job. */
function settingsOf({ select: _, template, influx, ...target }: SinkConfig): string {
  const { measurement: __, tags: ___, fields: ____, ...place } = influx ?? {}
  // A file of JSON lines is none of texts.
  const form = target.file !== undefined && template !== undefined
  return JSON.stringify([target, place, form])
}

function noBroker(path: JobsProblem['path']): JobsProblem {
  return {
    path,
    message: 'there is no broker to publish to.',
    hint: 'Add mqtt.url, such as mqtt://192.168.1.10, at the top of the file.',
  }
}

function differs(path: JobsProblem['path'], name: string, other: string): JobsProblem {
  return {
    path,
    message: `the job ${other} has the same target, ${name}, with other settings.`,
    hint: 'A target is one sink, whoever writes to it: give it the same settings everywhere.',
  }
}

function twoBudgets(job: string): JobsProblem {
  return {
    path: ['jobs', job, 'budget'],
    message: `budget.jobs.${job} is there, too.`,
    hint: 'Keep one of them.',
  }
}
