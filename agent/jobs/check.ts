// What is wrong with jobs only when seen together: a pure function.

import type { JobConfig } from './schema.ts'
import { sinkId } from './sinks/create.ts'
import type { BrokerConfig, SinkConfig } from './sinks/schema.ts'

export interface JobsProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

export interface CheckedParts {
  readonly jobs: Readonly<Record<string, JobConfig>>
  readonly broker: BrokerConfig | undefined
  /** Jobs that have caps in `budget.jobs`. */
  readonly budgets: readonly string[]
}

export function problemsOfJobs({ jobs, broker, budgets }: CheckedParts): readonly JobsProblem[] {
  const known = new Map<string, { readonly job: string; readonly settings: string }>()
  return Object.entries(jobs).flatMap(([job, { sinks, budget }]) => [
    ...(budget !== undefined && budgets.includes(job) ? [twoBudgets(job)] : []),
    ...sinks.flatMap((sink, index): readonly JobsProblem[] => {
      const path = ['jobs', job, 'sinks', index]
      const id = sinkId(sink)
      const settings = settingsOf(sink)
      const other = known.get(id) ?? { job, settings }
      known.set(id, other)
      return [
        ...(sink.mqtt !== undefined && broker === undefined ? [noBroker([...path, 'mqtt'])] : []),
        ...(other.settings === settings ? [] : [differs(path, id, other.job)]),
      ]
    }),
  ])
}

/** Of the target: what is picked may differ from job to job. */
function settingsOf({ select: _, template: __, ...target }: SinkConfig): string {
  return JSON.stringify(target)
}

function noBroker(path: JobsProblem['path']): JobsProblem {
  return {
    path,
    message: 'there is no broker to publish to.',
    hint: 'Add mqtt.url, such as mqtt://192.168.1.10, at the top of the file.',
  }
}

function differs(path: JobsProblem['path'], id: string, other: string): JobsProblem {
  return {
    path,
    message: `the job ${other} has the same target, ${id}, with other settings.`,
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
