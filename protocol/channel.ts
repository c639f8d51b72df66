// A channel's identity: who pays whom, and the block in which it was opened.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, addressToBytes } from './address.ts'
import { type Hex, shorten, toHex, writeUint } from './bytes.ts'
import { protocolError } from './errors.ts'

declare const clock: unique symbol

/**
 * A block as the chain itself counts: in its blocks, receipts and filters. Confirmations and reorganisations go by
 * it. Where contracts count with the blocks of the chain below (Arbitrum), it is no `ContractBlock`.
 */
export type ChainBlock = number & { readonly [clock]?: 'chain' }

/**
 * A block as the contract counts (`block.number`): it names channels and ends challenge periods. On the wire and
 * in the contract it is a `uint32`.
 */
export type ContractBlock = number & { readonly [clock]?: 'contract' }

export const maxBlockNumber = 2 ** 32 - 1

export interface ChannelId {
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: ContractBlock
}

/**
 * The contract's key of a channel: `keccak256(sender ‖ receiver ‖ open block as 4 bytes)`
 * (wire-protocol.md section 4, `getKey` of the contract).
 * @example
 * channelKey(channel).length // 66
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
 * @example
 * parseBlockNumber('17') // 17
 */
export function parseBlockNumber(text: string): number {
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
