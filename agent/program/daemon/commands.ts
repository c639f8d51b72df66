// What the daemon does when the command line or the page asks, and what it says of itself.

import type { Address } from '../../../protocol/index.ts'
import { defined } from '../../../protocol/index.ts'
import type { Scheduler } from '../../jobs/types.ts'
import type { Agent } from '../../options.ts'
import type { ReadByDaemon } from '../configuration/known.ts'
import type { Settings } from '../configuration/settings.ts'
import { errorFacts, type LogEntry } from '../control/log.ts'
import type { CommandHandlers } from '../control/server.ts'
import type { DaemonStatus } from '../control/status.ts'
import { rateSettings, type TransactionRate, transactionRate } from '../control/transactions.ts'
import type { Engine } from './engine.ts'

export interface HandlerContext {
  readonly status: () => DaemonStatus
  readonly reload: () => Promise<void>
  readonly address: () => Address
  readonly configuration: () => ReadByDaemon
}

export function commandHandlers(engine: Engine, context: HandlerContext): CommandHandlers {
  const { shared } = engine
  return {
    status: () => context.status(),
    configuration: () => context.configuration(),
    facts: () => ({ address: context.address(), token: tokenOf(engine) }),
    books: () =>
      shared.use(async (agent) => ({
        channels: agent.channels(),
        budget: agent.budget(),
        history: agent.history(),
        unfinished: agent.unfinished(),
      })),
    hours: ({ since = 0 }) => shared.use(async (agent) => agent.hours.since(since)),
    open: ({ receiver, deposit, api }) =>
      shared.use((agent) => agent.openChannel(receiver, deposit, api)),
    topUp: ({ channel, added, api }) => shared.use((agent) => agent.topUp(channel, added, api)),
    close: ({ channel, api, otherwise, balance }) =>
      shared.use((agent) =>
        agent.closeChannel(channel, {
          ...defined({ api, otherwise, balance }),
        }),
      ),
    settle: () => shared.use((agent) => agent.settle()),
    recover: ({ from }) => shared.use((agent) => agent.recoverChannels(from)),
    sweep: ({ to }) => shared.use((agent) => agent.sweep(to)),
    pause: async ({ job }) => {
      await jobsOf(engine).pause(job)
      if (job === undefined) await engine.setPaused('paused')
    },
    resume: async ({ job }) => {
      await jobsOf(engine).resume(job)
      if (job === undefined) await engine.setPaused('active')
    },
    runJob: async ({ job }) => {
      const outcome = await jobsOf(engine).run(job)
      if (outcome.kind === 'failed') throw outcome.error
      return outcome
    },
    flush: () => engine.flush(),
    reload: () => context.reload(),
    probe: ({ url }) => shared.use((agent) => agent.probe(url)),
  }
}

/** They begin after the agent, and stop while they are exchanged for those of another configuration. */
function jobsOf({ jobs, shared }: Engine): Scheduler {
  if (jobs.scheduler !== undefined) return jobs.scheduler
  throw shared.missing()
}

function tokenOf({ facts, shared }: Engine) {
  if (facts !== undefined) return { symbol: facts.symbol, decimals: facts.decimals }
  throw shared.missing()
}

export interface StatusContext {
  readonly started: number
  readonly file: string
  readonly wanted: Settings
  readonly refused: string | undefined
  readonly warnings: readonly LogEntry[]
  readonly page: DaemonStatus['page']
}

export function daemonStatus(engine: Engine, context: StatusContext): DaemonStatus {
  const { started, file, wanted, refused, warnings, page } = context
  const agent = engine.shared.current()
  const { facts } = engine
  return {
    pid: process.pid,
    started,
    configuration: { file, loaded: wanted.loaded, refused },
    waiting: waitingFor(engine.shared.problem()),
    paused: engine.paused,
    address: wanted.signer.address,
    key: wanted.key,
    token: facts && { symbol: facts.symbol, decimals: facts.decimals },
    jobs: engine.jobs.scheduler?.status() ?? [],
    channels: agent?.channels() ?? [],
    clock: engine.clock.now,
    budget: agent?.budget(),
    transactions: agent && rateOf(engine, agent),
    behaviour: agent?.behaviour() ?? [],
    card: { mode: wanted.spool === undefined ? 'careful' : 'gentle', flushed: engine.flushed },
    proxy: engine.proxy.status(),
    page,
    counters: engine.purchases.counters(),
    troubles: warnings,
  }
}

function rateOf({ settings }: Engine, agent: Agent): TransactionRate | undefined {
  if (settings === undefined) return undefined
  const { policy, jobs } = settings
  return transactionRate(agent.transactions(), agent.history(), rateSettings(policy, jobs))
}

function waitingFor(problem: unknown): DaemonStatus['waiting'] {
  if (problem === undefined) return undefined
  const { code = 'internal', reason } = errorFacts(problem)
  return { code: String(code), message: String(reason) }
}
