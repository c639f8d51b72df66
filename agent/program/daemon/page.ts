// The page as the configuration wants it. Its server, and what it needs, is loaded when there is one.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { readPrivateFile, writePrivateFile } from '../../../platform/keys/private-file.ts'
import { day, type Milliseconds } from '../../../platform/time/clock.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import type { Agent } from '../../options.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import { openChain } from '../configuration/chain.ts'
import { openReceivers } from '../configuration/receivers.ts'
import type { Settings } from '../configuration/settings.ts'
import type { CommandHandlers } from '../control/server.ts'
import type { DaemonStatus } from '../control/status.ts'
import { type Account, createHoldings } from '../page/holdings.ts'
import type { PageServer } from '../page/server.ts'
import type { PageHoldings } from '../page/state.ts'
import type { Capability } from './capability.ts'

export interface PageOptions {
  readonly status: () => DaemonStatus
  /** Oldest first. */
  readonly purchases: () => readonly PurchaseRecord[]
  /** Undefined while there is none. */
  readonly agent: () => Pick<Agent, 'hours' | 'freeAt'> | undefined
  readonly handlers: CommandHandlers
  readonly onDefect: (error: unknown) => void
}

/**
 * The same over restarts, so that a bookmark stays good; made where there is none, for its owner only.
 * @throws UraidenError those of private files
 */
async function pageKey(folder: string): Promise<string> {
  const file = join(folder, 'page-key')
  try {
    const kept = (await readPrivateFile(file)).trim()
    if (kept !== '') return kept
  } catch (error) {
    if (!isUraidenError(error, 'key_file_missing')) throw error
  }
  const made = randomBytes(16).toString('hex')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writePrivateFile(file, `${made}\n`)
  return made
}

/** As Home Assistant is told. */
function unitsOf(jobs: Settings['jobs']): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(jobs).flatMap(([name, { sinks }]) => {
      const unit = sinks.map(({ mqtt }) => mqtt?.homeAssistant?.unit).find(Boolean)
      return unit === undefined ? [] : [[name, unit] as const]
    }),
  )
}

/** Milliseconds that what the chain says of the account is believed while somebody looks. */
const fresh = 15_000

interface Running {
  readonly server: PageServer
  /** In the page's address: who has it may look. */
  readonly key: string
  /** As it was configured, 0 for a free one. */
  readonly wanted: number
}

export class Page implements Capability<Settings> {
  readonly #options: PageOptions
  #settings: Settings | undefined
  #running: Running | undefined
  #chain: Promise<ChainClient> | undefined
  readonly #holdings = createHoldings({
    read: () => this.#account(),
    fresh,
    now: () => performance.now(),
  })

  constructor(options: PageOptions) {
    this.#options = options
  }

  /** Undefined while there is no page. */
  get place(): { readonly port: number; readonly key: string } | undefined {
    const running = this.#running
    return running && { port: running.server.port, key: running.key }
  }

  /** What the account has, at most so old; asked for in the background. */
  account(oldest: Milliseconds): PageHoldings {
    return this.#holdings.look(oldest)
  }

  /**
   * After an error everything is as it was.
   * @throws UraidenError `address_in_use`, those of private files
   */
  async start(next: Settings): Promise<void> {
    const old = this.#running
    const wanted = next.page?.port
    // One that was found when any would do may be named later.
    const stays = old !== undefined && (old.wanted === wanted || old.server.port === wanted)
    const started = stays || wanted === undefined ? undefined : await this.#listen(wanted, next)
    this.#settings = next
    if (!stays) {
      this.#running = started
      await old?.server.close()
    }
    // Of the chain that was configured before.
    this.#disconnect()
    this.#holdings.forget()
  }

  async stop(): Promise<void> {
    await this.#running?.server.close()
    this.#running = undefined
    this.#disconnect()
  }

  async #listen(port: number, { folder }: Settings): Promise<Running> {
    const key = await pageKey(folder)
    const [{ startPage }, { pageState, receiverNames }, { paceDays }, { spendingCsv, spendingOf }] =
      await Promise.all([
        import('../page/server.ts'),
        import('../page/view.ts'),
        import('../page/budgets.ts'),
        import('../page/spending.ts'),
      ])
    const { status, purchases, agent, handlers, onDefect } = this.#options
    const receivers = () => this.#settings?.receivers.receivers ?? {}
    const timeZone = () => this.#settings?.purchasing.policy.timeZone
    const since = (start: Milliseconds) => agent()?.hours.since(start) ?? []
    const server = await startPage({
      ...{ port, key },
      token: () => this.#settings?.page?.token,
      state: (about) =>
        pageState({
          ...about,
          status: status(),
          purchases: purchases(),
          holdings: this.#holdings.look(),
          receivers: receivers(),
          now: Date.now(),
          rows: since(Date.now() - (paceDays + 1) * day),
          freeAt: (limit, needed) => agent()?.freeAt(limit, needed),
          timeZone: timeZone(),
          units: unitsOf(this.#settings?.jobs ?? {}),
        }),
      spending: () => spendingOf(since(0), Date.now(), timeZone()),
      spendingCsv: () => spendingCsv(since(0), status().token, receiverNames(receivers())),
      handlers,
      placeOf: async (receiver) =>
        this.#settings && openReceivers(this.#settings.receivers).placeOf(receiver),
      onAction: () => this.#holdings.forget(),
      onDefect,
    })
    return { server, key, wanted: port }
  }

  async #account(): Promise<Account> {
    const { address } = this.#options.status()
    try {
      const chain = await this.#connect()
      const [tokens, ether] = await Promise.all([
        chain.tokenBalance(address),
        chain.etherBalance(address),
      ])
      return { tokens, ether }
    } catch (error) {
      this.#disconnect()
      throw error
    }
  }

  async #connect(): Promise<ChainClient> {
    if (this.#settings === undefined) throw new Error('there is no configuration yet')
    this.#chain ??= openChain(this.#settings.chain)
    return this.#chain
  }

  #disconnect(): void {
    this.#chain?.then(
      (chain) => chain.close(),
      () => undefined,
    )
    this.#chain = undefined
  }
}
