// The RDN fields of bound requests: for which channel, and what they pay.

import { type Address, parseAddress } from '../address.ts'
import { parseUint192, type TokenAmount } from '../amount.ts'
import { type ContractBlock, parseBlockNumber } from '../channel.ts'
import { protocolError } from '../errors.ts'
import { type HeaderFields, type HeaderSource, headerName, parseField } from '../headers.ts'
import { parseSignature, type Signature } from '../signature.ts'
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

export function formatBoundPayment({ balance, amount, signature }: BoundPayment): HeaderFields {
  return {
    [headerName.balance]: balance.toString(),
    [headerName.payment]: amount.toString(),
    ...(signature === undefined ? {} : { [headerName.signature]: signature }),
  }
}

/**
 * The payment of a bound request; undefined when it has no balance.
 * @param covered fields that a signature covers, and no others
 * @throws UraidenError `missing_header`, `malformed_header`, `high_s_signature`
 */
export function parseBoundPayment(covered: HeaderSource): BoundPayment | undefined {
  if (covered(headerName.balance) === undefined) return
  const signature = covered(headerName.signature)
  return {
    balance: required(covered, headerName.balance, parseUint192),
    amount: required(covered, headerName.payment, parseUint192),
    ...(signature === undefined
      ? {}
      : { signature: parseField(headerName.signature, signature, parseSignature) }),
  }
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
