// From a key to a signer: the one that systemd has sealed; a file with a geth keystore, or (with a warning) the
// bare key in hex.

import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromHex, isUraidenError, type Signer, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { addressOfPrivateKey } from './address.ts'
import { createKeySigner } from './key-signer.ts'
import { decryptKeystore, encryptKeystore } from './keystore.ts'
import { findPassword, type PasswordSources } from './password.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'
import { readSealed, type SealedKey, seal } from './sealed-key.ts'

export interface KeyFileOptions {
  readonly file: string
  /** Asked for only when the file is encrypted. */
  readonly password?: PasswordSources
  /** Told in a sentence what is allowed but unwise. */
  readonly warn?: (message: string) => void
}

/** `sealed` by systemd, in a file with a password, or bare in a file. */
export type KeyKind = 'sealed' | 'keystore' | 'bare'

export interface LoadedKey {
  readonly signer: Signer
  readonly kind: KeyKind
}

/**
 * A signer with the key of a file.
 * @throws UraidenError `key_file_missing`, `key_file_unreadable`, `key_file_readable_by_others`,
 * `key_file_of_another_user`, `key_password_missing`, `key_password_wrong`, `keystore_invalid`,
 * `key_file_invalid`
 */
export async function loadSigner(options: KeyFileOptions): Promise<Signer> {
  return signerOf(await readKey(options))
}

/**
 * Makes a key and writes it as a keystore of mode 0600. Resolves with its signer.
 * @throws UraidenError `key_file_exists`, `key_file_unwritable`
 */
export async function createKeyFile(file: string, password: string): Promise<Signer> {
  return writeKeyFile(file, randomKey(), password)
}

/**
 * Writes the key of another file as a new keystore.
 * @throws UraidenError those of `loadSigner` and `createKeyFile`
 */
export async function importKeyFile(
  from: KeyFileOptions,
  file: string,
  password: string,
): Promise<Signer> {
  return writeKeyFile(file, await readKey(from), password)
}

/**
 * A signer with the key that systemd has sealed, where it has one, else with that of a file.
 * @throws UraidenError those of `findKey`
 */
export async function loadKey(options: KeyFileOptions, sealed: SealedKey): Promise<LoadedKey> {
  const { key, kind } = await findKey(options, sealed)
  return { signer: signerOf(key), kind }
}

/** Of 32 bytes; who has it wipes it. */
export interface FoundKey {
  readonly key: Uint8Array
  readonly kind: KeyKind
}

/**
 * The key that systemd has sealed, where it has one, else that of a file.
 * @throws UraidenError those of `loadSigner`, `key_sealed_of_another`
 */
export async function findKey(options: KeyFileOptions, sealed: SealedKey): Promise<FoundKey> {
  const text = await readSealed(sealed)
  if (text === undefined) return readKeyOf(options)
  const key = bareKey(text.trim(), `$CREDENTIALS_DIRECTORY/${sealed.name}`)
  const address = addressOfPrivateKey(key)
  const other = await addressOfFile(options.file)
  if (other === undefined || other === address.slice(2).toLowerCase())
    return { key, kind: 'sealed' }
  key.fill(0)
  throw platformError({
    code: 'key_sealed_of_another',
    message: `The key that systemd has sealed is that of ${address}, and ${options.file} is that of 0x${other}.`,
  })
}

export interface Sealing {
  /** Of the credential. */
  readonly name: string
  /** Where systemd will look for it. */
  readonly file: string
}

/**
 * Has systemd encrypt the key of a file, whoever owns that, for a service of this machine. Resolves with its
 * signer.
 * @throws UraidenError those of `loadSigner`, `key_not_sealed`, `key_file_exists`, `key_file_unwritable`
 */
export async function sealKeyFile(from: KeyFileOptions, to: Sealing): Promise<Signer> {
  const { key } = await readKeyOf(from, 'anyone')
  const encrypted = await seal(key, to.name)
  await mkdir(dirname(to.file), { recursive: true, mode: 0o700 }).catch(() => undefined)
  await writePrivateFile(to.file, encrypted)
  return signerOf(key)
}

/** In a keystore it can be read without the password. Undefined where there is no such file. */
async function addressOfFile(file: string): Promise<string | undefined> {
  try {
    const { address } = Object(JSON.parse(await readPrivateFile(file)))
    return typeof address === 'string' ? address.replace(/^0x/, '').toLowerCase() : undefined
  } catch (error) {
    // Somebody may keep the file elsewhere, or have a bare key: what is sealed counts.
    if (isUraidenError(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function writeKeyFile(file: string, key: Uint8Array, password: string): Promise<Signer> {
  if (password === '') {
    throw platformError({
      code: 'key_password_missing',
      message: 'The password for the new key file is empty.',
      hint: 'Give a password; it protects the key when the SD card is lost.',
    })
  }
  await writePrivateFile(file, await encryptKeystore(key, password))
  return signerOf(key)
}

function signerOf(key: Uint8Array): Signer {
  const signer = createKeySigner(key)
  key.fill(0)
  return signer
}

async function readKey(options: KeyFileOptions): Promise<Uint8Array> {
  return (await readKeyOf(options)).key
}

async function readKeyOf(
  { file, password = {}, warn }: KeyFileOptions,
  whose: 'own' | 'anyone' = 'own',
): Promise<FoundKey> {
  const text = (await readPrivateFile(file, whose)).trim()
  if (text.startsWith('{')) {
    const key = await decryptKeystore(text, await findPassword(password), file)
    return { key: validKey(key, file), kind: 'keystore' }
  }
  const key = bareKey(text, file)
  warn?.(
    `The key in ${file} is not encrypted. Make it a keystore with: key import ${file} <new file>`,
  )
  return { key, kind: 'bare' }
}

/** In 64 digits. `file` is for messages. */
function bareKey(text: string, file: string): Uint8Array {
  const digits = text.replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw notAKey(file)
  return validKey(fromHex(`0x${digits}`), file)
}

/** 0 and numbers from the group's order up are no keys (SEC 1, section 3.2.1). */
function validKey(key: Uint8Array, file: string): Uint8Array {
  try {
    addressOfPrivateKey(key)
    return key
  } catch {
    // Without the cause: a library's message could hold the key.
    throw notAKey(file)
  }
}

function randomKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32))
    try {
      addressOfPrivateKey(key)
      return key
    } catch {
      // One in 2^128 is not below the group's order: draw again.
    }
  }
}

function notAKey(file: string): UraidenError {
  return platformError({
    code: 'key_file_invalid',
    message: `The file ${file} holds neither a keystore nor a private key.`,
  })
}
