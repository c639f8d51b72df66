// The agent as a service: begins, waits for what mends itself, follows a new configuration, ends.

import { resolve } from 'node:path'
import { createTurns } from '../../../platform/async/turns.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { steadyTime } from '../../../platform/time/monotonic.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { wallClock } from '../../jobs/clock.ts'
import type { TakenOver } from '../configuration/handover.ts'
import { knownOf } from '../configuration/known.ts'
import type { Settings } from '../configuration/settings.ts'
import { errorFacts } from '../control/log.ts'
import { metricsText } from '../control/metrics.ts'
import { ControlServer } from '../control/server.ts'
import type { DaemonStatus } from '../control/status.ts'
import { graceOfStop } from './capability.ts'
import { Collections, ownHeap } from './collections.ts'
import { commandHandlers, daemonStatus } from './commands.ts'
import { Engine } from './engine.ts'
import { HomeAssistant, type HomeAssistantOptions } from './home-assistant.ts'
import { createJournal, type Journal } from './journal.ts'
import { Page } from './page.ts'
import type { Terminal } from './terminal.ts'

export interface DaemonOptions {
  /** For whoever asks which one is in effect. */
  readonly configFile: string
  /** @throws UraidenError why there are none */
  readonly readSettings: () => Promise<TakenOver>
  readonly environment: NodeJS.ProcessEnv
  readonly write: (text: string) => void
  readonly terminal: boolean
  /** Told whenever it changes, in a few words. */
  readonly onStatus: (status: string) => void
}

export interface Daemon {
  readonly journal: Journal
  /** @throws UraidenError why the old configuration stays */
  readonly reload: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** What no waiting mends: a person has to change something. */
const fatal =
  /^(config_|key|wrong_token|not_a|too_many|amount_|state_(of_another|format_|readable)|ledger_damaged|address_in_use|socket_)/

/** What Prometheus and Home Assistant are told of the account may be so old: they ask all day, and each look is two requests. */
const accountAge: Milliseconds = 300_000

/**
 * Resolves when everything runs, or waits for what mends itself: the chain, the disk.
 * @throws UraidenError what no waiting mends
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { settings, warnings } = await options.readSettings()
  const journal = await createJournal({ ...options, settings: settings.log })
  for (const text of warnings) journal.log.warn(text)
  const daemon = new AgentDaemon({ ...options, shown: await shownAt(options) }, journal, settings)
  await daemon.start()
  return daemon
}

/** Undefined where no person looks on. */
async function shownAt({ terminal, write }: DaemonOptions): Promise<Terminal | undefined> {
  if (!terminal) return undefined
  const { createTerminal } = await import('./terminal.ts')
  return createTerminal(write)
}

type Surroundings = DaemonOptions & { readonly shown: Terminal | undefined }

class AgentDaemon implements Daemon {
  readonly journal: Journal
  readonly #options: Surroundings
  readonly #started = steadyTime()
  readonly #engine: Engine
  readonly #page: Page
  readonly #control: ControlServer
  readonly #collections = new Collections({
    clock: wallClock,
    isBusy: () => this.#engine.shared.isBusy(),
    heap: ownHeap(),
  })
  readonly #end = new AbortController()
  /** What should be in effect. */
  #wanted: Settings
  #refused: string | undefined
  #waiting = false
  readonly #changes = createTurns()

  constructor(options: Surroundings, journal: Journal, settings: Settings) {
    this.journal = journal
    this.#options = options
    this.#wanted = settings
    const status = () => this.#status()
    const metrics = () =>
      metricsText(
        {
          status: this.#status(),
          account: this.#page.account(accountAge),
          transactions: this.#engine.shared.current()?.transactions().inAll,
          receivers: this.#wanted.receivers.receivers,
        },
        steadyTime(),
      )
    this.#engine = new Engine({
      ...{ journal, metrics, terminal: options.shown },
      others: [
        new HomeAssistant({ journal, facts: () => this.#deviceFacts(), handlers: () => handlers }),
      ],
      onDone: () => this.#collections.worked(),
    })
    const handlers = commandHandlers(this.#engine, {
      status,
      reload: () => this.reload(),
      address: () => this.#wanted.signer.address,
      configuration: () => ({
        file: resolve(this.#options.configFile),
        loaded: this.#wanted.loaded,
        known: knownOf(this.#wanted),
      }),
    })
    this.#control = new ControlServer({
      handlers,
      buy: (url, request) => this.#engine.purchases.stream(url, request),
      metrics,
      onDefect: (error) => journal.warn('control', 'a command failed', error),
    })
    this.#page = new Page({
      status,
      purchases: () => this.#engine.shared.current()?.history() ?? [],
      agent: () => this.#engine.shared.current(),
      handlers,
      onDefect: (error) => journal.warn('page', 'the page failed', error),
    })
  }

  async start(): Promise<void> {
    try {
      await this.#control.start(this.#wanted.socket)
      await this.#page.start(this.#wanted)
      await this.#changes.take(() => this.#engine.start(this.#wanted))
      this.#sayReady()
    } catch (error) {
      if (isFatal(error)) {
        await this.stop()
        throw error
      }
      void this.#mend(error, () => this.#engine.start(this.#wanted))
    }
  }

  reload(): Promise<void> {
    const { readSettings } = this.#options
    const { log } = this.journal
    return this.#changes.take(async () => {
      const before = this.#wanted
      try {
        const { settings, warnings } = await readSettings()
        for (const text of warnings) log.warn(text)
        this.#wanted = settings
        await this.#follow(before)
        this.#refused = undefined
        await this.journal.change(this.#wanted.log)
        log.info('configuration reloaded')
        this.#collections.touched()
      } catch (error) {
        this.#wanted = before
        this.#refused = error instanceof Error ? error.message : String(error)
        log.error('the new configuration is refused, the old one stays', errorFacts(error))
        throw error
      }
      if (before.socket !== this.#wanted.socket) {
        log.warn('control.socket changes with the next start only')
      }
    })
  }

  async stop(): Promise<void> {
    this.#end.abort()
    this.#collections.stop()
    await this.#page.stop()
    await this.#engine.stop(graceOfStop)
    await this.#control.stop()
    this.journal.log.info('stopped')
  }

  #status(): DaemonStatus {
    return daemonStatus(this.#engine, {
      started: this.#started,
      file: this.#options.configFile,
      wanted: this.#wanted,
      refused: this.#refused,
      warnings: this.journal.warnings(),
      page: this.#page.place,
    })
  }

  #deviceFacts(): ReturnType<HomeAssistantOptions['facts']> {
    const agent = this.#engine.shared.current()
    if (agent === undefined) return undefined
    const account = this.#page.account(accountAge)
    return { status: this.#status(), account, spentToday: agent.spentToday() }
  }

  async #follow(before: Settings): Promise<void> {
    await this.#page.start(this.#wanted)
    try {
      await this.#engine.start(this.#wanted)
    } catch (error) {
      // While it waits for the chain or the disk anyway, it goes on to wait with the new one.
      if (this.#waiting && !isFatal(error)) return
      await this.#page.start(before).catch((again: unknown) => {
        this.journal.warn('page', 'the page is not as it was', again)
      })
      if (this.#engine.settings === undefined) throw error
      await this.#engine.start(before).catch((again: unknown) => {
        void this.#mend(again, () => this.#engine.start(this.#wanted))
      })
      throw error
    }
  }

  /** Tries again until it works, and says so once. */
  async #mend(cause: unknown, work: () => Promise<void>): Promise<void> {
    if (this.#waiting || this.#end.signal.aborted) return
    this.#waiting = true
    const failed = (error: unknown): void => {
      const { code = 'internal', reason } = errorFacts(error)
      this.#engine.shared.lacks(error)
      this.journal.warn(`waiting ${code}`, 'nothing can be paid now', error)
      this.#options.onStatus(`waiting: ${reason}`)
    }
    failed(cause)
    await untilDone(() => this.#changes.take(work), {
      signal: this.#end.signal,
      first: 1000,
      longest: 60_000,
      onFailed: failed,
    })
    this.#waiting = false
    if (this.#end.signal.aborted) return
    this.#sayReady()
  }

  #sayReady(): void {
    this.journal.log.info('ready')
    this.#options.shown?.ready(this.#status())
    this.#options.onStatus('ready')
    this.#collections.touched()
  }
}

function isFatal(error: unknown): boolean {
  return !isUraidenError(error) || fatal.test(error.code)
}

interface RetryOptions {
  readonly signal: AbortSignal
  readonly first: Milliseconds
  readonly longest: Milliseconds
  /** Called with each failure. What it throws ends the tries. */
  readonly onFailed: (error: unknown) => void
}

/** Resolves with what `work` does in the end; undefined when `signal` was aborted. */
async function untilDone<Value>(
  work: () => Promise<Value>,
  { signal, first, longest, onFailed }: RetryOptions,
): Promise<Value | undefined> {
  for (let delay = first; !signal.aborted; delay = Math.min(2 * delay, longest)) {
    try {
      return await work()
    } catch (error) {
      onFailed(error)
    }
    await pause(delay, signal)
  }
  return undefined
}

function pause(delay: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delay)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
