// What runs for a configuration, and how it becomes what runs for another one.

import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import {
  afterBlock,
  formatAmount,
  isUraidenError,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { createAgent } from '../../agent.ts'
import type { ChannelChange, ChannelChangeListener } from '../../channels/booking.ts'
import { type ChannelName, channelName } from '../../channels/records.ts'
import { agentError } from '../../errors/index.ts'
import { wallClock } from '../../jobs/clock.ts'
import type { Agent } from '../../options.ts'
import { type ChainFacts, chainFacts, keepFacts } from '../configuration/chain.ts'
import { openReceivers, plansAt, type Receivers } from '../configuration/receivers.ts'
import {
  inUnits,
  type Settings,
  same,
  sameAgent,
  sameChain,
  type TokenSettings,
} from '../configuration/settings.ts'
import type { LogFacts } from '../control/log.ts'
import { MetricsServer } from '../control/metrics.ts'
import { Alerting } from './alerting.ts'
import { DaemonProxy, Jobs } from './buyers.ts'
import { type Capability, graceOfChange } from './capability.ts'
import type { ClosingClock } from './closing-clock.ts'
import { Flushing } from './flushing.ts'
import type { Journal } from './journal.ts'
import { createPurchases, type Purchases, SharedAgent } from './shared-agent.ts'
import type { Terminal } from './terminal.ts'
import { Upkeep } from './upkeep.ts'

export interface EngineOptions {
  readonly journal: Journal
  readonly metrics: () => string
  /** Told of each purchase, and what else is done with the agent, when it is over. */
  readonly onDone: () => void
  /** Where a person looks on. */
  readonly terminal: Terminal | undefined
  /** What else follows the settings; they begin last. */
  readonly others: readonly Capability<TokenSettings>[]
}

const upkeepInterval: Milliseconds = 60_000

/** What the agent of now was made from. */
interface AgentParts {
  readonly settings: TokenSettings
  readonly receivers: Receivers
}

export class Engine implements Capability<Settings> {
  readonly shared: SharedAgent
  readonly purchases: Purchases
  readonly jobs: Jobs
  readonly proxy: DaemonProxy
  /** By a person: jobs and proxy buy nothing. */
  paused = false
  readonly #journal: Journal
  readonly #upkeep: Upkeep
  readonly #flushing: Flushing
  /** In the order in which they begin. */
  readonly #capabilities: readonly Capability<TokenSettings>[]
  #parts: AgentParts | undefined
  #settings: TokenSettings | undefined

  constructor({ journal, metrics, onDone, terminal, others }: EngineOptions) {
    this.shared = new SharedAgent(onDone)
    this.#journal = journal
    this.#upkeep = new Upkeep({
      shared: this.shared,
      interval: upkeepInterval,
      onFailed: (what, error) => journal.warn(`upkeep ${what}`, `${what} failed`, error),
      onWarning: (warning) => journal.log.warn(warning),
      // What is not written is asked again by the next start.
      onPeriod: (warning) => void this.#keepPeriod(warning).catch(() => undefined),
    })
    this.purchases = createPurchases({
      shared: this.shared,
      onPaid: (paid) => {
        this.#upkeep.paid(paid.channel, paid.price)
        terminal?.paid(paid, this.facts)
      },
      onFailed: (error) => this.#purchaseFailed(error),
    })
    this.jobs = new Jobs({
      journal,
      buyer: this.purchases,
      resolve: (target) => this.#receivers().resolve(target),
      copy: () => this.shared.current()?.beside(),
      onDone: (outcome) => terminal?.ran(outcome, this.facts),
    })
    this.proxy = new DaemonProxy({
      stream: (url, options) => this.#buyForProxy(url, options),
      receivers: { find: (url) => this.#receivers().find(url) },
      onDefect: (error) => journal.warn('proxy', 'the proxy failed', error),
    })
    this.#flushing = new Flushing({
      clock: wallClock,
      flush: () => this.#flushAll(),
      onFailed: (error) => journal.warn('flush', 'the card cannot be written', error),
    })
    const metricsServer = new MetricsServer(metrics)
    const alerting = new Alerting({
      clock: wallClock,
      agent: () => this.shared.current(),
      scheduler: () => this.jobs.scheduler,
      onFailed: (error) => journal.warn('alerts', 'alerts failed', error),
    })
    this.#capabilities = [
      ...[this.jobs, this.proxy, metricsServer],
      ...[this.#upkeep, this.#flushing, alerting, ...others],
    ]
  }

  /** What is in effect; undefined until everything has run once. */
  get settings(): TokenSettings | undefined {
    return this.#settings
  }

  get clock(): ClosingClock {
    return this.#upkeep.clock
  }

  /** Undefined until the chain has said them once. */
  get facts(): ChainFacts | undefined {
    return this.#parts?.settings.facts
  }

  /**
   * What can fail comes first; after an error `start` with the settings before puts everything back.
   * @throws UraidenError of chain, store, amounts, places
   */
  async start(settings: Settings): Promise<void> {
    const next = inUnits(settings, await this.#factsFor(settings))
    if (this.#settings === undefined) this.paused = existsSync(pauseMark(next))
    await this.#startAgent(next)
    for (const capability of this.#capabilities) await capability.start(next)
    this.#settings = next
  }

  /** Outlasts a restart, as the pause of a job does. */
  async setPaused(state: 'paused' | 'active'): Promise<void> {
    this.paused = state === 'paused'
    if (this.#settings === undefined) return
    const mark = pauseMark(this.#settings)
    await (this.paused ? writeFile(mark, '', { mode: 0o600 }) : rm(mark, { force: true }))
  }

  /** When that was done last. */
  get flushed(): Milliseconds | undefined {
    return this.#flushing.last
  }

  /** Writes to the card what waits for it. @throws UraidenError `state_unwritable` */
  flush(): Promise<void> {
    return this.#flushing.now()
  }

  async stop(grace: Milliseconds): Promise<void> {
    const parts = this.#capabilities.map((capability) => capability.stop(grace))
    await Promise.all([...parts, this.shared.stop(grace)])
  }

  /** Files and queues, then the ledger, so that the card is busy once; what is left of the jobs in the same write. */
  async #flushAll(): Promise<void> {
    const agent = this.shared.current()
    let isOver = false
    const keep = async (copy: object): Promise<void> => {
      await agent?.flush(copy)
      isOver = true
    }
    await this.jobs.scheduler?.flush(agent && keep)
    if (!isOver) await agent?.flush()
  }

  async #startAgent(next: TokenSettings): Promise<void> {
    const before = this.#parts
    if (before && this.shared.current() && sameAgent(before.settings, next)) {
      this.#parts = { ...before, settings: next }
      return
    }
    const known = before && same(before.settings.receivers, next.receivers)
    const receivers = known ? before.receivers : openReceivers(next.receivers)
    const parts = { settings: next, receivers }
    await this.shared.exchange(() => this.#makeAgent(parts), graceOfChange)
    this.#parts = parts
  }

  #makeAgent({ settings, receivers }: AgentParts): Promise<Agent> {
    const { chain, facts, policy, purchasing, signer, folder, spool } = settings
    return createAgent({
      ...chain,
      ...policy,
      ...plansAt(purchasing.x402, receivers),
      receiverAt: (url) => receivers.receiverAt(url),
      bound: (url, receiver) => receivers.boundAt(url, receiver),
      signer,
      chainId: facts.chainId,
      store: join(folder, 'ledger'),
      onChannelChange: (...changed) => void this.#tell(...changed),
      spool: spool?.ledger,
    })
  }

  async #tell(...[channel, change, { transaction }]: Parameters<ChannelChangeListener>) {
    const { kind, ...amounts } = change
    const settles = kind === 'closeRequested' && { settles: await this.#settles(channel) }
    const facts = { channel, ...inTokens(amounts, this.facts), ...settles, transaction }
    this.#journal.log.info(`channel ${changeWords[kind]}`, facts)
  }

  async #settles(name: ChannelName): Promise<string | undefined> {
    const found = this.shared
      .current()
      ?.channels()
      .find(({ receiver, openBlock }) => channelName(receiver, openBlock) === name)
    if (found?.settleBlock === undefined) return undefined
    return afterBlock(found.settleBlock, await this.clock.read())
  }

  async #factsFor(next: Settings): Promise<ChainFacts> {
    const { settings } = this.#parts ?? {}
    if (settings !== undefined && sameChain(settings, next)) return settings.facts
    return chainFacts(next.chain, next.folder)
  }

  async #keepPeriod(periodWarning: string): Promise<void> {
    if (this.#parts === undefined) return
    const { settings } = this.#parts
    await keepFacts({ ...settings.facts, periodWarning }, settings.chain, settings.folder)
  }

  /** Nobody asks before there is an agent. */
  #receivers(): Receivers {
    if (this.#parts === undefined) throw this.shared.missing()
    return this.#parts.receivers
  }

  #purchaseFailed(error: unknown): void {
    const code = isUraidenError(error) ? error.code : 'internal'
    // One that was found in the network may have another address now.
    if (code === 'receiver_unreachable') this.#parts?.receivers.forget()
    this.#journal.warn(`purchase ${code}`, 'a purchase failed', error)
  }

  async #buyForProxy(...request: Parameters<Agent['stream']>): ReturnType<Agent['stream']> {
    if (!this.paused) return this.purchases.stream(...request)
    throw agentError({
      code: 'agent_paused',
      message: 'The agent is paused.',
    })
  }
}

const changeWords = {
  opened: 'opened',
  toppedUp: 'topped up',
  closeRequested: 'close requested',
  closed: 'closed',
  settled: 'settled',
} as const satisfies Readonly<Record<ChannelChange['kind'], string>>

/** Amounts with the token's symbol, where it is known. */
function inTokens(amounts: object, token: TokenUnit | undefined): LogFacts {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, value]) => {
      const isAmount = typeof value === 'bigint' && token !== undefined
      return [name, isAmount ? formatAmount(value, token) : value]
    }),
  )
}

function pauseMark({ folder }: Pick<Settings, 'folder'>): string {
  return join(folder, 'paused')
}
