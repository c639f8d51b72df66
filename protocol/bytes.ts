// Bytes, hex and big-endian integers, as the Ethereum ABI's packed encoding has them.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { protocolError } from './errors.ts'

/** Bytes in hex with `0x`, lower case. */
export type Hex = `0x${string}`

const evenHex = /^0x(?:[0-9a-fA-F]{2})*$/

/**
 * True for `0x` and an even number of hex digits.
 * @example
 * isHex('0x0a') // true
 * isHex('0a') // false
 */
export function isHex(value: unknown): value is Hex {
  return typeof value === 'string' && evenHex.test(value)
}

/**
 * In lower case, with 0x.
 * @example
 * toHex(Uint8Array.of(10, 255)) // '0x0aff'
 */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`
}

/**
 * A number of JSON-RPC (EIP-1474, `QUANTITY`): no leading zeros.
 * @example
 * toQuantity(255) // '0xff'
 */
export function toQuantity(number: number | bigint): Hex {
  return `0x${number.toString(16)}`
}

/**
 * Bytes from hex with `0x`.
 * @throws UraidenError `not_hex`
 * @example
 * fromHex('0x0aff') // Uint8Array.of(10, 255)
 */
export function fromHex(text: string): Uint8Array {
  if (!isHex(text)) {
    throw protocolError({
      code: 'not_hex',
      message: `"${shorten(text)}" is not bytes in hex.`,
    })
  }
  return hexToBytes(text.slice(2))
}

/**
 * Writes an unsigned integer big-endian into `target[offset, offset + length)`.
 * @throws RangeError when it does not fit: callers check their own bounds first.
 * @example
 * const word = new Uint8Array(4)
 * writeUint(word, 258n, 0, 4)
 * word // Uint8Array.of(0, 0, 1, 2)
 */
export function writeUint(target: Uint8Array, value: bigint, offset: number, length: number): void {
  if (value < 0n || value >> BigInt(8 * length) !== 0n) {
    throw new RangeError(`${value} does not fit ${length} bytes`)
  }
  let rest = value
  for (let at = offset + length - 1; at >= offset; at--) {
    target[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
}

/**
 * At most `most` characters of foreign text, so that an error message stays readable.
 * @example
 * shorten('a long text of somebody else', 10) // 'a long tex…'
 */
export function shorten(text: string, most = 80): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`
}

/**
 * Servers of the original take addresses and signatures in hex without `0x`, too.
 * @example
 * fromOriginal(parseBlockNumber)('17') // 17
 */
export function fromOriginal<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => parse(/^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{130})$/.test(text) ? `0x${text}` : text)
}
