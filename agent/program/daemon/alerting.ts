// Looks once a minute at what the owner wants to be told, and gives it to the queues of the sinks: they try again,
// bound what waits, and hold up nothing. The rest is loaded where there are alerts.
import { statfs } from 'node:fs/promises'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Address, TokenAmount } from '../../../protocol/index.ts'
import type { AlertFacts } from '../../alerts/conditions.ts'
import type { Clock } from '../../jobs/clock.ts'
import type { Scheduler } from '../../jobs/types.ts'
import type { Agent } from '../../options.ts'
import { openChain } from '../configuration/chain.ts'
import type { TokenSettings } from '../configuration/settings.ts'
import type { Capability } from './capability.ts'

export interface AlertingOptions {
  readonly clock: Clock
  readonly agent: () => Agent | undefined
  readonly scheduler: () => Scheduler | undefined
  readonly onFailed: (error: unknown) => void
}

type Wanted = Pick<TokenSettings, 'alerts' | 'folder' | 'chain' | 'facts' | 'receivers' | 'signer'>

interface Account {
  readonly tokens: TokenAmount
  readonly ether: bigint
}

const interval: Milliseconds = 60_000
/** The chain is asked less often: deposits and fees are small beside what an owner leaves on the account. */
const accountInterval: Milliseconds = 10 * 60_000

export class Alerting implements Capability<Wanted> {
  readonly #options: AlertingOptions
  #wanted: Wanted | undefined
  #cancel: () => void = () => undefined
  #looking: Promise<void> | undefined
  #account: Account | undefined
  #asked = Number.NEGATIVE_INFINITY

  constructor(options: AlertingOptions) {
    this.#options = options
  }

  async start(wanted: Wanted): Promise<void> {
    this.#wanted = wanted
    this.#asked = Number.NEGATIVE_INFINITY
    this.#arm(0)
  }

  async stop(): Promise<void> {
    this.#wanted = undefined
    this.#cancel()
    await this.#looking
  }

  #arm(delay: Milliseconds): void {
    this.#cancel()
    if (this.#wanted?.alerts === undefined) return
    this.#cancel = this.#options.clock.after(delay, () => {
      this.#arm(interval)
      // One that hangs, at a disk or a chain, is waited for.
      this.#looking ??= this.#look()
        .catch(this.#options.onFailed)
        .finally(() => {
          this.#looking = undefined
        })
    })
  }

  async #look(): Promise<void> {
    const wanted = this.#wanted
    const scheduler = this.#options.scheduler()
    if (wanted?.alerts === undefined || scheduler === undefined) return
    const [{ conditionsOf }, { step, toldIn }] = await Promise.all([
      import('../../alerts/conditions.ts'),
      import('../../../platform/alerts/told.ts'),
    ])
    const before = await scheduler.told()
    const conditions = conditionsOf(wanted.alerts, await this.#facts(wanted, scheduler))
    const { told, alerts } = step(toldIn(before), conditions)
    if (alerts.length === 0) return
    const messages = alerts.map((alert) => ({ ...alert, agent: wanted.signer.address }))
    await scheduler.tell(messages, JSON.stringify(told))
  }

  async #facts(wanted: Wanted, scheduler: Scheduler): Promise<AlertFacts> {
    const agent = this.#options.agent()
    const budget = agent?.budget()
    const names = new Map(
      Object.entries(wanted.receivers.receivers).map(([name, { address }]) => [address, name]),
    )
    return {
      jobs: scheduler.status(),
      limits: budget && [...budget.limits, ...budget.transactions],
      behaviour: agent?.behaviour() ?? [],
      account: await this.#accountOf(wanted),
      free: await freeIn(wanted.folder),
      token: wanted.facts,
      nameOf: (receiver: Address) => names.get(receiver),
    }
  }

  async #accountOf({ alerts, chain, signer }: Wanted): Promise<Account | undefined> {
    if (alerts?.ether === undefined && alerts?.tokens === undefined) return undefined
    const now = this.#options.clock.passed()
    if (now - this.#asked < accountInterval) return this.#account
    this.#asked = now
    this.#account = await balances(chain, signer.address).catch(() => undefined)
    return this.#account
  }
}

async function balances(chain: Wanted['chain'], address: Address): Promise<Account> {
  const client = await openChain(chain)
  try {
    const [tokens, ether] = await Promise.all([
      client.tokenBalance(address),
      client.etherBalance(address),
    ])
    return { tokens, ether }
  } finally {
    client.close()
  }
}

/** For who may not use what is reserved. */
async function freeIn(folder: string): Promise<number | undefined> {
  const found = await statfs(folder).catch(() => undefined)
  return found && found.bavail * found.bsize
}
