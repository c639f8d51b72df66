// The agent as a service: begins, waits for what mends itself, follows a new configuration, ends.
import { createTurns } from '../../../platform/async/turns.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { isUraidenError, UraidenError } from '../../../protocol/index.ts'
import { errorFacts } from '../control/log.ts'
import { metricsText } from '../control/metrics.ts'
import { daemonSocket } from '../control/place.ts'
import { type CommandHandlers, type Control, startControl } from '../control/server.ts'
import { Engine } from './engine.ts'
import { commandHandlers } from './handlers.ts'
import { createJournal, type Journal } from './journal.ts'
import { PagePart } from './page-part.ts'
import { untilDone } from './retry.ts'
import { loadSettings, type Settings, same } from './settings.ts'
import { daemonStatus } from './status.ts'

export interface DaemonOptions {
  readonly configFile: string
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

/** At the end. systemd waits for ten seconds in all. */
const graceOfStop: Milliseconds = 4_000

/**
 * Resolves when everything runs, or waits for what mends itself: the chain, the disk.
 * @throws UraidenError what no waiting mends
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { configFile, environment } = options
  const early: string[] = []
  const settings = await loadSettings(configFile, environment, (text) => early.push(text))
  const journal = createJournal({ ...options, settings: settings.config.log })
  for (const text of early) journal.log.warn(text)
  const daemon = new AgentDaemon(options, journal, settings)
  await daemon.start()
  return daemon
}

class AgentDaemon implements Daemon {
  readonly journal: Journal
  readonly #options: DaemonOptions
  readonly #engine: Engine
  readonly #page: PagePart
  readonly #handlers: CommandHandlers
  readonly #end = new AbortController()
  /** What should be in effect. */
  #wanted: Settings
  #refused: string | undefined
  #control: Control | undefined
  #waiting = false
  readonly #changes = createTurns()

  constructor(options: DaemonOptions, journal: Journal, settings: Settings) {
    const started = Date.now()
    const { configFile, environment } = options
    this.journal = journal
    this.#options = options
    this.#wanted = settings
    const status = () =>
      daemonStatus(this.#engine, {
        started,
        file: configFile,
        wanted: this.#wanted,
        refused: this.#refused,
        troubles: journal.troubles(),
        page: this.#page.port,
      })
    this.#engine = new Engine({
      journal,
      environment,
      metrics: () => metricsText(status(), Date.now()),
    })
    this.#status = status
    this.#handlers = commandHandlers(this.#engine, {
      status,
      reload: () => this.reload(),
      address: () => this.#wanted.signer.address,
    })
    this.#page = new PagePart({
      status,
      purchases: () => this.#engine.shared.current()?.history() ?? [],
      handlers: this.#handlers,
      onDefect: (error) => journal.trouble('page', 'the page failed', error),
    })
  }

  readonly #status: () => ReturnType<typeof daemonStatus>

  async start(): Promise<void> {
    try {
      this.#control = await this.#startControl()
      await this.#page.apply(this.#wanted)
      await this.#changes.take(() => this.#engine.apply(this.#wanted))
      this.journal.log.info('ready')
      this.#options.onStatus('ready')
    } catch (error) {
      if (isFatal(error)) {
        await this.stop()
        throw error
      }
      void this.#mend(error, () => this.#engine.apply(this.#wanted))
    }
  }

  reload(): Promise<void> {
    const { configFile, environment } = this.#options
    const { log } = this.journal
    return this.#changes.take(async () => {
      const before = this.#wanted
      try {
        const next = await loadSettings(configFile, environment, (text) => log.warn(text))
        // Before anything is stopped: what runs has read them already.
        refuseUnreadable(next)
        this.#wanted = next
        await this.#follow(before)
        this.#refused = undefined
        this.journal.change(this.#wanted.config.log)
        log.info('configuration reloaded')
      } catch (error) {
        this.#wanted = before
        this.#refused = error instanceof Error ? error.message : String(error)
        log.error('the new configuration is refused, the old one stays', errorFacts(error))
        throw error
      }
      if (!same(before.config.control, this.#wanted.config.control)) {
        log.warn('control.socket changes with the next start only')
      }
    })
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#page.stop()
    await this.#engine.stop(graceOfStop)
    await this.#control?.close()
    this.journal.log.info('stopped')
  }

  #startControl(): Promise<Control> {
    return startControl({
      path: daemonSocket(this.#wanted.config, this.#options.environment),
      handlers: this.#handlers,
      buy: (url, request) => this.#engine.purchases.stream(url, request),
      metrics: () => metricsText(this.#status(), Date.now()),
    })
  }

  async #follow(before: Settings): Promise<void> {
    await this.#page.apply(this.#wanted)
    try {
      await this.#engine.apply(this.#wanted)
    } catch (error) {
      // While it waits for the chain or the disk anyway, it goes on to wait with the new one.
      if (this.#waiting && !isFatal(error)) return
      await this.#page.apply(before).catch((again: unknown) => {
        this.journal.trouble('page', 'the page is not as it was', again)
      })
      if (this.#engine.settings === undefined) throw error
      await this.#engine.apply(before).catch((again: unknown) => {
        void this.#mend(again, () => this.#engine.apply(this.#wanted))
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
      this.journal.trouble(`waiting ${code}`, 'nothing can be paid now', error)
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
    this.journal.log.info('ready')
    this.#options.onStatus('ready')
  }
}

/** @throws UraidenError `config_file_unreadable` */
function refuseUnreadable({ unreadable }: Settings): void {
  const [file] = unreadable
  if (file === undefined) return
  throw new UraidenError({
    code: 'config_file_unreadable',
    message: `${file}, which the configuration names, cannot be read.`,
    hint: 'Check that it is there, its owner and its mode.',
  })
}

function isFatal(error: unknown): boolean {
  return !isUraidenError(error) || fatal.test(error.code)
}
