// A payment without HTTP: a balance proof as plain JSON, which a sender hands to a receiver by MQTT, a serial line
// or Bluetooth. It proves what a payment's headers prove (wire-protocol.md section 2).
import { type Address, parseAddress } from './address.ts'
import { parseUint192 } from './amount.ts'
import { type ContractBlock, maxBlockNumber } from './channel.ts'
import { isUraidenError, protocolError, type UraidenError } from './errors.ts'
import type { Payment } from './headers.ts'
import { parseSignature, type Signature } from './signature.ts'

/** As it travels: amounts are decimals of the token's smallest unit. */
export interface TransferProof {
  readonly chainId: string
  readonly contract: Address
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: ContractBlock
  /** What is signed: all that the sender has paid on the channel. */
  readonly balance: string
  /** What this transfer adds to it. */
  readonly amount: string
  readonly signature: Signature
}

/** The same as values. */
export interface Transfer extends Required<Payment> {
  readonly chainId: bigint
}

/**
 * The JSON of a transfer.
 * @example
 * const text = JSON.stringify(formatTransfer(transfer))
 */
export function formatTransfer(transfer: Transfer): TransferProof {
  const { chainId, contract, sender, receiver, openBlock, balance, amount, signature } = transfer
  return {
    ...{ chainId: `${chainId}`, contract, sender, receiver, openBlock },
    ...{ balance: `${balance}`, amount: `${amount}`, signature },
  }
}

/**
 * A transfer of what came in as JSON. Nothing of it is proven by that.
 * @throws UraidenError `transfer_malformed`
 * @example
 * const { sender, amount } = parseTransfer(JSON.parse(text))
 */
export function parseTransfer(value: unknown): Transfer {
  if (typeof value !== 'object' || value === null) throw malformed('It is no object.')
  const fields = value as { readonly [name: string]: unknown }
  const read = <Value>(name: keyof TransferProof, parse: (text: string) => Value): Value => {
    const given = fields[name]
    if (typeof given !== 'string') throw malformed(`${name}: it is no text.`)
    try {
      return parse(given)
    } catch (error) {
      if (isUraidenError(error)) throw malformed(`${name}: ${error.message}`, error)
      throw error
    }
  }
  const amount = read('amount', parseUint192)
  if (amount === 0n) throw malformed('amount: it is 0.')
  return {
    chainId: read('chainId', parseUint192),
    contract: read('contract', parseAddress),
    sender: read('sender', parseAddress),
    receiver: read('receiver', parseAddress),
    openBlock: openBlockOf(fields.openBlock),
    balance: read('balance', parseUint192),
    amount,
    signature: read('signature', parseSignature),
  }
}

function openBlockOf(given: unknown): ContractBlock {
  const isBlock = typeof given === 'number' && Number.isInteger(given) && given >= 0
  if (!isBlock || given > maxBlockNumber) throw malformed('openBlock: it is no block number.')
  return given
}

function malformed(why: string, cause?: unknown): UraidenError {
  return protocolError({
    code: 'transfer_malformed',
    message: `This is no transfer. ${why}`,
    cause,
  })
}
