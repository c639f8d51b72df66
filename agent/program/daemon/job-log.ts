// What of jobs and sinks the log tells: nothing while all is well.
import type { JobEvent, RunOutcome } from '../../jobs/types.ts'
import { errorFacts, type LogFacts, type LogLevel } from '../control/log.ts'
import type { Journal } from './journal.ts'

type Line = readonly [level: LogLevel, message: string, facts: LogFacts]

export function logJobEvent(journal: Journal, event: JobEvent): void {
  if (event.kind === 'run') logRun(journal, event.outcome)
  else {
    const [level, message, facts] = lineFor(event)
    journal.log[level](message, facts)
  }
}

function logRun({ log, trouble }: Journal, outcome: RunOutcome): void {
  const { job, cause } = outcome
  if (outcome.kind === 'failed') trouble(`job ${job}`, `job ${job} failed`, outcome.error)
  else {
    const { status, bytes, payment } = outcome
    log.debug(`job ${job} ran`, { cause, status, bytes, cost: payment?.cost })
  }
}

function lineFor(event: Exclude<JobEvent, { readonly kind: 'run' }>): Line {
  switch (event.kind) {
    case 'skipped':
      return ['debug', `job ${event.job} skipped`, { reason: event.reason }]
    case 'failing': {
      const { job, failures, error } = event
      const facts = { failures, ...errorFacts(error) }
      return ['error', `job ${job} keeps failing and goes on slower`, facts]
    }
    case 'recovered':
      return ['info', `job ${event.job} works again`, { failures: event.failures }]
    case 'sinkFailing':
      return ['warn', `sink ${event.sink} takes nothing`, errorFacts(event.error)]
    case 'sinkRecovered':
      return ['info', `sink ${event.sink} works again`, { waiting: event.waiting }]
    case 'sinkFull':
      return ['warn', `the queue of sink ${event.sink} is full`, { waiting: event.waiting }]
    case 'entryRefused': {
      const { sink, id, why } = event
      return ['warn', `sink ${sink} refuses an entry for good`, { id, why }]
    }
    case 'sinkOrphaned': {
      const { sink, waiting } = event
      return ['warn', `entries wait for sink ${sink}, which is not configured`, { waiting }]
    }
  }
}
