// What a command needs of a configuration: of the daemon's, which has read and checked it, or of one it has read itself.
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { type Amounts, assetUnits } from './assets.ts'
import type { ChainSettings } from './chain.ts'
import type { AgentConfig } from './config.ts'
import type { PurchaseSettings } from './purchasing.ts'
import type { ReceiverSettings } from './receivers.ts'

export interface Known {
  readonly chain: ChainSettings
  readonly receivers: ReceiverSettings
  /** Most for a single request. */
  readonly request?: Amounts | undefined
  readonly deposit: AgentConfig['deposit']
  /** Where days and months begin; default UTC. */
  readonly timeZone?: string | undefined
  /** Names that a purchase may be counted against: jobs, programs of the proxy, and what has caps in `budget.jobs`. */
  readonly jobs: readonly string[]
  /** What prices may be written in, beside the token. */
  readonly assets: readonly TokenUnit[]
}

export interface KnownParts {
  readonly chain: ChainSettings
  readonly receivers: ReceiverSettings
  readonly purchasing: PurchaseSettings
  readonly jobs: AgentConfig['jobs']
}

/** Plain data. */
export function knownOf({ chain, receivers, purchasing, jobs }: KnownParts): Known {
  const { budget, deposit, policy, x402 } = purchasing
  const names = [...Object.keys(jobs), ...budget.jobs.map(([name]) => name)]
  return {
    ...{ chain, receivers, request: budget.request, deposit, timeZone: policy.timeZone },
    ...{ jobs: [...new Set(names)], assets: assetUnits(x402) },
  }
}

/** Whose configuration a daemon has, and what it has read of it. */
export interface ReadByDaemon {
  /** From the root. */
  readonly file: string
  /** Unix time. */
  readonly loaded: Milliseconds
  readonly known: Known
}
