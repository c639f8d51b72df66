// agent.yaml resolved, once: defaults, places, files and tokens read, and the amounts in the token's unit as
// soon as the chain has said what it is. Every part of the program gets its slice and asks no file again.

import { passwordFrom } from '../../../platform/cli/keys.ts'
import type { ListenAddress } from '../../../platform/config/index.ts'
import {
  findPassword,
  type KeyKind,
  type LoadedKey,
  loadKey,
  type PasswordSources,
  readPrivateFile,
} from '../../../platform/keys/index.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { type Address, defined, parseAmount, type Signer } from '../../../protocol/index.ts'
import { type ConfiguredJob, jobsOf } from '../../jobs/schema.ts'
import { type BrokerSettings, brokerSettings } from '../../jobs/sinks/mqtt.ts'
import type { Program } from '../../proxy/programs.ts'
import type { ProxyOptions } from '../../proxy/server.ts'
import { type SpoolFiles, spoolFiles } from './card.ts'
import { type ChainFacts, type ChainSettings, chainSettings } from './chain.ts'
import { type AgentConfig, loadAgentConfig, variables } from './config.ts'
import { readCertificate, readToken } from './files.ts'
import { daemonSocket, stateFolder } from './places.ts'
import { type PurchaseSettings, policyOptions, purchaseSettings } from './purchasing.ts'
import { type ReceiverSettings, receiverSettings } from './receivers.ts'

export interface Settings {
  /** When it was read. Unix time. */
  readonly loaded: Milliseconds
  readonly signer: Signer
  readonly key: KeyKind
  /** For ledger, queues and pins. */
  readonly folder: string
  /** Undefined where all goes to the card at once. */
  readonly spool: SpoolFiles | undefined
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

/**
 * Reads everything that a daemon needs, the key among it.
 * @throws UraidenError those of `loadAgentConfig`, of reading the key, of `readToken`;
 * `config_file_unreadable`
 */
export async function loadSettings(
  file: string,
  environment: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Promise<Settings> {
  const config = await loadAgentConfig(file, environment)
  const { jobs, mqtt, page, metrics, log } = config
  const purchasing = purchaseSettings(config)
  const { signer, kind } = await openKey(config, environment, warn)
  const folder = stateFolder(config, environment)
  return {
    loaded: Date.now(),
    signer,
    key: kind,
    folder,
    spool: spoolFiles(config, folder, { environment, warn }),
    socket: daemonSocket(config, environment),
    chain: chainSettings(config),
    receivers: receiverSettings(config, environment),
    purchasing,
    jobs,
    broker: mqtt && (await readBroker(mqtt, signer.address)),
    proxy: await readProxy(config),
    page: page && (await readPage(page)),
    metrics,
    log,
  }
}

/** The name of the credential with the key that systemd has sealed. */
export const sealedKey = 'agent-key'

export function openKey(
  config: AgentConfig,
  environment: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Promise<LoadedKey> {
  const file = { file: config.key, password: passwordSources(config.password), warn }
  return loadKey(file, { name: sealedKey, environment })
}

/** Where the password of the agent's key is looked for. */
export function passwordSources(file: string | undefined): PasswordSources {
  return passwordFrom({ file, variable: variables.password, credential: 'agent-key-password' })
}

async function readBroker(
  config: NonNullable<AgentConfig['mqtt']>,
  address: Address,
): Promise<BrokerSettings> {
  const { password, ca, cert, certKey } = config
  const tls = defined({
    ca: ca === undefined ? undefined : readCertificate('mqtt.ca', ca),
    cert: cert === undefined ? undefined : readCertificate('mqtt.cert', cert),
    key: certKey === undefined ? undefined : await readPrivateFile(certKey),
  })
  const secrets = {
    ...(password !== undefined && { password: await findPassword({ file: password }) }),
    tls,
  }
  return brokerSettings(config, secrets, address)
}

async function readProxy({ proxy, timeout }: AgentConfig): Promise<ProxySettings | undefined> {
  if (proxy === undefined) return undefined
  const { listen, socket, socketFor, others, connect, cookies, mostBody, mostAtOnce } = proxy
  const programs = await Promise.all(
    Object.entries(proxy.programs).map(async ([name, { token: file, request }]) => {
      return { name, token: await readToken(`proxy.programs.${name}.token`, file), request }
    }),
  )
  return {
    listen,
    ...(socket !== undefined && { socket: { path: socket, access: socketFor } }),
    programs,
    withoutToken: proxy.withoutToken ?? (programs.length === 0 ? 'pay' : 'refuse'),
    others,
    connect,
    cookies,
    timeout: (proxy.timeout ?? timeout) * 1000,
    mostBody,
    mostAtOnce,
  }
}

async function readPage({
  listen,
  token,
}: NonNullable<AgentConfig['page']>): Promise<PageSettings> {
  return {
    port: listen.port,
    token: token === undefined ? undefined : await readToken('page.token', token),
  }
}

/** Settings with the amounts in the token's smallest unit. */
export interface TokenSettings extends Omit<Settings, 'jobs' | 'proxy'> {
  readonly facts: ChainFacts
  readonly policy: ReturnType<typeof policyOptions>
  readonly jobs: readonly ConfiguredJob[]
  readonly proxy:
    | (Omit<ProxySettings, 'programs'> & { readonly programs: readonly Program[] })
    | undefined
}

/** @throws UraidenError `wrong_token`, `too_many_decimals` */
export function inUnits(settings: Settings, facts: ChainFacts): TokenSettings {
  const { purchasing, jobs, proxy } = settings
  return {
    ...settings,
    facts,
    policy: policyOptions(purchasing, facts),
    jobs: jobsOf(jobs, facts),
    proxy: proxy && {
      ...proxy,
      programs: proxy.programs.map(({ name, token, request }) => {
        const mostPrice = request === undefined ? undefined : parseAmount(request, facts)
        return { name, token, ...(mostPrice !== undefined && { mostPrice }) }
      }),
    },
  }
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

type JobsPart = Pick<Settings, 'signer' | 'chain' | 'folder' | 'spool' | 'receivers' | 'broker'> & {
  readonly jobs: unknown
}

/** True when the same jobs run for the same account. */
export function sameJobs(a: JobsPart, b: JobsPart): boolean {
  const part = ({ signer, spool, receivers, broker, jobs }: JobsPart) => {
    return [signer.address, spool, receivers, broker, jobs]
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
