// A certificate and its key, read and tried before anything relies on them.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { readPrivateFile } from '../../platform/keys/private-file.ts'
import { day } from '../../platform/time/clock.ts'
import { receiverError } from '../errors/index.ts'
import type { TlsFiles } from './config.ts'

export interface TlsMaterial {
  /** RFC 9325 section 3.1.1: nothing below TLS 1.2. */
  readonly options: SecureContextOptions
  readonly certificate: CertificateFacts
}

export interface CertificateFacts {
  readonly subject: string
  /** SHA-256 of the certificate. */
  readonly fingerprint: string
  readonly validFrom: Date
  readonly validTo: Date
}

/**
 * @throws UraidenError `certificate_unreadable`, `certificate_invalid`, and those of
 * `readPrivateFile` for the key
 */
export async function readTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readCertificate(files.cert)
  const key = await readPrivateFile(files.key)
  const options = { cert, key, minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(options)
    const { subject, fingerprint256, validFromDate, validToDate } = new X509Certificate(cert)
    return {
      options,
      certificate: {
        subject,
        fingerprint: fingerprint256,
        validFrom: validFromDate,
        validTo: validToDate,
      },
    }
  } catch (cause) {
    throw receiverError({
      code: 'certificate_invalid',
      message: `${files.cert} and ${files.key} are no certificate and its key: ${reasonOf(cause)}.`,
      cause,
    })
  }
}

/** What a person should know about a certificate that is used; undefined when all is well. */
export function certificateWarning(
  { validFrom, validTo }: CertificateFacts,
  now: Date,
): string | undefined {
  const left = validTo.getTime() - now.getTime()
  if (now < validFrom) return `the certificate is valid only from ${validFrom.toISOString()}`
  if (left < 0) return `the certificate ended at ${validTo.toISOString()}`
  if (left < 14 * day) return `the certificate ends in ${Math.floor(left / day)} days`
  return undefined
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw receiverError({
      code: 'certificate_unreadable',
      message: `The certificate ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      cause,
    })
  }
}

/** OpenSSL's own words, without the numbers before them. */
function reasonOf(cause: unknown): string {
  const { reason, message } = cause as { readonly reason?: string; readonly message: string }
  return reason ?? message
}
