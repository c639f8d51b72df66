// Ethereum addresses. Inside the program an address is always its EIP-55 form, so `===` compares
// by value, as wire-protocol.md asks.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { fromHex, shorten } from './bytes.ts'
import { protocolError } from './errors.ts'
import { createRecent } from './recent.ts'

declare const brand: unique symbol

/** 20 bytes in hex with `0x` and the EIP-55 checksum. Only this module makes them. */
export type Address = `0x${string}` & { readonly [brand]: 'Address' }

const addressPattern = /^0x[0-9a-fA-F]{40}$/

/**
 * An address as another program wrote it: any case is accepted.
 * @throws UraidenError `not_an_address`
 * @example
 * parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8') // '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
 */
export function parseAddress(text: string): Address {
  requirePattern(text)
  return known.get(text) ?? remember(text)
}

/**
 * One that this program has written: its checksum is there already, and is not computed again.
 * @throws UraidenError `not_an_address`
 * @example
 * storedAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8') === receiver // true
 */
export function storedAddress(text: string): Address {
  requirePattern(text)
  return text as Address
}

function requirePattern(text: string): void {
  if (addressPattern.test(text)) return
  throw protocolError({
    code: 'not_an_address',
    message: `"${shorten(text)}" is not an address.`,
  })
}

/**
 * Texts that were parsed lately: a server sees the same in every request, and a checksum costs a hash. Enough
 * for 100 000 senders, and made-up addresses take 33 MB at most.
 */
const known = createRecent<Address>(2 * 102_400)

function remember(text: string): Address {
  const lower = `0x${text.slice(2).toLowerCase()}`
  const address = checksum(lower.slice(2))
  // Not the text itself, which may be a part of a whole header that would stay with it.
  if (text === address) known.set(address, address)
  else if (text === lower) known.set(lower, address)
  return address
}

/**
 * An address as a person wrote it: when it has letters of both cases, its EIP-55 checksum must be
 * right, so that a typing error is found before money is sent there.
 * @throws UraidenError `not_an_address`, `wrong_checksum`
 * @example
 * parseTypedAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8') === receiver // true
 */
export function parseTypedAddress(text: string): Address {
  const address = parseAddress(text)
  const digits = text.slice(2)
  const oneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase()
  if (!oneCase && text !== address) {
    throw protocolError({
      code: 'wrong_checksum',
      message: `The address ${text} has a wrong checksum.`,
    })
  }
  return address
}

/**
 * The address of 20 bytes.
 * @example
 * addressFromBytes(addressToBytes(receiver)) === receiver // true
 */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new RangeError(`an address has 20 bytes, not ${bytes.length}`)
  return checksum(bytesToHex(bytes))
}

/**
 * The 20 bytes of an address.
 * @example
 * addressToBytes(receiver).length // 20
 */
export function addressToBytes(address: Address): Uint8Array {
  return fromHex(address)
}

/** EIP-55: a letter is upper case where the hash of the lower-case digits has a nibble above 7. */
function checksum(lowerCaseDigits: string): Address {
  const hash = keccak_256(utf8ToBytes(lowerCaseDigits))
  let text = '0x'
  for (let at = 0; at < 40; at++) {
    const byte = hash[at >> 1] ?? 0
    const nibble = at % 2 === 0 ? byte >> 4 : byte & 15
    const digit = lowerCaseDigits.charAt(at)
    text += nibble > 7 ? digit.toUpperCase() : digit
  }
  return text as Address
}
