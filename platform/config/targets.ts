// Where messages go, as a person writes it in either configuration.
import { z } from 'zod'
import { duration, filePath, httpUrl } from './fields.ts'

/** By RFC 9110 section 5.6.2. */
const headers = z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string())

const webhook = z
  .strictObject({
    url: httpUrl.optional(),
    urlFile: filePath.optional().describe('a file, mode 600; its first line is the URL'),
    method: z.enum(['POST', 'PUT']).default('POST'),
    headers: headers.default({}),
    headersFile: filePath.optional().describe('a file, mode 600; a line for each: Name: value'),
    timeout: duration.default(30_000),
  })
  .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), {
    error: 'a webhook needs "url" or "urlFile", one of them.',
  })

/** A URL alone, or with all that belongs to it. */
export const webhookTarget = z.union([httpUrl.transform((url) => webhook.parse({ url })), webhook])

/** A program, or with its arguments. */
export const commandTarget = z.union([
  filePath.transform((program): [string] => [program]),
  z.tuple([filePath], z.string()),
])
