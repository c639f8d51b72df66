// A key that systemd keeps for a service: encrypted for this machine alone, with a secret of its own or its TPM,
// and decrypted by systemd when the service starts. systemd-creds(1), systemd.exec(5).
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isUraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { readCredentialFile } from './private-file.ts'

export interface SealedKey {
  /** Of the credential. */
  readonly name: string
  /** The process environment when not given. */
  readonly environment?: NodeJS.ProcessEnv | undefined
}

/**
 * What systemd has decrypted for this process; undefined where there is none.
 * @throws UraidenError `key_file_unreadable`
 */
export async function readSealed(sealed: SealedKey): Promise<string | undefined> {
  const { CREDENTIALS_DIRECTORY: folder } = sealed.environment ?? process.env
  if (folder === undefined) return undefined
  try {
    return await readCredentialFile(join(folder, sealed.name))
  } catch (error) {
    if (isUraidenError(error, 'key_file_missing')) return undefined
    throw error
  }
}

/**
 * The key as systemd keeps it; only this machine decrypts it, and only under this name.
 * @throws UraidenError `key_not_sealed`
 */
export async function seal(key: Uint8Array, name: string): Promise<string> {
  const child = spawn('systemd-creds', ['encrypt', `--name=${name}`, '-', '-'])
  // It may end before it has read all.
  child.stdin.on('error', () => undefined)
  child.stdin.end(Buffer.from(key).toString('hex'))
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('close', (code) => resolve(code === 0 ? undefined : `it ended with ${code}`))
  })
  const [encrypted, said, failed] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  if (failed === undefined && encrypted !== '') return encrypted
  throw platformError({
    code: 'key_not_sealed',
    message: `systemd-creds does not encrypt the key: ${said.trim() || failed}.`,
  })
}
