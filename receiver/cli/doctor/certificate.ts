// The certificate that https is spoken with.
import { type Finding, failure, ok, warning } from '../../../platform/cli/finding.ts'
import type { TlsFiles } from '../../tls/config.ts'
import { certificateWarning, readTlsMaterial } from '../../tls/material.ts'
import type { Check } from './check.ts'

export function certificateCheck(files: TlsFiles): Check {
  return { name: 'tls', look: () => lookAtCertificate(files, new Date()) }
}

async function lookAtCertificate(files: TlsFiles, now: Date): Promise<Finding> {
  const { certificate } = await readTlsMaterial(files)
  const wrong = certificateWarning(certificate, now)
  const { subject, validFrom, validTo } = certificate
  const says = `${files.cert} for ${subject.replaceAll('\n', ', ')}`
  if (wrong === undefined) return ok(`${says}, good until ${validTo.toISOString().slice(0, 10)}`)
  const isUsable = validFrom <= now && now <= validTo
  const remedy = `${says}: ${wrong}. Put a new one there; it is taken while the receiver runs.`
  return isUsable ? warning(remedy) : failure(remedy)
}
