// uraiden-receiver start: sells until it is told to stop.

import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import type { ListenAddress } from '../../../platform/config/index.ts'
import { createServiceManager } from '../../../platform/system/systemd.ts'
import { isUraidenError, shorten } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'
import { createLog } from '../../program/log.ts'
import { receiverOverHttp } from '../../program/plain-http.ts'
import { type RunningReceiver, runReceiver } from '../../program/run.ts'
import { openSigner, type ReceiverSettings } from '../../program/settings.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface StartOptions extends GlobalOptions {
  readonly host?: string
  readonly port?: string
  /** False: a node that does not answer ends it. */
  readonly wait?: boolean
}

export async function start(options: StartOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  // Whoever stops it while it starts means it too.
  const asked = stopRequest()
  const settings = await openSettings(options)
  const { log, amountsIn } = createLog(settings.log)
  const manager = createServiceManager({
    environment: process.env,
    onFailed: (err) => log.warn({ err }, 'systemd cannot be told'),
  })
  const warn = (message: string) => log.warn(message)
  const signer = await openSigner(settings.key, warn)
  const relaySigner = settings.relayKey && (await openSigner(settings.relayKey, warn))
  const listen = listenAddress(settings, options)
  // Of a login it is said when its address is open.
  const overHttp = receiverOverHttp(settings).filter(({ check }) => check !== 'login')
  for (const { says } of overHttp) log.warn(says)
  const stopping = new AbortController()
  void asked.then(() => stopping.abort())
  // A node that is down for long must not keep a unit from being started: readiness is /readyz.
  const begun = () => {
    manager.ready('waiting for the Ethereum node')
    manager.keepAlive()
  }
  const waiting = options.wait === false ? undefined : { until: stopping.signal, begun }
  const running = await startUnlessStopped(
    runReceiver({ settings, signer, relaySigner, listen, log, waiting, onToken: amountsIn }),
    stopping.signal,
  )
  if (running === undefined) {
    manager.stopping()
    manager.close()
    return exitCode.ok
  }
  try {
    // Under another name: `token` is never logged.
    const { token: symbol, ...facts } = startFacts(running, settings)
    log.info({ ...facts, symbol }, 'listening')
    process.on('SIGHUP', () => {
      log.info('reading again what may change')
      void running.reload()
    })
    // The chain need not be read by now.
    manager.ready(`listening on ${running.url}`)
    manager.keepAlive()
    await Promise.race([running.receiver.synced, asked])
    announce(running, settings, output)
    log.info({ signal: await asked }, 'stopping')
  } finally {
    manager.stopping()
    await running.stop().finally(manager.close)
  }
  log.info('stopped; everything is on disk')
  return exitCode.ok
}

/** Undefined when it was stopped while it waited. */
async function startUnlessStopped(
  starting: Promise<RunningReceiver>,
  stopped: AbortSignal,
): Promise<RunningReceiver | undefined> {
  try {
    return await starting
  } catch (error) {
    if (stopped.aborted && isUraidenError(error, 'chain_unavailable')) return undefined
    throw error
  }
}

/** Resolves with the first signal's name; a second one ends the process at once. */
export function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}

export function listenAddress(
  { listen }: Pick<ReceiverSettings, 'listen'>,
  { host, port }: StartOptions,
): ListenAddress {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw receiverError({
      code: 'not_a_port',
      message: `"${shorten(port)}" is no TCP port.`,
    })
  }
  return { host: host ?? listen.host, port: port === undefined ? listen.port : Number(port) }
}

function startFacts({ receiver, url }: RunningReceiver, { resources }: ReceiverSettings) {
  return {
    url,
    receiver: receiver.address,
    chainId: receiver.chainId.toString(),
    contract: receiver.contract,
    token: receiver.token.symbol,
    resources: Object.keys(resources),
  }
}

/** Once the chain is read, so that whoever waits for this line can pay. */
function announce(running: RunningReceiver, settings: ReceiverSettings, output: Output): void {
  const facts = startFacts(running, settings)
  if (output.json) {
    output.print(JSON.stringify(JSON.parse(toJson(facts))))
    return
  }
  const { url, receiver, chainId, contract, token, resources } = facts
  output.print(`receiver   ${receiver}`)
  output.print(`chain      id ${chainId}, contract ${contract}, token ${token}`)
  for (const path of resources) output.print(`sells      ${url}${path}`)
  if (resources.length === 0)
    output.print(`sells      nothing yet: ${url} has the channel API only`)
}
