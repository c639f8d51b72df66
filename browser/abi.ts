// As much of the ABI's encoding as the few calls need: words, and byte strings behind them
// (Solidity documentation, "Contract ABI Specification").

import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type Address,
  addressToBytes,
  fromHex,
  type Hex,
  toHex,
  type UraidenError,
  writeUint,
} from '../protocol/index.ts'
import { browserError } from './error-codes.ts'

/** An unsigned integer, an address, or a byte string. */
export type AbiValue = bigint | Address | Uint8Array

/** `encodeCall('approve(address,uint256)', [spender, 5n])`. Types: address, uintN, bytes. */
export function encodeCall(signature: string, values: readonly AbiValue[] = []): Hex {
  const selector = keccak_256(utf8ToBytes(signature)).subarray(0, 4)
  const heads: Uint8Array[] = []
  const tails: Uint8Array[] = []
  let tailAt = 32 * values.length
  for (const value of values) {
    if (!(value instanceof Uint8Array)) {
      heads.push(word(value))
      continue
    }
    const tail = concatBytes(word(BigInt(value.length)), padded(value))
    heads.push(word(BigInt(tailAt)))
    tails.push(tail)
    tailAt += tail.length
  }
  return toHex(concatBytes(selector, ...heads, ...tails))
}

function word(value: bigint | Address): Uint8Array {
  const bytes = new Uint8Array(32)
  if (typeof value === 'bigint') writeUint(bytes, value, 0, 32)
  else bytes.set(addressToBytes(value), 12)
  return bytes
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 32) * 32)
  whole.set(bytes)
  return whole
}

/**
 * An answer that is `count` words.
 * @throws UraidenError `not_a_contract` when it is shorter: there is no such contract
 */
export function decodeWords(answer: Hex, count: number): readonly bigint[] {
  const digits = answer.slice(2)
  if (digits.length < 64 * count) throw notAContract()
  return Array.from({ length: count }, (_, at) =>
    BigInt(`0x${digits.slice(64 * at, 64 * at + 64)}`),
  )
}

export function decodeWord(answer: Hex): bigint {
  const [value = 0n] = decodeWords(answer, 1)
  return value
}

/** A `string`; old tokens answer with a `bytes32` in its place. */
export function decodeText(answer: Hex): string {
  const bytes = fromHex(answer)
  const text = bytes.length === 32 ? bytes : stringBytes(answer, bytes)
  return new TextDecoder().decode(text).replace(/\0+$/, '')
}

function stringBytes(answer: Hex, bytes: Uint8Array): Uint8Array {
  const [offset = 0n, length = 0n] = decodeWords(answer, 2)
  if (offset !== 32n || 64n + length > BigInt(bytes.length)) throw notAContract()
  return bytes.subarray(64, 64 + Number(length))
}

function notAContract(): UraidenError {
  return browserError({
    code: 'not_a_contract',
    message: 'The chain does not know the contract, or it answers differently.',
  })
}

/** The first topic of an event's logs. */
export function topicOf(signature: string): Hex {
  return toHex(keccak_256(utf8ToBytes(signature)))
}
