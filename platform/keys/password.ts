// Where the password of a keystore comes from.

import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { readCredentialFile, readPrivateFile } from './private-file.ts'

export interface PasswordSources {
  /** A file; its first line counts. */
  readonly file?: string | undefined
  /** Name of an environment variable. */
  readonly variable?: string | undefined
  /** Name of a systemd credential (LoadCredential=, LoadCredentialEncrypted=). */
  readonly credential?: string | undefined
  /** Asks the person at the terminal. */
  readonly prompt?: (() => Promise<string>) | undefined
  /** The process environment when not given. */
  readonly environment?: NodeJS.ProcessEnv | undefined
}

/**
 * The password from the first source that has one: file, variable, credential, prompt.
 * @throws UraidenError `key_password_missing`, and those of `readPrivateFile`
 */
export async function findPassword(sources: PasswordSources): Promise<string> {
  const { file, variable, credential, prompt, environment = process.env } = sources
  if (file !== undefined) return firstLine(await readPrivateFile(file))
  const given = variable === undefined ? undefined : environment[variable]
  if (given !== undefined) return given
  const folder = environment.CREDENTIALS_DIRECTORY
  if (credential !== undefined && folder !== undefined) {
    return firstLine(await readCredentialFile(join(folder, credential)))
  }
  if (prompt !== undefined) return prompt()
  throw platformError({
    code: 'key_password_missing',
    message: 'The key file is encrypted, and no password is given.',
    hint: `Name a password file${variable ? `, or set ${variable}` : ''}${credential ? `, or let systemd load the credential ${credential}` : ''}.`,
  })
}

/** Asks on `output` and shows nothing of what is typed. */
export async function askPassword(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: silent, terminal: true })
  output.write(question)
  try {
    // Ctrl-C and Ctrl-D end the interface, which leaves the question open for ever.
    return await Promise.race([
      lines.question(''),
      new Promise<never>((_, reject) => {
        lines.once('close', () => reject(notGiven()))
      }),
    ])
  } finally {
    lines.close()
    output.write('\n')
  }
}

function notGiven(): UraidenError {
  return platformError({
    code: 'key_password_missing',
    message: 'No password was typed.',
    hint: 'Run it again, or give a password file.',
  })
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}
