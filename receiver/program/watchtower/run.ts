// The watchtower as a program runs it.
import type { Logger } from 'pino'
import type { ListenAddress } from '../../../platform/config/index.ts'
import type { Signer } from '../../../protocol/index.ts'
import { readToken } from '../../core/watchtower/addresses.ts'
import { readTlsMaterial } from '../../tls/material.ts'
import { closeServer, followCertificate, listenOn } from '../run.ts'
import { type WatchConfig, watchOptions } from './config.ts'
import { createWatchtowerServer } from './server.ts'
import { startWatchtower, type Watchtower } from './tower.ts'

export interface WatchRunOptions {
  readonly config: WatchConfig
  /** Pays for the answers. */
  readonly signer: Signer
  readonly state: string
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
  const { config, signer, state, listen, log } = options
  const token = await readToken(config.token)
  const tls = config.tls && (await readTlsMaterial(config.tls))
  const tower = await startWatchtower({ ...watchOptions(config), signer, state, log })
  const server = createWatchtowerServer(tower, { token, tls: tls?.options, loggerInstance: log })
  try {
    const url = await listenOn(server, listen)
    const certificate =
      config.tls && tls && followCertificate(server, { log, files: config.tls, tls })
    return {
      tower,
      url,
      reload: async () => certificate?.reload(),
      stop: async () => {
        certificate?.stop()
        await closeServer(server, config.stopWithin * 1000)
        await tower.stop()
      },
    }
  } catch (error) {
    await server.close()
    await tower.stop()
    throw error
  }
}
