// A channel's identity: who pays whom, and the block in which it was opened.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, addressToBytes } from './address.ts'
import { type Hex, shorten, toHex, writeUint } from './bytes.ts'
import { protocolError } from './errors.ts'

/** A block's height. On the wire and in the contract it is a `uint32`. */
export type BlockNumber = number

export const maxBlockNumber: BlockNumber = 2 ** 32 - 1

export interface ChannelId {
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: BlockNumber
}

/**
 * The contract's key of a channel: `keccak256(sender ‖ receiver ‖ open block as 4 bytes)`
 * (wire-protocol.md section 4, `getKey` of the contract).
 */
export function channelKey(channel: ChannelId): Hex {
  const packed = new Uint8Array(44)
  packed.set(addressToBytes(channel.sender), 0)
  packed.set(addressToBytes(channel.receiver), 20)
  writeUint(packed, BigInt(channel.openBlock), 40, 4)
  return toHex(keccak_256(packed))
}

/**
 * A decimal `uint32` as the `RDN-Open-Block` header carries it.
 * @throws UraidenError `not_a_block_number`
 */
export function parseBlockNumber(text: string): BlockNumber {
  const block = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(block <= maxBlockNumber)) {
    throw protocolError({
      code: 'not_a_block_number',
      message: `"${shorten(text)}" is not a block number.`,
      hint: `Write a decimal integer from 0 to ${maxBlockNumber}.`,
    })
  }
  return block
}
