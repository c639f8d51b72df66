// Administration as a program serves it: at an address of its own, over a socket for commands.
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { isLoopback } from '../../platform/system/loopback.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { Admin } from '../server/admin/admin.ts'
import { adminListen } from '../server/admin/config.ts'
import { createAdminServer } from '../server/admin-server.ts'
import type { TlsMaterial } from '../tls/material.ts'
import { listenOn } from './parts.ts'
import type { ReceiverSettings } from './settings.ts'

export interface AdministrationOptions {
  readonly settings: Pick<ReceiverSettings, 'admin' | 'socket' | 'hosts'>
  /** Of what is sold; undefined for http. */
  readonly tls: TlsMaterial | undefined
  readonly log: Logger
}

export interface Administration {
  /** Speaks https with the certificate; undefined for all others. */
  readonly secure: FastifyInstance | undefined
  readonly stop: () => Promise<void>
}

/**
 * What it is about is attached to `admin` already.
 * @throws UraidenError `listen_failed`, `socket_in_use`, `socket_unusable`
 */
export async function startAdministration(
  admin: Admin,
  options: AdministrationOptions,
): Promise<Administration> {
  const { socket } = options.settings
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const server = await overNetwork(admin, options)
    if (server !== undefined) stops.push(() => server.close())
    if (socket !== undefined) stops.push(await admin.listenOnSocket(socket))
    return { secure: isSecure(options) ? server : undefined, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function overNetwork(
  admin: Admin,
  options: AdministrationOptions,
): Promise<FastifyInstance | undefined> {
  const { settings, tls, log } = options
  const listen = adminListen(settings.admin)
  if (listen === undefined) return undefined
  const { address } = listen
  const secure = isSecure(options)
  const server = await createAdminServer({
    ...{ admin, loggerInstance: log },
    tls: secure ? tls?.options : undefined,
    hosts: settings.hosts,
  })
  try {
    const url = await listenOn(server, address)
    log.info({ admin: `${url}/admin` }, 'dashboard and administration, at an address of their own')
    if (!secure && !isLoopback(address.host)) log.warn({ admin: url }, plainLogin)
    return server
  } catch (error) {
    await server.close()
    if (listen.is === 'named' || !isUraidenError(error, 'listen_failed')) throw error
    // It sold before there was this address: it goes on selling.
    log.error(
      { why: error.message, hint: 'Set admin.listen to a free address, or to off.' },
      'nobody can administer over the network',
    )
    return undefined
  }
}

/** What is only on this machine nobody listens to; a certificate would be for another name. */
function isSecure({ settings, tls }: AdministrationOptions): boolean {
  const listen = adminListen(settings.admin)
  return tls !== undefined && listen !== undefined && !isLoopback(listen.address.host)
}

const plainLogin =
  'logins go over plain http: whoever is on the way reads the password. Set admin.listen to 127.0.0.1 and come by SSH, or set tls'
