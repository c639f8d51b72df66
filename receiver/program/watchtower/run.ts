// The watchtower as a program runs it.
import type { Logger } from 'pino'
import type { ListenAddress } from '../../../platform/config/index.ts'
import type { Signer } from '../../../protocol/index.ts'
import { type StartedParts, startTogether } from '../../core/parts.ts'
import { readToken } from '../../core/watchtower/addresses.ts'
import { readTlsMaterial } from '../../tls/material.ts'
import { closeServer, followCertificate, listenOn } from '../parts.ts'
import type { WatchSettings } from './config.ts'
import { createWatchtowerServer } from './server.ts'
import { startWatchtower, type Watchtower } from './tower.ts'

export interface WatchRunOptions {
  readonly settings: WatchSettings
  /** Pays for the answers. */
  readonly signer: Signer
  readonly listen: ListenAddress
  readonly log: Logger
}

export interface RunningWatchtower {
  readonly tower: Watchtower
  readonly url: string
  /** Reads the certificate again. */
  readonly reload: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** @throws UraidenError those of `startWatchtower`, `readToken`, `readTlsMaterial`; `listen_failed` */
export async function runWatchtower(options: WatchRunOptions): Promise<RunningWatchtower> {
  return startTogether((parts) => startParts(options, parts))
}

async function startParts(
  { settings, signer, listen, log }: WatchRunOptions,
  parts: StartedParts,
): Promise<Omit<RunningWatchtower, 'stop'>> {
  const { connection, state, stopWithin } = settings
  const token = await readToken(settings.token)
  const tls = settings.tls && (await readTlsMaterial(settings.tls))
  const tower = parts.add(
    await startWatchtower({ ...connection, ...settings.tower, signer, state, log }),
  )
  const server = createWatchtowerServer(tower, { token, tls: tls?.options, loggerInstance: log })
  parts.add({ stop: () => closeServer(server, stopWithin) })
  const url = await listenOn(server, listen)
  if (settings.tls === undefined || tls === undefined) {
    return { tower, url, reload: async () => undefined }
  }
  const certificate = followCertificate([server], { files: settings.tls, current: tls, log })
  parts.add({ stop: async () => certificate.stop() })
  return { tower, url, reload: certificate.reload }
}
