// What the programs have in common: a server that listens, closes in time, and follows its certificate.

import type { Server } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ListenAddress } from '../../platform/config/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { TlsFiles } from '../tls/config.ts'
import type { TlsMaterial } from '../tls/material.ts'
import {
  type CertificateReload,
  type SecureServer,
  warnAbout,
  watchCertificate,
} from '../tls/reload.ts'

/** Resolves with the URL. @throws UraidenError `listen_failed` */
export async function listenOn(
  server: FastifyInstance,
  { host, port }: ListenAddress,
): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    if (isUraidenError(error)) throw error
    const { code } = error as { readonly code?: string }
    throw receiverError({
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

/** Breaks off requests that still run after `within` milliseconds. */
export async function closeServer(server: FastifyInstance, within: number): Promise<void> {
  const deadline = setTimeout(() => server.server.closeAllConnections(), within)
  try {
    await server.close()
  } finally {
    clearTimeout(deadline)
  }
}

/** For servers that speak https with `current`. */
export function followCertificate(
  servers: readonly FastifyInstance[],
  { files, current, log }: { files: TlsFiles; current: TlsMaterial; log: Logger },
): CertificateReload {
  const { certificate } = current
  warnAbout(certificate, log)
  const server: SecureServer = {
    setSecureContext: (options) => {
      for (const each of servers) (each.server as unknown as Server).setSecureContext(options)
    },
  }
  return watchCertificate({ files, server, current: certificate, log })
}
