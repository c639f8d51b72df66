// Jobs of a checked configuration, with their amounts in the token's smallest unit.
import { defined, type TokenUnit } from '../../protocol/index.ts'
import { parsePriceLimit } from '../budget/assets.ts'
import type { JobConfig } from './schema.ts'
import type { SinkConfig } from './sinks/schema.ts'
import type { Job } from './types.ts'

export interface ConfiguredJob {
  readonly job: Job
  readonly sinks: readonly SinkConfig[]
}

/** In the order of the configuration. @throws UraidenError `wrong_token`, `too_many_decimals` */
export function jobsOf(
  configs: Readonly<Record<string, JobConfig>>,
  token: TokenUnit,
  assets: readonly TokenUnit[] = [],
): readonly ConfiguredJob[] {
  return Object.entries(configs).map(([name, config]) => {
    return { job: jobOf(name, config, { token, assets }), sinks: config.sinks }
  })
}

interface Units {
  readonly token: TokenUnit
  readonly assets: readonly TokenUnit[]
}

function jobOf(name: string, config: JobConfig, { token, assets }: Units): Job {
  const { get, post, url, body, timeZone, mostPrice, authentic } = config
  const { headers, every, jitter, timeout, retry, overlap, missed } = config
  return {
    name,
    target: get ?? post ?? url ?? '',
    method: config.method ?? (post === undefined ? 'GET' : 'POST'),
    ...defined({ body, timeZone }),
    ...(mostPrice !== undefined && parsePriceLimit(mostPrice, token, assets)),
    ...(authentic !== undefined && { authentic }),
    ...{ headers, every, jitter, timeout, retry, overlap, missed },
    mostBody: Math.min(config.mostBody, Math.max(...config.sinks.map(roomOf))),
  }
}

/** Bytes of the longest body of which a sink has use: a queue that drops takes nothing that is larger than it. */
function roomOf({ select, template, csv, influx, queue }: SinkConfig): number {
  const takesAll = [select, template, csv, influx].every((each) => each === undefined)
  return takesAll && queue.whenFull === 'dropOldest' ? queue.size : Number.POSITIVE_INFINITY
}
