// The receiver as a program runs it: everything that the configuration names, started in order and
// stopped in the opposite one.
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { connectChain } from '../../platform/chain/index.ts'
import type { ListenAddress } from '../../platform/config/index.ts'
import type { Signer, TokenUnit } from '../../protocol/index.ts'
import { isUraidenError, UraidenError } from '../../protocol/index.ts'
import { type StartedParts, startedParts } from '../core/parts.ts'
import { type Receiver, startReceiver } from '../core/receiver.ts'
import { readWatchtowers } from '../core/watchtower/addresses.ts'
import { earned, recordIncome } from '../income/recorder.ts'
import { createOps } from '../ops/ops.ts'
import { readPaywallPage } from '../paywall/page.ts'
import { type ResourceConfigs, registerResources } from '../resources/routes.ts'
import { createAdmin } from '../server/admin/admin.ts'
import { controlSocket } from '../server/admin/place.ts'
import { createReceiverServer } from '../server/server.ts'
import type { TlsFiles } from '../tls/config.ts'
import { readTlsMaterial, type TlsMaterial } from '../tls/material.ts'
import { type CertificateReload, warnAbout, watchCertificate } from '../tls/reload.ts'
import { amountOptions, type ReceiverConfig, receiverOptions } from './config.ts'
import { announceReceiver } from './discovery/of-receiver.ts'

export interface RunOptions {
  readonly config: ReceiverConfig
  readonly signer: Signer
  /** Pays for transactions of others. */
  readonly relaySigner?: Signer | undefined
  /** For balance proofs. */
  readonly state: string
  readonly listen: ListenAddress
  readonly log: Logger
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
 * @throws UraidenError those of `startReceiver` and `createReceiverServer`, `listen_failed`,
 * `ops_address_unusable`
 */
export async function runReceiver(options: RunOptions): Promise<RunningReceiver> {
  const parts = startedParts()
  try {
    return { ...(await startParts(options, parts)), stop: parts.stop }
  } catch (error) {
    await parts.stop()
    throw error
  }
}

async function startParts(
  options: RunOptions,
  { started }: StartedParts,
): Promise<Omit<RunningReceiver, 'stop'>> {
  const { config, signer, relaySigner, state, log } = options
  const ops = createOps(config.ops)
  started(ops.stop)
  const opsUrl = await ops.start()
  if (opsUrl !== undefined) log.info({ ops: opsUrl }, 'health and metrics')
  const connection = receiverOptions(config)
  const token = await readToken(connection)
  const amounts = amountOptions(config, token)
  const receiver = await startReceiver({
    ...connection,
    ...amounts,
    ...(amounts.relay && { relay: { ...amounts.relay, signer: relaySigner } }),
    signer,
    state,
    log,
    observer: ops.observer,
    watchtowers: await readWatchtowers(config.watchtowers),
    ...(config.page !== undefined && { page: await readPaywallPage(config.page) }),
  })
  started(receiver.stop)
  const income = await recordIncome({
    file: join(state, 'income.json'),
    total: () => earned(receiver.book.all()),
    onError: (err) => log.warn({ err }, 'the history of income could not be written'),
  })
  started(income.stop)
  const admin = await createAdmin(config.admin)
  const tls = config.tls && (await readTlsMaterial(config.tls))
  const server = await createReceiverServer(receiver, [], {
    loggerInstance: log,
    logRequests: config.log.requests,
    closing: 'when idle',
    ops,
    admin,
    tls: tls?.options,
    income,
  })
  started(() => closeServer(server, config.stopWithin * 1000))
  // One after the other: a resource at the same path is refused, and does not take its place.
  await registerResources(server, pageFiles(config))
  await registerResources(server, config.resources)
  const url = await listenOn(server, options.listen)
  const socket = controlSocket(config.admin, state)
  if (socket !== undefined) started(await admin.listenOnSocket(socket))
  if (config.discovery !== undefined) {
    const { resources, discovery } = config
    const { port } = server.server.address() as AddressInfo
    const parts = { discovery, receiver, resources, port, tls: tls !== undefined, log }
    started((await announceReceiver(parts)).stop)
  }
  const certificate =
    config.tls && tls && followCertificate(server, { ...options, files: config.tls, tls })
  if (certificate !== undefined) started(async () => certificate.stop())
  return { receiver, url, reload: async () => certificate?.reload() }
}

export function followCertificate(
  server: FastifyInstance,
  {
    log,
    files,
    tls,
  }: Pick<RunOptions, 'log'> & { readonly files: TlsFiles; readonly tls: TlsMaterial },
): CertificateReload {
  warnAbout(tls.certificate, log)
  const secure = server.server as unknown as Server
  return watchCertificate({ files, server: secure, current: tls.certificate, log })
}

/** What a page of the operator's own needs besides, under the path that the original has for it. */
function pageFiles({ page }: ReceiverConfig): ResourceConfigs {
  return page === undefined ? {} : { '/js/*': { kind: 'files', files: page, price: '0', free: [] } }
}

/** Amounts in the configuration can be read only with the token's decimals. */
export async function readToken(
  options: Pick<ReturnType<typeof receiverOptions>, 'rpcUrl' | 'contract' | 'chainId'>,
): Promise<TokenUnit> {
  const chain = await connectChain(options)
  try {
    return await chain.tokenFacts()
  } finally {
    chain.close()
  }
}

export async function listenOn(
  server: FastifyInstance,
  { host, port }: ListenAddress,
): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    if (isUraidenError(error)) throw error
    const { code } = error as { readonly code?: string }
    throw new UraidenError({
      code: 'listen_failed',
      message: `Cannot listen on ${host}:${port} (${code}).`,
      hint:
        code === 'EADDRINUSE'
          ? 'Another program has the port: stop it, or choose another one with --port.'
          : 'Check --host and --port; ports below 1024 need a right of their own.',
      cause: error,
    })
  }
}

export async function closeServer(server: FastifyInstance, within: number): Promise<void> {
  const deadline = setTimeout(() => server.server.closeAllConnections(), within)
  try {
    await server.close()
  } finally {
    clearTimeout(deadline)
  }
}
