// Whether an authorization is what was asked for: decided on plain data, before the chain is asked anything.
import {
  type Address,
  fromHex,
  isUraidenError,
  parseSignature,
  type Signature,
} from '../../protocol/index.ts'
import {
  type ExactPayload,
  exactTerms,
  type PaymentSignature,
  parseExactPayload,
  type Requirements,
  transferDigest,
} from '../../protocol/x402/index.ts'
import { isSignedBy, type Recovery } from '../signatures/recovery.ts'
import type { Asset } from './token.ts'

/** As stock facilitators name them. */
export type ExactReason =
  | 'invalid_exact_evm_authorization_value'
  | 'invalid_exact_evm_insufficient_balance'
  | 'invalid_exact_evm_network_mismatch'
  | 'invalid_exact_evm_nonce_already_used'
  | 'invalid_exact_evm_payload_authorization_valid_after'
  | 'invalid_exact_evm_payload_authorization_valid_before'
  | 'invalid_exact_evm_payload_authorization_value_mismatch'
  | 'invalid_exact_evm_recipient_mismatch'
  | 'invalid_exact_evm_signature'
  | 'invalid_exact_evm_transaction_failed'
  | 'invalid_exact_evm_transaction_simulation_failed'

/** `detail` is a sentence for a person. */
export interface Fault {
  readonly reason: ExactReason
  readonly detail: string
}

/** A payment that is to be settled. */
export interface ExactPayment extends ExactPayload {
  readonly signature: Signature
  /** As the buyer has sent it, and what is asked for: for a facilitator. */
  readonly sent: PaymentSignature
  readonly requirements: Requirements
}

export interface Demand {
  readonly chainId: bigint
  readonly asset: Asset
  readonly payTo: Address
  /** What is offered now. */
  readonly offer: Requirements
  readonly recovery: Recovery
}

/** In seconds: what runs out on its way costs gas for nothing. */
const leastValid = 6n

/** And at most: each is remembered until it has expired. */
const mostValid = 86_400n

/**
 * The payment, signed by its payer and for us; or what is wrong with it.
 * @throws UraidenError `malformed_x402`
 */
export function checkExact(sent: PaymentSignature, demand: Demand): ExactPayment | Fault {
  const { accepted, payload } = sent
  const { authorization, signature } = parseExactPayload(payload, 'PAYMENT-SIGNATURE.payload')
  const accept = exactTerms(accepted, 'PAYMENT-SIGNATURE.accepted')
  const { chainId, asset, payTo } = demand
  if (accept.chainId !== chainId || accept.asset !== asset.address) {
    return fault(
      'invalid_exact_evm_network_mismatch',
      `What is taken is ${asset.symbol} (${asset.address}) on the chain ${chainId}.`,
    )
  }
  if (authorization.to !== payTo || accept.payTo !== payTo) {
    return fault('invalid_exact_evm_recipient_mismatch', `The payment is to go to ${payTo}.`)
  }
  if (authorization.value !== accept.amount) {
    return fault(
      'invalid_exact_evm_payload_authorization_value_mismatch',
      `It authorizes ${authorization.value} and accepts ${accept.amount}.`,
    )
  }
  const own = signatureOf(signature)
  if (typeof own !== 'string') return own
  const digest = transferDigest(asset.separator, authorization)
  const bytes = { digest, signature: fromHex(own) }
  if (!isSignedBy(demand.recovery, fromHex(authorization.from), bytes)) {
    return fault(
      'invalid_exact_evm_signature',
      `It is not signed by ${authorization.from} for “${asset.domain.name}”, version ${asset.domain.version}.`,
    )
  }
  const requirements = { ...demand.offer, amount: accepted.amount }
  return { authorization, signature: own, sent, requirements }
}

/**
 * What is wrong with a payment that was not seen before. `least` is what is asked, in the asset's smallest unit;
 * `time` that of the chain's newest block, in Unix seconds.
 */
export function checkTerms(
  { authorization: { value, validAfter, validBefore } }: ExactPayment,
  { least, time }: { readonly least: bigint; readonly time: number },
): Fault | undefined {
  if (value < least) return tooLittle(value, least)
  if (validAfter >= BigInt(time)) {
    return fault(
      'invalid_exact_evm_payload_authorization_valid_after',
      `It is good after ${validAfter}; by the chain’s clock it is ${time}.`,
    )
  }
  const left = validBefore - BigInt(time)
  if (left >= leastValid && left <= mostValid) return undefined
  return fault(
    'invalid_exact_evm_payload_authorization_valid_before',
    `It is good before ${validBefore}; that should be ${leastValid} to ${mostValid} seconds after ${time}, the time of the chain.`,
  )
}

export function tooLittle(value: bigint, least: bigint): Fault {
  return fault(
    'invalid_exact_evm_authorization_value',
    `It authorizes ${value}; this costs ${least}.`,
  )
}

/** Of smart wallets only the token itself could tell, at a cost that strangers would choose. */
function signatureOf(signature: string): Signature | Fault {
  if (signature.length !== 132) {
    return fault(
      'invalid_exact_evm_signature',
      'Only signatures of 65 bytes are taken: smart wallets (EIP-1271, EIP-6492) cannot pay here.',
    )
  }
  try {
    return parseSignature(signature)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return fault('invalid_exact_evm_signature', error.message)
  }
}

function fault(reason: ExactReason, detail: string): Fault {
  return { reason, detail }
}

export function isFault(found: object): found is Fault {
  return 'reason' in found
}
