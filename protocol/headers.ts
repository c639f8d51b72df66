// The RDN headers: their names, what stands in them, and back (wire-protocol.md sections 2, 3, 8).

import { type Address, parseAddress } from './address.ts'
import { parseUint192, type TokenAmount } from './amount.ts'
import { fromOriginal } from './bytes.ts'
import { type ContractBlock, parseBlockNumber } from './channel.ts'
import { defined } from './defined.ts'
import { isUraidenError, protocolError, type UraidenError } from './errors.ts'
import { parseSignature, type Signature } from './signature.ts'
import { parseShownProof, type ShownProof } from './ticks.ts'

export const headerName = {
  gatewayPath: 'RDN-Gateway-Path',
  receiver: 'RDN-Receiver-Address',
  contract: 'RDN-Contract-Address',
  otherContracts: 'RDN-Other-Contracts',
  token: 'RDN-Token-Address',
  price: 'RDN-Price',
  sender: 'RDN-Sender-Address',
  senderBalance: 'RDN-Sender-Balance',
  balance: 'RDN-Balance',
  signature: 'RDN-Balance-Signature',
  openBlock: 'RDN-Open-Block',
  payment: 'RDN-Payment',
  cost: 'RDN-Cost',
  features: 'RDN-Features',
  nonexistingChannel: 'RDN-Nonexisting-Channel',
  insufficientConfirmations: 'RDN-Insufficient-Confirmations',
  invalidBalanceProof: 'RDN-Invalid-Balance-Proof',
  invalidAmount: 'RDN-Invalid-Amount',
  /** On a bound request: one value of a chain of hashes, in place of a signature. */
  tick: 'RDN-Tick',
  tickCommitment: 'RDN-Tick-Commitment',
  tickUnknown: 'RDN-Tick-Unknown',
  /** A cookie only: browsers cannot be told to send `Idempotency-Key`. */
  idempotencyKey: 'RDN-Idempotency-Key',
  /** On a bound request: asks for a ticket. As a cookie it is one. */
  ticket: 'RDN-Ticket',
} as const

/** The one reason that a 402 may give, by its header. */
const reasonHeaders = {
  nonexisting_channel: headerName.nonexistingChannel,
  insufficient_confirmations: headerName.insufficientConfirmations,
  invalid_balance_proof: headerName.invalidBalanceProof,
  invalid_amount: headerName.invalidAmount,
  tick_unknown: headerName.tickUnknown,
} as const

export type PaymentReason = keyof typeof reasonHeaders

const paymentReasons = Object.keys(reasonHeaders) as readonly PaymentReason[]

/** What a receiver may offer beyond the original (section 8). */
const knownFeatures = ['parallel', 'idempotency', 'eip712', 'relay', 'ticks'] as const

export type Feature = (typeof knownFeatures)[number]

/** A header's (or cookie's) value by its name, whatever the case; undefined when it is not there. */
export type HeaderSource = (name: string) => string | undefined

/** What a receiver answers about a request, on a 402 and on a paid answer alike (section 2). */
export interface Terms {
  /** Root of the channel API, a path such as `/api/1`. */
  readonly gatewayPath: string
  readonly receiver: Address
  readonly contract: Address
  /** Through which it takes payments as well, best first. */
  readonly otherContracts?: readonly Address[]
  readonly token: Address
  readonly price: TokenAmount
  readonly sender?: Address
  /** The channel's balance as the receiver knows it. */
  readonly senderBalance?: TokenAmount
  /** The last proof that the receiver stored: the sender's own signature over `senderBalance`. */
  readonly signature?: ShownProof
  /** What the request cost in the end, when that is not the price. */
  readonly cost?: TokenAmount
  readonly reason?: PaymentReason
  readonly features: ReadonlySet<Feature>
}

/** What a sender adds to a request to pay for it (section 3). */
export interface Payment {
  readonly contract?: Address
  readonly receiver?: Address
  readonly sender: Address
  readonly openBlock: ContractBlock
  /** The new cumulative balance: last balance + price. */
  readonly balance: TokenAmount
  readonly signature: Signature
  /** The price that the sender means to pay, when it says so (`RDN-Payment`). */
  readonly amount?: TokenAmount
}

export type HeaderFields = { readonly [name: string]: string }

/**
 * The headers that say the terms (section 2).
 * @example
 * const terms = { gatewayPath: '/api/1', receiver, contract, token: tokenAddress, price: 5n }
 * formatTerms({ ...terms, features: new Set() })['RDN-Price'] // '5'
 */
export function formatTerms(terms: Terms): HeaderFields {
  return {
    ...defined({
      [headerName.gatewayPath]: terms.gatewayPath,
      [headerName.receiver]: terms.receiver,
      [headerName.contract]: terms.contract,
      [headerName.otherContracts]: terms.otherContracts?.join(', '),
      [headerName.token]: terms.token,
      [headerName.sender]: terms.sender,
      [headerName.features]: terms.features.size > 0 ? [...terms.features].join(', ') : undefined,
    }),
    ...formatStanding(terms),
  }
}

/**
 * Of the terms what one request changes: all that is told to whoever knows the rest.
 * @example
 * formatStanding({ price: 5n }) // { 'RDN-Price': '5' }
 */
export function formatStanding({
  price,
  senderBalance,
  signature,
  cost,
  reason,
}: Pick<Terms, 'price' | 'senderBalance' | 'signature' | 'cost' | 'reason'>): HeaderFields {
  const fields: { [name: string]: string } = { [headerName.price]: price.toString() }
  if (senderBalance !== undefined) fields[headerName.senderBalance] = senderBalance.toString()
  if (signature !== undefined) fields[headerName.signature] = signature
  if (cost !== undefined) fields[headerName.cost] = cost.toString()
  if (reason !== undefined) fields[reasonHeaders[reason]] = '1'
  return fields
}

/**
 * The terms of an answer.
 * @throws UraidenError `missing_header`, `malformed_header`: both name the header
 * @example
 * const { price, receiver } = parseTerms((name) => answer.headers.get(name) ?? undefined)
 */
export function parseTerms(headers: HeaderSource): Terms {
  return {
    gatewayPath: required(headers, headerName.gatewayPath, parseGatewayPath),
    receiver: required(headers, headerName.receiver, parseAddress),
    contract: required(headers, headerName.contract, parseAddress),
    token: required(headers, headerName.token, parseAddress),
    price: required(headers, headerName.price, parseUint192),
    ...defined({
      otherContracts: optional(headers, headerName.otherContracts, parseContracts),
      sender: optional(headers, headerName.sender, parseAddress),
      senderBalance: optional(headers, headerName.senderBalance, parseUint192),
      signature: optional(headers, headerName.signature, parseShownProof),
      cost: optional(headers, headerName.cost, parseUint192),
      reason: paymentReasons.find((name) => headers(reasonHeaders[name]) !== undefined),
    }),
    features: parseFeatures(headers(headerName.features) ?? ''),
  }
}

/**
 * Both names of the balance are sent: servers of the original read `RDN-Balance`, the documents
 * say `RDN-Sender-Balance`.
 * @example
 * const payment = { ...channel, balance: 5n, signature }
 * const answer = await fetch(url, { headers: formatPayment(payment) })
 */
export function formatPayment(payment: Payment): HeaderFields {
  const balance = payment.balance.toString()
  return defined({
    [headerName.contract]: payment.contract,
    [headerName.receiver]: payment.receiver,
    [headerName.sender]: payment.sender,
    [headerName.openBlock]: payment.openBlock.toString(),
    [headerName.balance]: balance,
    [headerName.senderBalance]: balance,
    [headerName.signature]: payment.signature,
    [headerName.payment]: payment.amount?.toString(),
  })
}

const noCookies: HeaderSource = () => undefined

/**
 * The payment of a request; undefined when one of its four parts (sender, open block, balance,
 * signature) is not there, so that the request is unpaid. A header stands above a cookie.
 * @throws UraidenError `malformed_header` also for an unpaid request: answered with 409;
 * `high_s_signature`: an invalid balance proof
 * @example
 * const payment = parsePayment((name) => request.headers.get(name) ?? undefined)
 * if (payment === undefined) console.log('nobody pays')
 */
export function parsePayment(
  headers: HeaderSource,
  cookies: HeaderSource = noCookies,
): Payment | undefined {
  const source: HeaderSource = (name) => headers(name) ?? cookies(name)
  const address = fromOriginal(parseAddress)
  const sender = optional(source, headerName.sender, address)
  const openBlock = optional(source, headerName.openBlock, parseBlockNumber)
  const balance = parseBothBalances(headers, cookies)
  const signature = optional(source, headerName.signature, fromOriginal(parseSignature))
  const stated = {
    contract: optional(source, headerName.contract, address),
    receiver: optional(source, headerName.receiver, address),
    amount: optional(source, headerName.payment, parseUint192),
  }
  if (sender === undefined || openBlock === undefined) return
  if (balance === undefined || signature === undefined) return
  return { sender, openBlock, balance, signature, ...defined(stated) }
}

function parseBothBalances(headers: HeaderSource, cookies: HeaderSource): TokenAmount | undefined {
  const documented = optional(headers, headerName.senderBalance, parseUint192)
  const original = optional(headers, headerName.balance, parseUint192)
  if (documented !== undefined && original !== undefined && documented !== original) {
    throw malformed(
      headerName.balance,
      `says ${original}, but ${headerName.senderBalance} says ${documented}.`,
      'Send one of the two, or the same balance in both.',
    )
  }
  return original ?? documented ?? optional(cookies, headerName.senderBalance, parseUint192)
}

/** Of a receiver that moves from one to the next there are few. */
export const mostOtherContracts = 7

function parseContracts(text: string): readonly Address[] {
  return text.split(',', mostOtherContracts).map((each) => parseAddress(each.trim()))
}

/** Unknown names are a newer receiver's and are passed over. */
function parseFeatures(text: string): ReadonlySet<Feature> {
  const offered = new Set(text.split(',').map((name) => name.trim().toLowerCase()))
  return new Set(knownFeatures.filter((name) => offered.has(name)))
}

/**
 * A path on the receiver's own host and nothing else: no scheme, no host, no query.
 * @throws UraidenError `not_a_path`
 * @example
 * parseGatewayPath('/api/1/') // '/api/1'
 */
export function parseGatewayPath(text: string): string {
  if (!/^\/(?!\/)[A-Za-z0-9._~/-]{0,200}$/.test(text)) {
    throw protocolError({
      code: 'not_a_path',
      message: 'it is not a path.',
      hint: 'Write a path like /api/1.',
    })
  }
  return text.replace(/\/+$/, '')
}

function required<Value>(
  headers: HeaderSource,
  name: string,
  parse: (text: string) => Value,
): Value {
  const text = headers(name)
  if (text === undefined) {
    throw protocolError({
      code: 'missing_header',
      message: `The answer has no ${name} header.`,
      hint: 'Whatever answers there is not a µRaiden receiver, or something between removed it.',
    })
  }
  return parseField(name, text, parse)
}

function optional<Value>(
  headers: HeaderSource,
  name: string,
  parse: (text: string) => Value,
): Value | undefined {
  const text = headers(name)
  return text === undefined ? undefined : parseField(name, text, parse)
}

/**
 * One header's value; what is wrong with it is said with the header's name.
 * @throws UraidenError `malformed_header`, `high_s_signature`
 * @example
 * parseField('RDN-Price', '5', parseUint192) // 5n
 */
export function parseField<Value>(
  name: string,
  text: string,
  parse: (text: string) => Value,
): Value {
  try {
    return parse(text)
  } catch (error) {
    // Well formed, but nobody can cash it: that is an invalid proof, not a malformed header.
    if (isUraidenError(error, 'high_s_signature')) throw error
    if (isUraidenError(error)) throw malformed(name, error.message, error.hint)
    throw error
  }
}

function malformed(name: string, message: string, hint: string): UraidenError {
  return protocolError({ code: 'malformed_header', message: `${name}: ${message}`, hint })
}
