// What was read and checked at an earlier start, kept for the next: while nothing that it came from has changed, no
// process has to read it again, which is most of the work of a start. Only beside a sealed key, which systemd hands
// to the daemon itself: the copy holds no key, and is encrypted with one that is derived from it, so that who cannot
// sign can neither read the copy nor make one. Anything that does not fit is no copy, and all is read as ever.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { readSealed } from '../../../platform/keys/sealed-key.ts'
import { replaceFile } from '../../../platform/state/replace-file.ts'
import { version } from '../../../platform/system/version.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { fromHex } from '../../../protocol/index.ts'
import type { Read, TakenOver } from './handover.ts'
import { sealedKey } from './places.ts'
import { type PlainSettings, settingsOf } from './settings.ts'

/** What settings come from besides variables: the configuration, and each file that it names and that is read. */
export interface Origin {
  readonly file: string
  readonly files: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}

interface Copy extends Read<Omit<PlainSettings, 'privateKey'>> {
  readonly files: readonly string[]
  readonly fingerprint: string
}

/** In the folder that systemd gives the service. */
const fileName = 'settings.kept'

/** A file that was changed as late as this may have been read before it was. */
const settled: Milliseconds = 2000

/**
 * Keeps what was read for the next start; nothing where the key is not sealed, the service has no folder, or a file
 * has just been changed. `begun` is when reading began. What cannot be written is not kept.
 */
export async function keepSettings(
  { settings, warnings }: Read<PlainSettings>,
  origin: Origin,
  begun: Milliseconds,
): Promise<void> {
  const { STATE_DIRECTORY: folder } = origin.environment
  if (folder === undefined || settings.key !== 'sealed') return
  if ([origin.file, ...origin.files].some((file) => changedAt(file) > begun - settled)) return
  const { privateKey, ...rest } = settings
  const copy: Copy = {
    ...{ settings: rest, warnings, files: origin.files },
    fingerprint: fingerprintOf(origin),
  }
  await replaceFile(join(folder, fileName), encrypted(serialize(copy), privateKey)).catch(
    () => undefined,
  )
}

/** Undefined where there is no copy, or one of something else than what would be read now. */
export async function keptSettings({
  file,
  environment,
}: Pick<Origin, 'file' | 'environment'>): Promise<TakenOver | undefined> {
  const { STATE_DIRECTORY: folder } = environment
  if (folder === undefined) return undefined
  const privateKey = await keyOfService(environment)
  try {
    const written = await readFile(join(folder, fileName))
    const copy = deserialize(decrypted(written, privateKey)) as Copy
    if (copy.fingerprint !== fingerprintOf({ file, files: copy.files, environment })) return
    const plain = { ...copy.settings, loaded: Date.now(), privateKey: Uint8Array.from(privateKey) }
    return { settings: settingsOf(plain), warnings: copy.warnings }
  } catch {
    return undefined
  } finally {
    privateKey.fill(0)
  }
}

/** Of no bytes where there is none: nothing is decrypted with it. */
async function keyOfService(environment: NodeJS.ProcessEnv): Promise<Uint8Array> {
  const text = await readSealed({ name: sealedKey, environment }).catch(() => undefined)
  const digits = text?.trim().replace(/^0x/, '') ?? ''
  return /^[0-9a-fA-F]{64}$/.test(digits) ? fromHex(`0x${digits}`) : new Uint8Array()
}

/** systemd gives each start another value: nothing is read from them. */
const ofOneStart: ReadonlySet<string> = new Set([
  ...['INVOCATION_ID', 'JOURNAL_STREAM', 'MAINPID', 'NOTIFY_SOCKET', 'SYSTEMD_EXEC_PID'],
  ...['MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE', 'WATCHDOG_PID', 'WATCHDOG_USEC'],
  'URAIDEN_BOOT_ID',
])

/** Of all that decides what is read, and of who reads it. */
function fingerprintOf({ file, files, environment }: Origin): string {
  const variables = Object.entries(environment)
    .filter(([name]) => !ofOneStart.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const program = [version, process.version, process.cwd(), process.getuid?.()]
  const all = [program, variables, [resolve(file), ...files].map(contentOf)]
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

/** With what decides whether it may be read. */
function contentOf(file: string): unknown {
  try {
    const { mode, uid } = statSync(file)
    return [file, mode, uid, createHash('sha256').update(readFileSync(file)).digest('hex')]
  } catch {
    return [file]
  }
}

/** Content, owner or mode. */
function changedAt(file: string): Milliseconds {
  const { mtimeMs = 0, ctimeMs = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {}
  return Math.max(mtimeMs, ctimeMs)
}

const saltLength = 16
const nonceLength = 12
const tagLength = 16

function encryptionKey(privateKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', privateKey, salt, 'uraiden-agent kept settings', 32))
}

/** AES-256-GCM; salt, nonce and tag before it. */
function encrypted(plain: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const [salt, nonce] = [randomBytes(saltLength), randomBytes(nonceLength)]
  const cipher = createCipheriv('aes-256-gcm', encryptionKey(privateKey, salt), nonce)
  const content = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), content])
}

/** @throws Error when it was made with another key, or is damaged */
function decrypted(written: Uint8Array, privateKey: Uint8Array): Uint8Array {
  if (privateKey.length === 0) throw new Error('no key')
  const from = (start: number, length?: number) =>
    written.subarray(start, length === undefined ? undefined : start + length)
  const salt = from(0, saltLength)
  const nonce = from(saltLength, nonceLength)
  const tag = from(saltLength + nonceLength, tagLength)
  const decipher = createDecipheriv('aes-256-gcm', encryptionKey(privateKey, salt), nonce, {
    authTagLength: tagLength,
  })
  decipher.setAuthTag(tag)
  const content = from(saltLength + nonceLength + tagLength)
  return Buffer.concat([decipher.update(content), decipher.final()])
}
