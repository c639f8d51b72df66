// `watchtowers` of receiver.yaml, and the token that both sides have in a file.

import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { filePath, httpUrl, seconds } from '../../../platform/config/index.ts'
import { readPrivateFile } from '../../../platform/keys/private-file.ts'
import { receiverError } from '../../errors/index.ts'
import type { WatchtowerAddress } from './pusher.ts'

export const watchtowersSchema = z
  .array(
    z.strictObject({
      url: httpUrl.describe('of the watchtower: https://tower.example:5001'),
      token: filePath.describe(
        'a file, mode 600; its first line is the token that both sides have',
      ),
      ca: filePath
        .optional()
        .describe('PEM of the authority that made the watchtower’s certificate'),
      every: seconds(0.02, 3600).default(1).describe('seconds between two messages'),
    }),
  )
  .describe('where copies of the best balance proofs go')

export type WatchtowerConfigs = z.output<typeof watchtowersSchema>

/**
 * @throws UraidenError `watchtower_token_short`, `watchtower_ca_unreadable`, and those of
 * `readPrivateFile`
 */
export function readWatchtowers(configs: WatchtowerConfigs): Promise<readonly WatchtowerAddress[]> {
  return Promise.all(
    configs.map(async ({ url, token, ca, every }) => ({
      url,
      token: await readToken(token),
      interval: every * 1000,
      ...(ca !== undefined && { ca: await readAuthority(ca) }),
    })),
  )
}

/** @throws UraidenError `watchtower_token_short`, and those of `readPrivateFile` */
export async function readToken(file: string): Promise<string> {
  const [token = ''] = (await readPrivateFile(file)).split('\n')
  if (/^[\x21-\x7e]{16,256}$/.test(token)) return token
  throw receiverError({
    code: 'watchtower_token_short',
    message: `The first line of ${file} is no token: 16 to 256 letters, digits and signs without spaces.`,
  })
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw receiverError({
      code: 'watchtower_ca_unreadable',
      message: `The certificate ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      cause,
    })
  }
}
