// The RDN fields of bound requests: for which channel, and what they pay.

import { type Address, parseAddress } from '../address.ts'
import { parseUint192, type TokenAmount } from '../amount.ts'
import { type ContractBlock, parseBlockNumber } from '../channel.ts'
import { defined } from '../defined.ts'
import { protocolError } from '../errors.ts'
import { type HeaderFields, type HeaderSource, headerName, parseField } from '../headers.ts'
import { parseSignature, type Signature } from '../signature.ts'
import {
  formatCommitment,
  parseCommitment,
  parseTickWord,
  type SignedCommitment,
  type TickWord,
} from '../ticks.ts'
import { parseOrigin } from './origin.ts'
import { boundHeaderName } from './profile.ts'

/** What every bound request says. */
export interface Audience {
  /** Which origin the sender dialled. */
  readonly origin: string
  readonly contract: Address
  readonly receiver: Address
  readonly sender: Address
  readonly openBlock: ContractBlock
}

/** What a bound request pays. */
export interface BoundPayment {
  /** The new cumulative balance: last balance + amount. */
  readonly balance: TokenAmount
  /** The price that the sender means to pay. */
  readonly amount: TokenAmount
  /** Not needed at or below a balance that is proven already. */
  readonly signature?: Signature
  /** In place of a signature: w_i of a commitment on whose grid the balance lies. */
  readonly tick?: TickWord
  /** Until an answer shows that the receiver knows it. */
  readonly commitment?: SignedCommitment
}

export function formatAudience(audience: Audience): HeaderFields {
  return {
    [boundHeaderName.origin]: audience.origin,
    [headerName.contract]: audience.contract,
    [headerName.receiver]: audience.receiver,
    [headerName.sender]: audience.sender,
    [headerName.openBlock]: audience.openBlock.toString(),
  }
}

/**
 * @param covered fields that a signature covers, and no others
 * @throws UraidenError `missing_header`, `malformed_header`
 */
export function parseAudience(covered: HeaderSource): Audience {
  return {
    origin: required(covered, boundHeaderName.origin, parseOrigin),
    contract: required(covered, headerName.contract, parseAddress),
    receiver: required(covered, headerName.receiver, parseAddress),
    sender: required(covered, headerName.sender, parseAddress),
    openBlock: required(covered, headerName.openBlock, parseBlockNumber),
  }
}

export function formatBoundPayment(payment: BoundPayment): HeaderFields {
  const { balance, amount, signature, tick, commitment } = payment
  return defined({
    [headerName.balance]: balance.toString(),
    [headerName.payment]: amount.toString(),
    [headerName.signature]: signature,
    [headerName.tick]: tick,
    [headerName.tickCommitment]: commitment && formatCommitment(commitment),
  })
}

/**
 * The payment of a bound request; undefined when it has no balance.
 * @param covered fields that a signature covers, and no others
 * @throws UraidenError `missing_header`, `malformed_header`, `high_s_signature`
 */
export function parseBoundPayment(covered: HeaderSource): BoundPayment | undefined {
  if (covered(headerName.balance) === undefined) return
  return {
    balance: required(covered, headerName.balance, parseUint192),
    amount: required(covered, headerName.payment, parseUint192),
    ...defined({
      signature: optional(covered, headerName.signature, parseSignature),
      tick: optional(covered, headerName.tick, parseTickWord),
      commitment: optional(covered, headerName.tickCommitment, parseCommitment),
    }),
  }
}

function optional<Value>(
  covered: HeaderSource,
  name: string,
  parse: (text: string) => Value,
): Value | undefined {
  const text = covered(name)
  return text === undefined ? undefined : parseField(name, text, parse)
}

function required<Value>(
  covered: HeaderSource,
  name: string,
  parse: (text: string) => Value,
): Value {
  const text = covered(name)
  if (text === undefined) {
    throw protocolError({
      code: 'missing_header',
      message: `The request does not cover ${name}.`,
      hint: 'A bound request has it, and its signature covers it.',
    })
  }
  return parseField(name, text, parse)
}
