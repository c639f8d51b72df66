// The files that a configuration names.

import { readFileSync } from 'node:fs'
import { readPrivateFile } from '../../../platform/keys/private-file.ts'
import { agentError } from '../../errors/index.ts'

/**
 * `setting` is where the configuration names the file.
 * @throws UraidenError `config_file_unreadable`
 */
export function readCertificate(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw agentError({
      code: 'config_file_unreadable',
      message: `${setting}: ${file} cannot be read.`,
      cause,
    })
  }
}

/**
 * A token that programs and people of this machine show: the first line of a file.
 * @throws UraidenError `config_token_short`, and those of `readPrivateFile`
 */
export async function readToken(setting: string, file: string): Promise<string> {
  const [token = ''] = (await readPrivateFile(file)).split(/\r?\n/, 1)
  // Short ones could be guessed by another program on this machine.
  if (token.length >= 16) return token
  throw agentError({
    code: 'config_token_short',
    message: `${setting}: the first line of ${file} has less than 16 characters.`,
  })
}
