// Gives a server a new certificate while it runs. Connections that are there go on with the old one.
import { unwatchFile, watchFile } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { createTurns } from '../../platform/async/turns.ts'
import { UraidenError } from '../../protocol/index.ts'
import type { TlsFiles } from './config.ts'
import { type CertificateFacts, certificateWarning, readTlsMaterial } from './material.ts'

/** What of `https.Server` this needs. */
export interface SecureServer {
  readonly setSecureContext: (options: SecureContextOptions) => void
}

export interface ReloadLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

export interface ReloadOptions {
  readonly files: TlsFiles
  readonly server: SecureServer
  /** The one that the server has now. */
  readonly current: CertificateFacts
  readonly log: ReloadLog
  /** Between two looks at the files, in milliseconds. Default 5000. */
  readonly interval?: number
}

export interface CertificateReload {
  /** Reads the files now. A broken certificate leaves the old one where it is, and says why. Never rejects. */
  readonly reload: () => Promise<void>
  readonly certificate: () => CertificateFacts
  readonly stop: () => void
}

/**
 * The files are looked at by their path again and again, because what renews certificates replaces
 * them: it writes new files, or turns a link.
 */
export function watchCertificate(options: ReloadOptions): CertificateReload {
  const { files, server, log, interval = 5000 } = options
  let certificate = options.current
  const turns = createTurns()

  async function load(): Promise<void> {
    try {
      const material = await readTlsMaterial(files)
      if (material.certificate.fingerprint === certificate.fingerprint) return
      server.setSecureContext(material.options)
      certificate = material.certificate
      log.info(shown(certificate), 'the new certificate is used from now on')
      warnAbout(certificate, log)
    } catch (error) {
      const why = error instanceof UraidenError ? `${error.message} ${error.hint}` : String(error)
      log.warn({ why }, 'the new certificate cannot be used; the old one stays')
    }
  }

  // One after the other: the last one to read is the last one to set.
  const reload = () => turns.take(load)

  const changed = () => void reload()
  for (const path of [files.cert, files.key]) {
    watchFile(path, { interval, persistent: false }, changed)
  }
  return {
    reload,
    certificate: () => certificate,
    stop: () => {
      for (const path of [files.cert, files.key]) unwatchFile(path, changed)
    },
  }
}

export function warnAbout(certificate: CertificateFacts, log: ReloadLog): void {
  const warning = certificateWarning(certificate, new Date())
  if (warning !== undefined) log.warn(shown(certificate), warning)
}

function shown({ subject, fingerprint, validTo }: CertificateFacts) {
  return { subject, fingerprint, validTo: validTo.toISOString() }
}
