// agent.yaml and all that it names, read and checked. Not in the process that stays: it is told by one that ends.

import { passwordFrom } from '../../../platform/cli/keys.ts'
import { addressOfPrivateKey } from '../../../platform/keys/address.ts'
import {
  findKey,
  findPassword,
  type LoadedKey,
  loadKey,
  type PasswordSources,
  readPrivateFile,
} from '../../../platform/keys/index.ts'
import { type Address, defined } from '../../../protocol/index.ts'
import { type BrokerSettings, brokerSettings } from '../../jobs/sinks/mqtt.ts'
import { asideFile, spoolFiles } from './card.ts'
import { chainSettings } from './chain.ts'
import { type AgentConfig, loadAgentConfig } from './config.ts'
import { readCertificate, readToken } from './files.ts'
import { daemonSocket, sealedKey, stateFolder, variables } from './places.ts'
import { purchaseSettings } from './purchasing.ts'
import { receiverSettings } from './receivers.ts'
import type { PageSettings, PlainSettings, ProxySettings } from './settings.ts'

export interface LoadedSettings {
  readonly settings: PlainSettings
  /** All that were read besides the configuration itself, also those that are not there. */
  readonly files: readonly string[]
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
): Promise<LoadedSettings> {
  const config = await loadAgentConfig(file, environment)
  const { jobs, alerts, mqtt, page, metrics, log } = config
  const purchasing = purchaseSettings(config)
  const { key: privateKey, kind } = await findKey(...placeOfKey(config, environment, warn))
  const folder = stateFolder(config, environment)
  const settings: PlainSettings = {
    loaded: Date.now(),
    privateKey,
    key: kind,
    folder,
    spool: spoolFiles(config, folder, { environment, warn }),
    aside: asideFile(config, folder, environment),
    socket: daemonSocket(config, environment),
    chain: chainSettings(config),
    receivers: receiverSettings(config, environment),
    purchasing,
    jobs,
    broker: mqtt && (await readBroker(mqtt, addressOfPrivateKey(privateKey))),
    proxy: await readProxy(config),
    page: page && (await readPage(page)),
    alerts,
    metrics,
    log,
  }
  return { settings, files: filesOf(config) }
}

function filesOf({ key, mqtt, proxy, page }: AgentConfig): readonly string[] {
  const broker = mqtt && [mqtt.password, mqtt.ca, mqtt.cert, mqtt.certKey]
  const tokens = Object.values(proxy?.programs ?? {}).map(({ token }) => token)
  return [key, ...(broker ?? []), ...tokens, page?.token].filter((file) => file !== undefined)
}

/** That a key is not encrypted, the daemon says at its start and `doctor` whenever it is asked; no other command. */
export function openKey(config: AgentConfig, environment: NodeJS.ProcessEnv): Promise<LoadedKey> {
  return loadKey(...placeOfKey(config, environment, undefined))
}

function placeOfKey(
  config: AgentConfig,
  environment: NodeJS.ProcessEnv,
  warn: ((text: string) => void) | undefined,
): Parameters<typeof loadKey> {
  const file = {
    ...{ file: config.key, password: passwordSources(config.password) },
    ...defined({ warn }),
  }
  return [file, { name: sealedKey, environment }]
}

/** Where the password of the agent's key is looked for. */
export function passwordSources(file: string | undefined): PasswordSources {
  return passwordFrom({ file, variable: variables.password, credential: 'agent-key-password' })
}

/** @throws UraidenError those of the files that it names */
export async function readBroker(
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
