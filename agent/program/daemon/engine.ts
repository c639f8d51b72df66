// What runs for a configuration, and how it becomes what runs for another one.
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isUraidenError, UraidenError } from '../../../protocol/index.ts'
import { createAgent } from '../../agent.ts'
import type { Milliseconds } from '../../budget/clock.ts'
import { openJobs } from '../../jobs/open.ts'
import { jobsOf } from '../../jobs/schema.ts'
import type { Scheduler } from '../../jobs/types.ts'
import type { Agent } from '../../options.ts'
import type { LocalProxy } from '../../proxy/server.ts'
import { policyOptions, readBroker } from '../configuration/config.ts'
import type { Receivers } from '../configuration/receivers.ts'
import { type ChainFacts, chainFacts, receiversOf, stateFolder } from '../configuration/setup.ts'
import { logJobEvent } from './job-log.ts'
import type { Journal } from './journal.ts'
import { type MetricsServer, startMetrics } from './metrics-server.ts'
import { changedProxy, proxyOptions } from './proxy-part.ts'
import { createPurchases, type Purchases } from './purchases.ts'
import { type Settings, same, sameAgent, sameChain, sameJobs } from './settings.ts'
import { createSharedAgent, type SharedAgent } from './shared-agent.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

export interface EngineOptions {
  readonly journal: Journal
  readonly environment: NodeJS.ProcessEnv
  readonly metrics: () => string
}

/** For requests under way when the agent is exchanged. */
const graceOfChange: Milliseconds = 30_000

const upkeepInterval: Milliseconds = 60_000

export class Engine {
  readonly shared: SharedAgent
  readonly purchases: Purchases
  /** What is in effect; undefined until everything has run once. */
  settings: Settings | undefined
  facts: ChainFacts | undefined
  proxy: LocalProxy | undefined
  jobs: Scheduler | undefined
  /** By a person: jobs and proxy buy nothing. */
  paused = false
  readonly #options: EngineOptions
  readonly #upkeep: Upkeep
  #metrics: MetricsServer | undefined
  #receivers: Receivers | undefined

  constructor(options: EngineOptions) {
    const { journal } = options
    this.#options = options
    this.shared = createSharedAgent()
    this.#upkeep = createUpkeep({
      shared: this.shared,
      deposits: () =>
        this.settings && this.facts ? policyOptions(this.settings.config, this.facts).deposit : {},
      interval: upkeepInterval,
      onFailed: (what, error) => journal.trouble(`upkeep ${what}`, `${what} failed`, error),
    })
    this.purchases = createPurchases({
      shared: this.shared,
      onPaid: (channel, price) => this.#upkeep.paid(channel, price),
      onFailed: (error) => {
        const code = isUraidenError(error) ? error.code : 'internal'
        // One that was found in the network may have another address now.
        if (code === 'receiver_unreachable') this.#receivers?.forget()
        journal.trouble(`purchase ${code}`, 'a purchase failed', error)
      },
    })
  }

  /**
   * Puts `next` into effect: what it does not change runs on. What can fail comes first; after an error
   * `apply` with the settings before puts everything back.
   * @throws UraidenError of chain, store, key, amounts, places
   */
  async apply(next: Settings): Promise<void> {
    const { config } = next
    const before = this.settings
    const facts = await this.#factsFor(next)
    policyOptions(config, facts)
    const receivers = this.#receiversFor(next)
    const proxy = await proxyOptions(config, {
      stream: (url, options) => this.#buyForProxy(url, options),
      token: facts,
      receivers,
      onDefect: (error) => this.#options.journal.trouble('proxy', 'the proxy failed', error),
    })
    const exchange =
      before === undefined || this.shared.current() === undefined || !sameAgent(before, next)
    if (exchange) await this.#exchange(next, facts)
    this.facts = facts
    this.#receivers = receivers
    await this.#changeJobs(before, next, facts)
    this.proxy = await changedProxy(this.proxy, proxy, graceOfChange)
    if (this.#metrics === undefined || !same(before?.config.metrics, config.metrics)) {
      await this.#metrics?.close()
      this.#metrics = config.metrics && (await startMetrics(config.metrics, this.#options.metrics))
    }
    if (before === undefined) this.paused = existsSync(this.#pauseMark(next))
    this.settings = next
    if (exchange) this.#upkeep.begun()
  }

  /** Outlasts a restart, as the pause of a job does. */
  async setPaused(state: 'paused' | 'active'): Promise<void> {
    this.paused = state === 'paused'
    if (this.settings === undefined) return
    const mark = this.#pauseMark(this.settings)
    await (this.paused ? writeFile(mark, '', { mode: 0o600 }) : rm(mark, { force: true }))
  }

  async stop(grace: Milliseconds): Promise<void> {
    const parts = [this.proxy?.close(grace), this.jobs?.stop(grace), this.#metrics?.close()]
    await Promise.all([...parts, this.shared.stop(grace)])
    await this.#upkeep.stop()
  }

  async #changeJobs(
    before: Settings | undefined,
    next: Settings,
    facts: ChainFacts,
  ): Promise<void> {
    if (this.jobs !== undefined && before !== undefined && sameJobs(before, next)) return
    await this.jobs?.stop(graceOfChange)
    this.jobs = undefined
    const { config, signer } = next
    const { contract, jobs, mqtt } = config
    const { chainId } = facts
    const { journal } = this.#options
    this.jobs = await openJobs({
      jobs: jobsOf(jobs, facts),
      broker: mqtt && (await readBroker(mqtt, signer.address)),
      buyer: this.purchases,
      resolve: (target) => (this.#receivers ?? this.#receiversFor(next)).resolve(target),
      folder: join(this.#folder(next), 'jobs'),
      owner: { chainId, contract, account: signer.address },
      onEvent: (event) => logJobEvent(journal, event),
    })
    // What a crash cut off is asked for in the background.
    this.jobs.start().catch((error: unknown) => journal.trouble('jobs', 'jobs failed', error))
  }

  #receiversFor(next: Settings): Receivers {
    const before = this.settings?.config
    const part = ({ receivers, contract, discovery }: Settings['config']) => {
      return { receivers, contract, discovery }
    }
    const known = before !== undefined && same(part(before), part(next.config))
    return (known ? this.#receivers : undefined) ?? receiversOf(next.config)
  }

  #exchange(next: Settings, facts: ChainFacts): Promise<void> {
    return this.shared.exchange(() => this.#makeAgent(next, facts), graceOfChange)
  }

  async #factsFor(next: Settings): Promise<ChainFacts> {
    if (this.settings && this.facts && sameChain(this.settings, next)) return this.facts
    return chainFacts(next.config, this.#folder(next))
  }

  #makeAgent(next: Settings, facts: ChainFacts): Promise<Agent> {
    const { journal } = this.#options
    const { config, signer } = next
    return createAgent({
      ...policyOptions(config, facts),
      receiverAt: (url) => this.#receivers?.receiverAt(url),
      signer,
      chainId: facts.chainId,
      store: join(this.#folder(next), 'ledger'),
      onChannelChange: (channel, change, { transaction }) => {
        const { kind, ...amounts } = change
        journal.log.info(`channel ${kind}`, { channel, ...amounts, transaction })
      },
    })
  }

  #pauseMark(settings: Settings): string {
    return join(this.#folder(settings), 'paused')
  }

  #folder({ config }: Settings): string {
    return stateFolder(config, this.#options.environment)
  }

  async #buyForProxy(...request: Parameters<Agent['stream']>): ReturnType<Agent['stream']> {
    if (!this.paused) return this.purchases.stream(...request)
    throw new UraidenError({
      code: 'agent_paused',
      message: 'The agent is paused.',
      hint: 'Nothing was paid. Go on with: uraiden-agent resume',
    })
  }
}
