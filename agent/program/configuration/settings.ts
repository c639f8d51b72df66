// agent.yaml resolved: defaults, places, files and tokens read, and the amounts in the token's unit as soon as the
// chain has said what it is. Every part of the program gets its slice and asks no file again.

import type { ListenAddress } from '../../../platform/config/index.ts'
import type { KeyKind } from '../../../platform/keys/key-file.ts'
import { createKeySigner } from '../../../platform/keys/key-signer.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import {
  parseAmount,
  type Signer,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { parsePriceLimit } from '../../budget/assets.ts'
import { type ConfiguredJob, jobsOf } from '../../jobs/configured.ts'
import type { BrokerSettings } from '../../jobs/sinks/mqtt.ts'
import type { Program } from '../../proxy/programs.ts'
import type { ProxyOptions } from '../../proxy/server.ts'
import { assetUnits } from './assets.ts'
import type { SpoolFiles } from './card.ts'
import type { ChainFacts, ChainSettings } from './chain.ts'
import type { AgentConfig } from './config.ts'
import { type PurchaseSettings, policyOptions } from './purchasing.ts'
import type { ReceiverSettings } from './receivers.ts'

export interface Settings {
  /** When it was read. Unix time. */
  readonly loaded: Milliseconds
  readonly signer: Signer
  readonly key: KeyKind
  /** For ledger, queues and pins. */
  readonly folder: string
  /** Undefined where all goes to the card at once. */
  readonly spool: SpoolFiles | undefined
  /** Where it does: a file in memory for what is gone again at once. */
  readonly aside: string | undefined
  /** Of the daemon. */
  readonly socket: string
  readonly chain: ChainSettings
  readonly receivers: ReceiverSettings
  readonly purchasing: PurchaseSettings
  readonly jobs: AgentConfig['jobs']
  /** Of all sinks with `mqtt`. */
  readonly broker: BrokerSettings | undefined
  readonly proxy: ProxySettings | undefined
  readonly page: PageSettings | undefined
  readonly alerts: AgentConfig['alerts']
  readonly metrics: ListenAddress | undefined
  readonly log: AgentConfig['log']
}

export interface ProxySettings
  extends Pick<
    ProxyOptions,
    | 'listen'
    | 'socket'
    | 'withoutToken'
    | 'others'
    | 'connect'
    | 'cookies'
    | 'timeout'
    | 'mostBody'
    | 'mostAtOnce'
  > {
  readonly programs: readonly ProgramSettings[]
}

interface ProgramSettings {
  readonly name: string
  readonly token: string
  /** Most for a single request, as the configuration has it. */
  readonly request: string | undefined
}

export interface PageSettings {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Undefined: the page only shows things. */
  readonly token: string | undefined
}

/** As they go from the process that reads them to the one that stays: the bare key in place of who signs with it. */
export interface PlainSettings extends Omit<Settings, 'signer'> {
  readonly privateKey: Uint8Array
}

/** The key is wiped where it came from. */
export function settingsOf({ privateKey, ...settings }: PlainSettings): Settings {
  const signer = createKeySigner(privateKey)
  privateKey.fill(0)
  return { ...settings, signer }
}

/** Settings with the amounts in the token's smallest unit. */
export interface TokenSettings extends Omit<Settings, 'jobs' | 'proxy' | 'alerts'> {
  readonly facts: ChainFacts
  readonly policy: ReturnType<typeof policyOptions>
  readonly jobs: readonly ConfiguredJob[]
  readonly alerts:
    | (Omit<NonNullable<AgentConfig['alerts']>, 'tokens'> & { readonly tokens?: TokenAmount })
    | undefined
  readonly proxy:
    | (Omit<ProxySettings, 'programs'> & {
        readonly programs: readonly Program[]
        /** What prices may be written in, beside the token. */
        readonly assets: readonly TokenUnit[]
      })
    | undefined
}

/** @throws UraidenError `wrong_token`, `too_many_decimals` */
export function inUnits(settings: Settings, facts: ChainFacts): TokenSettings {
  const { purchasing, jobs, alerts, proxy } = settings
  const assets = assetUnits(purchasing.x402)
  return {
    ...settings,
    facts,
    policy: policyOptions(purchasing, facts),
    jobs: jobsOf(jobs, facts, assets),
    alerts: alerts && alertsIn(alerts, facts),
    proxy: proxy && {
      ...proxy,
      assets,
      programs: proxy.programs.map(({ name, token, request }) => {
        const limit = request === undefined ? {} : parsePriceLimit(request, facts, assets)
        return { name, token, ...limit }
      }),
    },
  }
}

function alertsIn(
  { tokens, ...others }: NonNullable<AgentConfig['alerts']>,
  facts: ChainFacts,
): TokenSettings['alerts'] {
  return { ...others, ...(tokens !== undefined && { tokens: parseAmount(tokens, facts) }) }
}

type ChainPart = Pick<Settings, 'chain' | 'folder'>

/** True when the chain’s facts of one are those of the other. */
export function sameChain(a: ChainPart, b: ChainPart): boolean {
  const part = ({ chain: { contract, chainId }, folder }: ChainPart) => [contract, chainId, folder]
  return same(part(a), part(b))
}

type AgentPart = Pick<
  Settings,
  'signer' | 'chain' | 'folder' | 'spool' | 'receivers' | 'purchasing'
>

/** True when one agent does for both. */
export function sameAgent(a: AgentPart, b: AgentPart): boolean {
  const part = ({ signer, chain, folder, spool, receivers, purchasing }: AgentPart) => {
    return [signer.address, chain, folder, spool, receivers, purchasing]
  }
  return same(part(a), part(b))
}

type JobsPart = Pick<
  Settings,
  'signer' | 'chain' | 'folder' | 'spool' | 'receivers' | 'purchasing' | 'broker'
> & {
  readonly jobs: unknown
  readonly alerts: { readonly sinks: unknown } | undefined
}

/** True when the same jobs run for the same account. */
export function sameJobs(a: JobsPart, b: JobsPart): boolean {
  const part = ({ signer, spool, receivers, purchasing, broker, jobs, alerts }: JobsPart) => {
    return [signer.address, spool, receivers, purchasing.budget, broker, jobs, alerts?.sinks]
  }
  return sameChain(a, b) && same(part(a), part(b))
}

/** Of plain data. */
export function same(a: unknown, b: unknown): boolean {
  return text(a) === text(b)
}

function text(value: unknown): string {
  return JSON.stringify([value], (_, item) => (typeof item === 'bigint' ? `${item}n` : item))
}
