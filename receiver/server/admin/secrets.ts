// Passwords and tokens as they stand in the configuration: scrypt (RFC 7914) in the PHC string
// format, $scrypt$ln=<log2 N>,r=<r>,p=<p>$<salt>$<hash>, base64 without padding.

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { receiverError } from '../../errors/index.ts'

declare const brand: unique symbol

/** A secret that can be compared with, and not read back. */
export type SecretHash = string & { readonly [brand]: 'SecretHash' }

/** 16 MB and some 50 ms: dear for who guesses, bearable for a Raspberry Pi. */
const cost = { ln: 14, r: 8, p: 1 } as const

/** Bounds for hashes that somebody else made, so that a line of configuration cannot take all memory. */
const mostCost = { ln: 17, r: 16, p: 4 } as const

const length = 32
const pattern =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{43})$/

const derive = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

export async function hashSecret(secret: string): Promise<SecretHash> {
  const salt = randomBytes(16)
  const hash = await deriveWith(cost, secret, salt)
  const { ln, r, p } = cost
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(hash)}` as SecretHash
}

/** @throws UraidenError `not_a_secret_hash` */
export function parseSecretHash(text: string): SecretHash {
  const [, ln = '0', r = '0', p = '0'] = pattern.exec(text) ?? []
  const isBounded =
    Number(ln) >= 10 && Number(ln) <= mostCost.ln && isUpTo(r, mostCost.r) && isUpTo(p, mostCost.p)
  if (isBounded) return text as SecretHash
  throw receiverError({
    code: 'not_a_secret_hash',
    // Not repeated: it may be the password itself.
    message: 'This is no scrypt hash.',
  })
}

/** Takes the same time whether it is right or wrong. */
export async function isSecret(hash: SecretHash, secret: string): Promise<boolean> {
  const [, ln = '', r = '', p = '', salt = '', expected = ''] = pattern.exec(hash) ?? []
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) }
  const found = await deriveWith(parameters, secret, Buffer.from(salt, 'base64'))
  return timingSafeEqual(found, Buffer.from(expected, 'base64'))
}

function deriveWith(
  { ln, r, p }: { readonly ln: number; readonly r: number; readonly p: number },
  secret: string,
  salt: Uint8Array,
): Promise<Buffer> {
  const N = 2 ** ln
  // As an accented letter can be typed in two ways, and terminals differ.
  return derive(secret.normalize('NFKC'), salt, length, { N, r, p, maxmem: 256 * N * r })
}

function isUpTo(text: string, most: number): boolean {
  return Number(text) >= 1 && Number(text) <= most
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
