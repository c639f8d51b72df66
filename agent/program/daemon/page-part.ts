// The page as the configuration wants it. Its server, and what it needs, is loaded when there is one.
import type { ChainClient } from '../../../platform/chain/index.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import { openChain, receiversOf } from '../configuration/setup.ts'
import type { CommandHandlers } from '../control/server.ts'
import type { DaemonStatus } from '../control/status.ts'
import type { Account, Holdings } from '../page/holdings.ts'
import type { PageServer } from '../page/server.ts'
import type { Settings } from './settings.ts'
import { readToken } from './token-file.ts'

export interface PagePartOptions {
  readonly status: () => DaemonStatus
  /** Oldest first. */
  readonly purchases: () => readonly PurchaseRecord[]
  readonly handlers: CommandHandlers
  readonly onDefect: (error: unknown) => void
}

/** Milliseconds that what the chain says of the account is believed while somebody looks. */
const fresh = 15_000

interface Running {
  readonly server: PageServer
  readonly holdings: Holdings
  /** As it was configured, 0 for a free one. */
  readonly wanted: number
}

export class PagePart {
  readonly #options: PagePartOptions
  #settings: Settings | undefined
  #token: string | undefined
  #running: Running | undefined
  #chain: Promise<ChainClient> | undefined

  constructor(options: PagePartOptions) {
    this.#options = options
  }

  /** Undefined while there is no page. */
  get port(): number | undefined {
    return this.#running?.server.port
  }

  /**
   * Puts `next` into effect; after an error everything is as it was.
   * @throws UraidenError `address_in_use`, and those of `readToken`
   */
  async apply(next: Settings): Promise<void> {
    const { page } = next.config
    const token = page?.token === undefined ? undefined : await readToken('page.token', page.token)
    const old = this.#running
    const wanted = page?.listen.port
    // One that was found when any would do may be named later.
    const stays = old !== undefined && (old.wanted === wanted || old.server.port === wanted)
    const started = stays || wanted === undefined ? undefined : await this.#start(wanted)
    this.#settings = next
    this.#token = token
    if (!stays) {
      this.#running = started
      await old?.server.close()
    }
    // Of the chain that was configured before.
    this.#disconnect()
    this.#running?.holdings.forget()
  }

  async stop(): Promise<void> {
    await this.#running?.server.close()
    this.#running = undefined
    this.#disconnect()
  }

  async #start(port: number): Promise<Running> {
    const [{ startPage }, { createHoldings }, { pageState }] = await Promise.all([
      import('../page/server.ts'),
      import('../page/holdings.ts'),
      import('../page/view.ts'),
    ])
    const { status, purchases, handlers, onDefect } = this.#options
    const holdings = createHoldings({
      read: () => this.#account(),
      fresh,
      now: () => performance.now(),
    })
    const server = await startPage({
      port,
      token: () => this.#token,
      state: (about) =>
        pageState({
          ...about,
          status: status(),
          purchases: purchases(),
          holdings: holdings.look(),
          receivers: this.#settings?.config.receivers ?? {},
        }),
      handlers,
      placeOf: async (receiver) =>
        this.#settings && receiversOf(this.#settings.config).placeOf(receiver),
      onAction: () => holdings.forget(),
      onDefect,
    })
    return { server, holdings, wanted: port }
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
    this.#chain ??= openChain(this.#settings.config)
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
