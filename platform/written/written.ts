// What a program hands to the library as people write it: addresses and amounts as texts, a key by its file. Each
// is checked where it comes in, and its error names the option.
import {
  type Address,
  errorAbout,
  isUraidenError,
  parseAmount,
  parseTypedAddress,
  type Signer,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

/** An amount: of the smallest unit (`bigint`), or as a person writes it, such as `'0.005 TKN'` or `'5 units'`. */
export type Amount = TokenAmount | string

/** A key by its file: a keystore (Web3 Secret Storage, version 3), or the bare key in hex. */
export interface KeyFile {
  readonly file: string
  /** Of a keystore. */
  readonly password?: string
  /** A file with the password in its first line, in place of `password`. */
  readonly passwordFile?: string
}

/** Who signs: something that holds the key, or the file that the key is in. */
export type KeyChoice =
  | { readonly signer: Signer; readonly key?: undefined }
  | { readonly key: KeyFile; readonly signer?: undefined }

/** A `KeyChoice` of which nobody knows yet whether it is one. */
interface KeyParts {
  readonly signer: Signer | undefined
  readonly key: KeyFile | undefined
}

/**
 * An address as a person wrote it; `option` is for the message.
 * @throws UraidenError `not_an_address`, `wrong_checksum`
 */
export function addressOption(option: string, text: string): Address {
  return named(option, () => parseTypedAddress(`${text}`))
}

/**
 * An amount in the token's smallest unit; `option` is for the message.
 * @throws UraidenError those of `parseAmount`
 */
export function amountOption(option: string, amount: Amount, token: TokenUnit): TokenAmount {
  return typeof amount === 'bigint' ? amount : named(option, () => parseAmount(`${amount}`, token))
}

/**
 * @throws UraidenError `key_not_given`, those of `loadSigner`
 */
export async function signerOption({ signer, key }: KeyParts): Promise<Signer> {
  if (signer !== undefined && key === undefined) return signer
  if (key === undefined || signer !== undefined) throw keyNotGiven(signer)
  const { file, password, passwordFile } = key
  // Reading keystores takes memory that a process with a signer need not spend.
  const { loadSigner } = await import('../keys/key-file.ts')
  const prompt = password === undefined ? undefined : async () => password
  return loadSigner({ file, password: { file: passwordFile, prompt } })
}

function keyNotGiven(signer: Signer | undefined): UraidenError {
  return platformError({
    code: 'key_not_given',
    message:
      signer === undefined
        ? 'Neither signer nor key is given.'
        : 'Both signer and key are given, and only one can sign.',
  })
}

function named<Value>(option: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw isUraidenError(error) ? errorAbout(option, error) : error
  }
}
