// What buys by itself, as the configuration wants it: jobs and the proxy. The log tells nothing of them while
// all is well.
import { join } from 'node:path'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { defined } from '../../../protocol/index.ts'
import { BudgetSpentError } from '../../budget/caps.ts'
import { continuesWhen } from '../../jobs/continues.ts'
import { openJobs } from '../../jobs/open.ts'
import type { Buyer } from '../../jobs/purchase.ts'
import { unfitError } from '../../jobs/run.ts'
import type { JobEvent, RunDone, RunOutcome, Scheduler } from '../../jobs/types.ts'
import { type LocalProxy, type ProxyOptions, startProxy } from '../../proxy/server.ts'
import { sameJobs, type TokenSettings } from '../configuration/settings.ts'
import { errorFacts, type LogFacts, type LogLevel } from '../control/log.ts'
import type { DaemonStatus } from '../control/status.ts'
import { type Capability, graceOfChange } from './capability.ts'
import type { Journal } from './journal.ts'

export interface JobsOptions {
  readonly journal: Journal
  readonly buyer: Buyer
  readonly resolve: (target: string) => Promise<URL>
  /** What a flush has kept in the ledger's write. */
  readonly copy: () => unknown
  readonly onDone: (outcome: RunDone) => void
}

export class Jobs implements Capability<TokenSettings> {
  readonly #options: JobsOptions
  #running: { readonly scheduler: Scheduler; readonly settings: TokenSettings } | undefined

  constructor(options: JobsOptions) {
    this.#options = options
  }

  /** Undefined until the chain has told once what the token is. */
  get scheduler(): Scheduler | undefined {
    return this.#running?.scheduler
  }

  /** @throws UraidenError those of `openJobs` */
  async start(settings: TokenSettings): Promise<void> {
    if (this.#running !== undefined && sameJobs(this.#running.settings, settings)) return
    await this.stop(graceOfChange)
    const { jobs, alerts, broker, chain, facts, folder, spool, aside, signer } = settings
    const { journal, buyer, resolve, copy, onDone } = this.#options
    const scheduler = await openJobs({
      jobs,
      alertSinks: alerts?.sinks,
      broker,
      buyer,
      resolve,
      folder: join(folder, 'jobs'),
      spool: spool?.jobs,
      copy: copy(),
      aside,
      owner: {
        chainId: facts.chainId,
        contract: chain.contract,
        ...defined({ others: chain.formerContracts }),
        account: signer.address,
      },
      circumstances: (job) => circumstancesOf(settings, job),
      onEvent: (event) => {
        logJobEvent(journal, event)
        if (event.kind === 'run' && event.outcome.kind === 'done') onDone(event.outcome)
      },
    })
    this.#running = { scheduler, settings }
    // What a crash cut off is asked for in the background.
    scheduler.start().catch((error: unknown) => journal.warn('jobs', 'jobs failed', error))
  }

  async stop(grace: Milliseconds): Promise<void> {
    const { scheduler } = this.#running ?? {}
    this.#running = undefined
    await scheduler?.stop(grace)
  }
}

/** Budgets of other jobs are none. */
function circumstancesOf({ policy, receivers }: TokenSettings, job: string): unknown {
  const { budget } = policy
  return [{ ...policy, budget: { ...budget, jobs: budget.jobs?.[job] } }, receivers]
}

type ProxyParts = Pick<ProxyOptions, 'stream' | 'receivers' | 'onDefect'>

/** Follows new settings without losing its port. */
export class DaemonProxy implements Capability<TokenSettings> {
  readonly #parts: ProxyParts
  #running: LocalProxy | undefined
  #socket: string | undefined

  constructor(parts: ProxyParts) {
    this.#parts = parts
  }

  /** Undefined while there is none. */
  status(): DaemonStatus['proxy'] {
    return this.#running && { port: this.#running.port, socket: this.#socket }
  }

  /** @throws UraidenError those of `startProxy` */
  async start({ proxy, facts }: TokenSettings): Promise<void> {
    const options = proxy && { ...proxy, ...this.#parts, token: facts }
    const old = this.#running
    if (old !== undefined && options !== undefined && old.isAt(options)) {
      old.change(options)
      return
    }
    this.#running = options && (await startProxy(options))
    this.#socket = options?.socket?.path
    // What is under way there goes on.
    void old?.close(graceOfChange)
  }

  async stop(grace: Milliseconds): Promise<void> {
    await this.#running?.close(grace)
  }
}

type Line = readonly [level: LogLevel, message: string, facts: LogFacts]

function logJobEvent(journal: Journal, event: JobEvent): void {
  if (event.kind === 'run') logRun(journal, event.outcome)
  else {
    const [level, message, facts] = lineFor(event)
    journal.log[level](message, facts)
  }
}

function logRun({ log, warn }: Journal, outcome: RunOutcome): void {
  const { job, cause } = outcome
  // That it waits is said once.
  if (outcome.kind === 'failed' && outcome.error instanceof BudgetSpentError) return
  if (outcome.kind === 'failed') warn(`job ${job}`, `job ${job} failed`, outcome.error)
  else {
    const { status, bytes, payment, unfit } = outcome
    if (unfit.length > 0)
      warn(`job ${job} unfit`, `job ${job} has nothing for a sink`, unfitError(unfit))
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
    case 'budgetSpent': {
      const { code, message, until } = event.spent
      const continues = continuesWhen(until, Date.now())
      return [
        'info',
        `the budget of job ${event.job} is spent`,
        { code, reason: message, continues },
      ]
    }
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
