// Receivers that are configured by the name under which they announce themselves.

import { z } from 'zod'
import { parsed } from '../../platform/config/index.ts'
import { shorten } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { serviceScheme as scheme } from './service-name.ts'

/** `dns-sd:Living Room` as a URL, `dns-sd://Living%20Room`. RFC 6763 section 4.1.1: up to 63 bytes. */
export const serviceUrl = parsed((text) => {
  const name = text.slice(scheme.length).trim().normalize('NFC')
  const fits = name !== '' && Buffer.byteLength(name) <= 63 && !/[\p{Cc}./]/u.test(name)
  if (text.startsWith(scheme) && fits) return `${scheme}//${encodeURIComponent(name)}`
  throw agentError({
    code: 'not_a_receiver_place',
    message: `"${shorten(text)}" is neither an http:// or https:// URL nor dns-sd: and a name.`,
  })
})

export const discoverySchema = z
  .strictObject({
    interface: z
      .ipv4()
      .optional()
      .describe('the machine’s own address in the network to look in; all when left out'),
  })
  .prefault({})
