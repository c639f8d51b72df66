// From a key file to a signer: geth keystore, or (with a warning) the bare key in hex.

import { randomBytes } from 'node:crypto'
import { fromHex, type Signer, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { addressOfPrivateKey } from './address.ts'
import { createKeySigner } from './key-signer.ts'
import { decryptKeystore, encryptKeystore } from './keystore.ts'
import { findPassword, type PasswordSources } from './password.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export interface KeyFileOptions {
  readonly file: string
  /** Asked for only when the file is encrypted. */
  readonly password?: PasswordSources
  /** Told in a sentence what is allowed but unwise. */
  readonly warn?: (message: string) => void
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

async function readKey({ file, password = {}, warn }: KeyFileOptions): Promise<Uint8Array> {
  const text = (await readPrivateFile(file)).trim()
  if (text.startsWith('{')) {
    return validKey(await decryptKeystore(text, await findPassword(password), file), file)
  }
  const digits = text.replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw notAKey(file)
  const key = validKey(fromHex(`0x${digits}`), file)
  warn?.(
    `The key in ${file} is not encrypted. Make it a keystore with: key import ${file} <new file>`,
  )
  return key
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
