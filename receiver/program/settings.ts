// What the programs work with, resolved once from the checked configuration: folders where nobody
// named one, milliseconds, one place for every file that is read.
import { passwordFrom } from '../../platform/cli/keys.ts'
import { usualStateFolder } from '../../platform/cli/places.ts'
import type { ListenAddress } from '../../platform/config/index.ts'
import { loadSigner, type PasswordSources } from '../../platform/keys/index.ts'
import {
  type Address,
  defined,
  parseAmount,
  type Signer,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { AlertsConfig } from '../alerts/schema.ts'
import type { ReceiverOptions } from '../core/receiver.ts'
import { readWatchtowers, type WatchtowerConfigs } from '../core/watchtower/addresses.ts'
import type { WatchtowerAddress } from '../core/watchtower/pusher.ts'
import type { OpsConfig } from '../ops/config.ts'
import { type PaywallPage, readPaywallPage } from '../paywall/page.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import type { ResourceConfigs } from '../resources/routes.ts'
import { type BuyerNames, buyerNames } from '../server/admin/buyers.ts'
import { type AdminConfig, controlSocket } from '../server/admin/config.ts'
import type { ServerLimits } from '../server/server.ts'
import { settlementOptions } from '../settlement/config.ts'
import type { TlsFiles } from '../tls/config.ts'
import { readTlsMaterial, type TlsMaterial } from '../tls/material.ts'
import { acceptOptions } from '../x402/config.ts'
import { type ProgramNames, type ReceiverConfig, receiverNames } from './config.ts'
import { type ServedContract, stateOfContract } from './contracts.ts'
import type { DiscoveryConfig } from './discovery/config.ts'

export interface ConnectionSettings {
  readonly rpcUrl: string | readonly string[]
  readonly contract: Address
  readonly chainId?: bigint
  readonly quorum?: number
}

export interface KeySettings {
  readonly file: string
  readonly password: PasswordSources
}

/** What receiver and watchtower have in common. */
export interface ProgramSettings {
  readonly connection: ConnectionSettings
  readonly key: KeySettings
  /** Folder for balance proofs. */
  readonly state: string
  readonly listen: ListenAddress
  readonly log: ReceiverConfig['log']
  readonly tls: TlsFiles | undefined
  /** Milliseconds for running requests when it is stopped. */
  readonly stopWithin: number
}

export interface ReceiverSettings extends ProgramSettings {
  /** The database of what several receivers share; undefined: all is in the folder. */
  readonly shared: PostgresSettings | undefined
  /** Below it are the folders of contracts that were not the first one there. */
  readonly stateRoot: string
  /** Its contract is of a list, `contracts`: it has a folder of its own where another one's state is in the first. */
  readonly isOfSeveral: boolean
  /** Contracts that channels are still open on, newest first. */
  readonly formers: readonly ServedContract[]
  /** What the library needs and does not depend on the token. */
  readonly receiver: Pick<
    ReceiverOptions,
    | 'startBlock'
    | 'keepSettled'
    | 'pollInterval'
    | 'replies'
    | 'verifier'
    | 'leastChallengePeriod'
    | 'verifierThreads'
    | 'bound'
    | 'collect'
    | 'ticks'
    | 'origins'
    | 'publicPath'
    | 'accept'
  >
  /** Pays for transactions of others; undefined: the receiver's own does. */
  readonly relayKey: KeySettings | undefined
  /** Read with the token's decimals, which the chain knows: `amountOptions`. */
  readonly amounts: AmountSettings
  readonly watchtowers: WatchtowerConfigs
  /** Folder of the operator's own paywall page. */
  readonly page: string | undefined
  readonly resources: ResourceConfigs
  /** As buyers read it. */
  readonly seller: string | undefined
  /** What the owner calls them. */
  readonly buyers: BuyerNames
  /** Origins whose pages may buy. */
  readonly crossOrigins: readonly string[] | undefined
  /** Whom the channel API lists all channels. */
  readonly shown: ReceiverConfig['api']['show']
  readonly discovery: DiscoveryConfig | undefined
  readonly admin: AdminConfig
  readonly limits: ServerLimits
  /** The only names that it answers to. */
  readonly hosts: readonly string[] | undefined
  /** Reverse proxies whose word counts on who asks. */
  readonly trustProxy: readonly string[] | undefined
  /** For commands on the same machine; undefined when it is off. */
  readonly socket: string | undefined
  readonly ops: OpsConfig
  /** Undefined: nobody is told. */
  readonly alerts: AlertsConfig | undefined
}

type AmountSettings = Pick<
  ReceiverConfig,
  'confirmations' | 'notFinal' | 'outage' | 'settlement' | 'relay' | 'mostGasPrice'
>

/** What of a configuration is in files. */
export interface ReceiverFiles {
  readonly watchtowers: readonly WatchtowerAddress[]
  readonly page: PaywallPage | undefined
  readonly tls: TlsMaterial | undefined
}

export function receiverSettings(
  config: ReceiverConfig,
  environment: NodeJS.ProcessEnv = process.env,
): ReceiverSettings {
  const { confirmations, notFinal, startBlock, verifier, verifierThreads, watchtowers, page } =
    config
  const { origins, publicPath, crossOrigins, keepSettled } = config
  const { leastChallengePeriod: least } = config
  const { mode: bound, collect } =
    typeof config.bound === 'string' ? { mode: config.bound } : config.bound
  const { lifetime, ...replies } = config.replies
  const shared = typeof config.state === 'object' ? config.state : undefined
  const state = typeof config.state === 'string' ? config.state : shared?.folder
  const common = programSettings({ ...config, state }, receiverNames, environment)
  const { resources, discovery, admin, ops, outage, settlement, relay, mostGasPrice } = config
  return inItsFolder({
    ...common,
    ...{ stateRoot: common.state, shared },
    isOfSeveral: config.contracts !== undefined,
    formers: (config.contracts ?? []).slice(1),
    receiver: {
      keepSettled: keepSettled === 'all' ? Number.POSITIVE_INFINITY : keepSettled,
      ...(startBlock !== undefined && { startBlock }),
      ...(least !== undefined && { leastChallengePeriod: least / 1000 }),
      pollInterval: config.pollInterval * 1000,
      replies: defined({ ...replies, lifetime: milliseconds(lifetime) }),
      ...{ bound, ticks: config.ticks },
      accept: acceptOptions(config.accept, config.mostGasPrice),
      ...defined({ verifier, verifierThreads, origins, publicPath, collect }),
    },
    relayKey: relayKey(config),
    amounts: { confirmations, notFinal, outage, settlement, relay, mostGasPrice },
    ...{ watchtowers, page, crossOrigins, resources, discovery, admin, ops },
    seller: config.seller,
    alerts: config.alerts,
    buyers: buyerNames(config.buyers),
    shown: config.api.show,
    limits: serverLimits(config),
    hosts: config.hosts,
    trustProxy: config.trustProxy,
    socket: undefined,
  })
}

/** Its state is where that of its contract is, as far as there are folders by now. */
export function inItsFolder(settings: ReceiverSettings): ReceiverSettings {
  const state = stateOfContract(settings.stateRoot, settings.connection.contract)
  return { ...settings, state, socket: controlSocket(settings.admin, state) }
}

/** What a receiver on a former contract runs with: the same, but for what is the contract's own. */
export function formerSettings(
  settings: ReceiverSettings,
  { contract, startBlock, watchtowers }: ServedContract,
): ReceiverSettings {
  const { connection, receiver, admin } = settings
  // Nobody is asked to open a channel on it.
  const { startBlock: _, leastChallengePeriod: __, accept: ___, ...usual } = receiver
  // A path that was named is the newest one's.
  const socket = admin.socket === 'off' ? 'off' : undefined
  return inItsFolder({
    ...settings,
    connection: { ...connection, contract },
    receiver: { ...usual, ...defined({ startBlock }) },
    admin: { ...admin, socket },
    ...{ watchtowers, formers: [] },
  })
}

function serverLimits({ limits }: ReceiverConfig): ServerLimits {
  const { connections: most, perAddress, proxies, pipelined, mostBytes } = limits
  const keys = { perAddress: limits.requestKeys, most: limits.requestKeysInAll }
  return defined({
    ...{ most, perAddress, proxies, pipelined, mostBytes },
    stall: milliseconds(limits.stall),
    headersTimeout: milliseconds(limits.headers),
    requestTimeout: milliseconds(limits.request),
    keepAliveTimeout: milliseconds(limits.idle),
    requestKeys: defined(keys),
  })
}

function relayKey({ relay }: ReceiverConfig): KeySettings | undefined {
  if (relay?.key === undefined) return undefined
  const variable = receiverNames.variables.relayPassword
  const credential = 'relay-key-password'
  return { file: relay.key, password: passwordFrom({ file: relay.password, variable, credential }) }
}

type CommonConfig = Pick<
  ReceiverConfig,
  | 'rpc'
  | 'quorum'
  | 'chainId'
  | 'contract'
  | 'key'
  | 'password'
  | 'listen'
  | 'log'
  | 'tls'
  | 'stopWithin'
> & { readonly state?: string | undefined }

export function programSettings(
  config: CommonConfig,
  names: ProgramNames,
  environment: NodeJS.ProcessEnv = process.env,
): ProgramSettings {
  const { rpc, contract, quorum, chainId, key, password, listen, log, tls } = config
  return {
    connection: {
      ...{ rpcUrl: rpc, contract },
      ...defined({ quorum, chainId: chainId === undefined ? undefined : BigInt(chainId) }),
    },
    key: { file: key, password: passwordSources(names, password) },
    state: config.state ?? usualStateFolder(names.stateFolder, environment),
    ...{ listen, log, tls },
    stopWithin: config.stopWithin * 1000,
  }
}

/** Where a program looks for its key's password when `file` is the configured one. */
export function passwordSources(
  { variables, credential }: ProgramNames,
  file: string | undefined,
): PasswordSources {
  return passwordFrom({ file, variable: variables.password, credential })
}

/** `warn` is told in a sentence what is allowed but unwise; commands that end at once need not say it each time. */
export function openSigner(
  { file, password }: KeySettings,
  warn?: (message: string) => void,
): Promise<Signer> {
  return loadSigner({ file, password, ...(warn !== undefined && { warn }) })
}

/** @throws UraidenError those of `readWatchtowers`, `readPaywallPage` and `readTlsMaterial` */
export async function readFiles({
  watchtowers,
  page,
  tls,
}: Pick<ReceiverSettings, 'watchtowers' | 'page' | 'tls'>): Promise<ReceiverFiles> {
  return {
    watchtowers: await readWatchtowers(watchtowers),
    page: page === undefined ? undefined : await readPaywallPage(page),
    tls: tls && (await readTlsMaterial(tls)),
  }
}

/**
 * Amounts in the token's smallest unit.
 * @throws UraidenError `wrong_token`, `too_many_decimals`
 */
export function amountOptions(
  { confirmations, notFinal, outage, settlement, relay, mostGasPrice }: AmountSettings,
  token: TokenUnit,
) {
  const { longest, mostPerChannel, mostInAll } = outage
  const amount = (text: string | undefined) =>
    text === undefined ? undefined : parseAmount(text, token)
  return {
    confirmations:
      typeof confirmations !== 'object'
        ? confirmations
        : confirmations.map(({ blocks, mostOwed }) => ({ blocks, mostOwed: amount(mostOwed) })),
    notFinal: defined({
      mostPerSender: amount(notFinal.mostPerSender),
      mostInAll: amount(notFinal.mostInAll),
    }),
    outage: defined({
      longest: milliseconds(longest),
      mostPerChannel: amount(mostPerChannel),
      mostInAll: amount(mostInAll),
    }),
    settlement: settlementOptions(settlement, token, mostGasPrice),
    ...(relay !== undefined && {
      relay: defined({
        leastDeposit: amount(relay.leastDeposit),
        etherPrice: amount(relay.etherPrice),
        mostFeePerGas: mostGasPrice,
        mostPerDay: relay.mostPerDay,
        mostGasPerDay: relay.mostGasPerDay === undefined ? undefined : BigInt(relay.mostGasPerDay),
        mostWaiting: relay.mostWaiting,
      }),
    }),
  } satisfies Partial<ReceiverOptions>
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}
