// The part `discovery:` of the receiver's configuration.

import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import { shorten } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'

/** RFC 6763 section 4.1.1: up to 63 bytes of UTF-8, without control characters. */
function parseInstanceName(text: string): string {
  const name = text.trim().normalize('NFC')
  if (name !== '' && Buffer.byteLength(name) <= 63 && !/[\p{Cc}.]/u.test(name)) return name
  throw receiverError({
    code: 'not_a_service_name',
    message: `"${shorten(text)}" is no name for a service.`,
  })
}

export const discoverySchema = z.strictObject({
  name: parsed(parseInstanceName)
    .optional()
    .describe('by which agents find it: living-room; the machine’s name when left out'),
  interface: z
    .ipv4()
    .optional()
    .describe('the machine’s own address in the network to announce in; all when left out'),
})

export type DiscoveryConfig = z.output<typeof discoverySchema>
