// The part `tls:` of the receiver's configuration.
import { z } from 'zod'

const path = z.string().min(1)

export const tlsSchema = z.strictObject({
  cert: path.describe('certificate and those between it and the authority, PEM'),
  key: path.describe('its private key, PEM, mode 600'),
})

export type TlsFiles = z.output<typeof tlsSchema>
