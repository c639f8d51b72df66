// Ethereum's Web3 Secret Storage, version 3, as geth writes it: a private key, encrypted with a
// password. Done with Node's own scrypt, PBKDF2 and AES: ethers would do it too, but loading it
// takes an agent on a small Pi longer than everything else it does before its first request.
// https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/

import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  randomBytes,
  randomUUID,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import type { UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { addressOfPrivateKey } from './address.ts'

/**
 * For keystores that this project writes, of the settings OWASP holds equal in strength the one
 * that needs 32 MiB: geth's own needs 256 MiB, which a small Pi does not have to spare.
 */
const ownScrypt = { n: 2 ** 15, r: 8, p: 3 }

/** Over this a file would take a Pi's whole memory, or minutes: it is damaged or hostile. */
const mostScryptBytes = 2 ** 29
const mostScryptWork = 2 ** 31
const mostPbkdf2Rounds = 10_000_000

const hexBytes = (least: number, most = least) =>
  z
    .string()
    .transform((text) => text.replace(/^0x/, ''))
    .pipe(z.string().regex(new RegExp(`^(?:[0-9a-fA-F]{2}){${least},${most}}$`)))
    .transform((digits) => Buffer.from(digits, 'hex'))
const salt = hexBytes(0, 256)
const keystore = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    ciphertext: hexBytes(32),
    cipherparams: z.object({ iv: hexBytes(16) }),
    mac: hexBytes(32),
    kdf: z.string(),
    kdfparams: z.unknown(),
  }),
})
const scryptParameters = z.object({
  dklen: z.literal(32),
  n: z.int().min(2),
  r: z.int().min(1),
  p: z.int().min(1),
  salt,
})
const pbkdf2Parameters = z.object({
  dklen: z.literal(32),
  c: z.int().min(1).max(mostPbkdf2Rounds),
  prf: z.literal('hmac-sha256'),
  salt,
})

type Secret = Uint8Array

/**
 * The private key in a keystore. `name` is the file, for messages.
 * @throws UraidenError `keystore_invalid`, `key_password_wrong`
 */
export async function decryptKeystore(
  json: string,
  password: string,
  name: string,
): Promise<Secret> {
  const { crypto } = parseKeystore(json, name)
  const derived = await deriveKey(crypto.kdf, crypto.kdfparams, password, name)
  const mac = keccak_256(Buffer.concat([derived.subarray(16, 32), crypto.ciphertext]))
  if (!timingSafeEqual(mac, crypto.mac)) {
    throw platformError({
      code: 'key_password_wrong',
      message: `The password does not open the key file ${name}.`,
    })
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), crypto.cipherparams.iv)
  const key = Buffer.concat([decipher.update(crypto.ciphertext), decipher.final()])
  derived.fill(0)
  return key
}

/** A keystore that geth and every wallet can read. */
export async function encryptKeystore(key: Secret, password: string): Promise<string> {
  const { n, r, p } = ownScrypt
  const salt = randomBytes(32)
  const iv = randomBytes(16)
  const derived = await runScrypt(password, salt, ownScrypt)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()])
  const mac = Buffer.from(keccak_256(Buffer.concat([derived.subarray(16, 32), ciphertext])))
  derived.fill(0)
  const written = {
    version: 3,
    id: randomUUID(),
    address: addressOfPrivateKey(key).slice(2).toLowerCase(),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: ciphertext.toString('hex'),
      cipherparams: { iv: iv.toString('hex') },
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n, r, p, salt: salt.toString('hex') },
      mac: mac.toString('hex'),
    },
  }
  return `${JSON.stringify(written, undefined, 2)}\n`
}

function parseKeystore(json: string, name: string): z.output<typeof keystore> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw invalid(name, 'it is not JSON')
  }
  // Old wallets wrote `Crypto`.
  const { Crypto, ...rest } = Object(value) as { readonly Crypto?: unknown }
  const parsed = keystore.safeParse(Crypto === undefined ? value : { ...rest, crypto: Crypto })
  if (!parsed.success) throw invalid(name, wrongField(parsed.error))
  return parsed.data
}

async function deriveKey(
  kdf: string,
  parameters: unknown,
  password: string,
  name: string,
): Promise<Buffer> {
  if (kdf === 'pbkdf2') {
    const { c, salt } = checked(pbkdf2Parameters, parameters, name)
    return promisify(pbkdf2)(password, salt, c, 32, 'sha256')
  }
  if (kdf !== 'scrypt') throw invalid(name, `its kdf is ${kdf.slice(0, 20)}`)
  const { salt, ...cost } = checked(scryptParameters, parameters, name)
  const { n, r, p } = cost
  if (128 * n * r > mostScryptBytes || n * r * p > mostScryptWork / 128 || !isPowerOfTwo(n)) {
    throw invalid(name, `its scrypt cost n=${n} r=${r} p=${p} is out of bounds`)
  }
  return runScrypt(password, salt, cost)
}

function checked<Output>(schema: z.ZodType<Output>, value: unknown, name: string): Output {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(name, wrongField(parsed.error))
  return parsed.data
}

interface ScryptCost {
  readonly n: number
  readonly r: number
  readonly p: number
}

const scryptAsync = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

async function runScrypt(
  password: string,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
): Promise<Buffer> {
  // RFC 7914, section 2, wants n < 2^(16 r), and Node insists; the specification's own example and
  // some old wallets have r = 1 with a larger n.
  if (Math.log2(n) >= 16 * r) {
    const { scryptAsync: scryptInJavaScript } = await import('@noble/hashes/scrypt.js')
    const maxmem = mostScryptBytes * 2
    return Buffer.from(await scryptInJavaScript(password, salt, { N: n, r, p, dkLen: 32, maxmem }))
  }
  // Node counts its bookkeeping against the limit too.
  const maxmem = 128 * r * (n + p) + 2 ** 20
  return scryptAsync(password, salt, 32, { N: n, r, p, maxmem })
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n))
}

/** Names the field only: values of a key file appear in no message. */
function wrongField(error: z.ZodError): string {
  return `its field ${error.issues[0]?.path.join('.') || 'version'} is not what it should be`
}

function invalid(name: string, reason: string): UraidenError {
  return platformError({
    code: 'keystore_invalid',
    message: `The key file ${name} cannot be used: ${reason}.`,
  })
}
