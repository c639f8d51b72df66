// The part `tls:` of the receiver's configuration.
import { z } from 'zod'
import { filePath } from '../../platform/config/index.ts'

export const tlsSchema = z.strictObject({
  cert: filePath.describe('certificate and those between it and the authority, PEM'),
  key: filePath.describe('its private key, PEM, mode 600'),
})

export type TlsFiles = z.output<typeof tlsSchema>
