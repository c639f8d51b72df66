// The receiver as a program runs it: everything that the configuration names, started in order and
// stopped in the opposite one.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { TokenFacts } from '../../platform/chain/index.ts'
import type { ListenAddress } from '../../platform/config/index.ts'
import {
  type Address,
  defined,
  isUraidenError,
  type Signer,
  type UraidenError,
} from '../../protocol/index.ts'
import type { ReceiverObserver } from '../core/options.ts'
import { type StartedParts, startTogether } from '../core/parts.ts'
import {
  type ConnectedContract,
  connectContract,
  type Receiver,
  type ReceiverLog,
  startReceiverOn,
} from '../core/receiver.ts'
import { readWatchtowers } from '../core/watchtower/addresses.ts'
import { receiverError } from '../errors/index.ts'
import { earned, type Income, recordIncome } from '../income/recorder.ts'
import { recordTraffic, type Traffic } from '../income/traffic-recorder.ts'
import { createOps, type Ops } from '../ops/ops.ts'
import { type ResourceConfigs, registerResources } from '../resources/routes.ts'
import { type Admin, createAdmin } from '../server/admin/admin.ts'
import { type FormerServer, receiversOf } from '../server/former.ts'
import { createFormerServer, createReceiverServer } from '../server/server.ts'
import { type SharedAccount, shareAccount } from '../settlement/shared-account.ts'
import { startAdministration } from './administration.ts'
import { alertOwner } from './alerts.ts'
import { firstContract, foldersIn, prepareStates, unserved } from './contracts.ts'
import { announceReceiver } from './discovery/of-receiver.ts'
import { type Formers, startFormers } from './formers.ts'
import { closeServer, followCertificate, listenOn } from './parts.ts'
import {
  amountOptions,
  formerSettings,
  inItsFolder,
  type ReceiverFiles,
  type ReceiverSettings,
  readFiles,
} from './settings.ts'

export interface RunOptions {
  readonly settings: ReceiverSettings
  readonly signer: Signer
  /** Pays for transactions of others. */
  readonly relaySigner?: Signer | undefined
  readonly listen: ListenAddress
  readonly log: Logger
  /** Called once the token is known. */
  readonly onToken?: ((token: TokenFacts) => void) | undefined
  /** There: waits for a node that does not answer, until it is told to stop. */
  readonly waiting?: Waiting | undefined
}

export interface Waiting {
  readonly until: AbortSignal
  /** It has begun to. */
  readonly begun: () => void
  /** Milliseconds until the node is asked again; 2000 by default. */
  readonly interval?: number
}

export interface RunningReceiver {
  readonly receiver: Receiver
  /** Where it listens. */
  readonly url: string
  /** Reads again what may change while it runs: the certificate. Never rejects. */
  readonly reload: () => Promise<void>
  /**
   * Takes no new request, gives running ones their time, and writes everything down. Resolves when
   * the process may end.
   */
  readonly stop: () => Promise<void>
}

/**
 * Resolves when it listens; what has to be read of the chain may still be under way, see
 * `receiver.synced`.
 * @throws UraidenError those of `readFiles`, `startReceiver` and `createReceiverServer`,
 * `listen_failed`, `ops_address_unusable`; `chain_unavailable` without `waiting`, or when it is aborted
 */
export async function runReceiver(options: RunOptions): Promise<RunningReceiver> {
  return startTogether((parts) => startParts(options, parts))
}

async function startParts(
  given: RunOptions,
  parts: StartedParts,
): Promise<Omit<RunningReceiver, 'stop'>> {
  const { listen, log } = given
  await prepareFolders(given)
  const settings = inItsFolder(given.settings)
  const options = { ...given, settings }
  const files = await readFiles(settings)
  const ops = parts.add(createOps(settings.ops))
  const opsUrl = await ops.start()
  if (opsUrl !== undefined) log.info({ ops: opsUrl }, 'health and metrics')
  const traffic = parts.add(startTraffic(options))
  const known: Receiver[] = []
  if (settings.alerts !== undefined) {
    parts.add(await alertOwner({ ...options, alerts: settings.alerts }, () => known))
  }
  const { receiver, formers } = await startReceivers(options, files, { ops, parts, traffic })
  known.push(receiver, ...receiversOf(formers))
  const income = parts.add(await startIncome(options, [receiver, ...receiversOf(formers)]))
  const admin = await createAdmin(settings.admin)
  const server = await createServer(options, files, {
    ...{ receiver, ops, income, traffic, admin, formers },
  })
  parts.add({ stop: () => closeServer(server, settings.stopWithin) })
  const url = await listenOn(server, listen)
  const administration = { settings, tls: files.tls, log }
  const { secure } = parts.add(await startAdministration(admin, administration))
  const { discovery, resources } = settings
  if (discovery !== undefined) {
    const { port } = server.server.address() as AddressInfo
    const tls = files.tls !== undefined
    parts.add(await announceReceiver({ discovery, receiver, resources, port, tls, log }))
  }
  if (settings.tls === undefined || files.tls === undefined) {
    return { receiver, url, reload: async () => undefined }
  }
  const servers = secure === undefined ? [server] : [server, secure]
  const certificate = followCertificate(servers, { files: settings.tls, current: files.tls, log })
  parts.add({ stop: async () => certificate.stop() })
  return { receiver, url, reload: certificate.reload }
}

/** Before any state is opened. Where there was never more than one, its own state says whose it is. */
async function prepareFolders({ settings, log }: RunOptions): Promise<void> {
  const { stateRoot, isOfSeveral, shared } = settings
  if (shared !== undefined) {
    if (settings.formers.length > 0) throw ofSeveralContracts()
    return
  }
  if (!isOfSeveral && (await foldersIn(stateRoot)).length === 0) return
  const contracts = contractsOf(settings)
  const first = await firstContract(stateRoot)
  if (isOfSeveral) await prepareStates(stateRoot, contracts, first)
  for (const contract of await unserved(stateRoot, contracts, first)) {
    log.warn({ contract }, 'contracts does not name it: its open channels are not defended')
  }
}

function ofSeveralContracts(): UraidenError {
  return receiverError({
    code: 'state_not_shareable',
    message: 'contracts: a state that several receivers share is of one contract.',
    hint: 'Name one contract, or keep the states in a folder.',
  })
}

/** The newest first. */
function contractsOf({ connection, formers }: ReceiverSettings): readonly Address[] {
  return [connection.contract, ...formers.map(({ contract }) => contract)]
}

interface Receivers {
  readonly receiver: Receiver
  readonly formers: readonly FormerServer[]
}

interface ReceiverParts {
  readonly ops: Ops
  readonly parts: StartedParts
  readonly traffic: Traffic
}

/** One for each contract. */
async function startReceivers(
  options: RunOptions,
  files: ReceiverFiles,
  { ops: { observer }, parts, traffic }: ReceiverParts,
): Promise<Receivers> {
  const shared = shareAccount(contractsOf(options.settings))
  // One connection: the token's decimals are learnt over it before amounts can be read.
  const connected = await connectPatiently(options, observer)
  parts.add({ stop: async () => connected.chain.close() })
  options.onToken?.(connected.token)
  const receiver = parts.add(await sell(options, files, { connected, observer, shared }))
  const { token } = connected
  const given = { observer, shared, token, traffic }
  const formers = parts.add(await startTheFormers(options, files, given))
  return { receiver, formers: formers.servers }
}

/** Milliseconds until a node that is away is asked again: often enough for a person, rare enough for a node. */
const betweenTries = 2000

/** A node that is away when everything starts, as after a power cut, is there later. */
async function connectPatiently(
  { settings, log, waiting }: RunOptions,
  observer: ReceiverObserver | undefined,
): Promise<ConnectedContract> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectContract({ ...settings.connection, observer })
    } catch (error) {
      const mayWait = isUraidenError(error, 'chain_unavailable') && waiting !== undefined
      if (!mayWait || waiting.until.aborted) throw error
      if (tries === 0) {
        log.warn({ err: error }, 'waiting for the Ethereum node')
        waiting.begun()
      }
      await setTimeout(waiting.interval ?? betweenTries, undefined, {
        signal: waiting.until,
      }).catch(() => undefined)
      if (waiting.until.aborted) throw error
    }
  }
}

/** With a connection that is there already, which it closes when it fails. */
export function sell(
  { settings, signer, relaySigner, log }: Selling,
  { watchtowers, page }: ReceiverFiles,
  { connected, observer, shared }: Connected,
): Promise<Receiver> {
  const { connection, state, shared: database } = settings
  const amounts = amountOptions(settings.amounts, connected.token)
  return startReceiverOn(connected, {
    ...settings.receiver,
    ...amounts,
    ...(amounts.relay && { relay: { ...amounts.relay, signer: relaySigner } }),
    contract: connection.contract,
    ...{ signer, state, database, observer, watchtowers, shared },
    ...defined({ page, seller: settings.seller, log }),
  })
}

interface Selling extends Pick<RunOptions, 'settings' | 'signer' | 'relaySigner'> {
  readonly log?: ReceiverLog | undefined
}

interface Connected {
  readonly connected: ConnectedContract
  readonly observer: ReceiverObserver | undefined
  readonly shared: SharedAccount
}

function startTheFormers(
  options: RunOptions,
  files: ReceiverFiles,
  {
    token,
    traffic,
    ...given
  }: Omit<Connected, 'connected'> & {
    readonly token: TokenFacts
    readonly traffic: Traffic
  },
): Promise<Formers> {
  const { settings } = options
  return startFormers({
    all: settings.formers.map((former) => formerSettings(settings, former)),
    token,
    connect: (former) => connectContract({ ...former.connection, observer: given.observer }),
    sell: async (former, connected) => {
      const watchtowers = await readWatchtowers(former.watchtowers)
      const own = { ...options, settings: former }
      return sell(own, { ...files, watchtowers }, { ...given, connected })
    },
    serve: async (former, receiver) => {
      const own = serverOptions({ ...options, settings: former }, files)
      const server = await createFormerServer(receiver, [], { ...own, traffic })
      await sellAll(server.server, former)
      return server
    },
  })
}

/** One history for all contracts. */
function startIncome(
  { settings, log }: RunOptions,
  receivers: readonly Pick<Receiver, 'book'>[],
): Promise<Income> {
  const earnedIn = ({ book }: Pick<Receiver, 'book'>) =>
    book.forgotten().earned + earned(book.all())
  return recordIncome({
    file: join(settings.stateRoot, 'income.json'),
    total: () => receivers.reduce((sum, receiver) => sum + earnedIn(receiver), 0n),
    onError: (err) => log.warn({ err }, 'the history of income could not be written'),
  })
}

/** One for all contracts, too. */
function startTraffic({ settings, log }: RunOptions): Traffic {
  return recordTraffic({
    folder: join(settings.stateRoot, 'traffic'),
    onError: (err) => log.warn({ err }, 'the counts of requests could not be written'),
  })
}

interface Served {
  readonly receiver: Receiver
  readonly ops: Ops
  readonly income: Income
  readonly traffic: Traffic
  readonly admin: Admin
  readonly formers: readonly FormerServer[]
}

async function createServer(
  options: RunOptions,
  files: ReceiverFiles,
  { receiver, ...served }: Served,
): Promise<FastifyInstance> {
  const own = serverOptions(options, files)
  const server = await createReceiverServer(receiver, [], { ...own, ...served })
  await sellAll(server, options.settings)
  return server
}

function serverOptions({ settings, log }: RunOptions, { tls }: ReceiverFiles) {
  return {
    loggerInstance: log,
    logRequests: settings.log.requests,
    closing: 'when idle',
    tls: tls?.options,
    crossOrigins: settings.crossOrigins,
    shown: settings.shown,
    buyers: settings.buyers,
    ...{ limits: settings.limits, hosts: settings.hosts, trustProxy: settings.trustProxy },
    names: settings.receiver.origins?.map((origin) => new URL(origin).hostname),
  } as const
}

/** Closes the server when it cannot. */
async function sellAll(server: FastifyInstance, settings: ReceiverSettings): Promise<void> {
  try {
    // One after the other: a resource at the same path is refused, and does not take its place.
    await registerResources(server, pageFiles(settings))
    await registerResources(server, settings.resources)
  } catch (error) {
    await server.close()
    throw error
  }
}

/**
 * What a page of the operator's own needs besides, under the path that the original has for it. In the
 * original's folder that is in `js/`.
 */
function pageFiles({ page }: ReceiverSettings): ResourceConfigs {
  if (page === undefined) return {}
  const folders = { files: page, first: join(page, 'js') }
  const own = { kind: 'files', ...folders, links: 'follow', sandbox: false } as const
  return { '/js/*': { ...own, price: '0', free: [] } }
}
