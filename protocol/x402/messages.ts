// The three messages of x402 version 2 over HTTP: what a seller asks, what a buyer sends, what became of it
// (checked against @x402/core 2.27.0). Strict about what we read of them; what we do not read goes back unchanged,
// because a stock server compares by value.
import { defined } from '../defined.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  malformed,
  objectIn,
  optionalObjectIn,
  optionalTextIn,
  readField,
  textIn,
  writeField,
} from './json.ts'

export const x402Field = {
  required: 'PAYMENT-REQUIRED',
  signature: 'PAYMENT-SIGNATURE',
  response: 'PAYMENT-RESPONSE',
} as const

/** One way to pay, of any scheme and network: whatever else the seller has written in it is there as well. */
export type Requirements = JsonObject & {
  readonly scheme: string
  /** CAIP-2: `eip155:8453`. */
  readonly network: string
  /** As it was written; of `exact` a decimal of the asset's smallest unit. */
  readonly amount: string
  readonly asset: string
  readonly payTo: string
  /** Seconds, above 0. */
  readonly maxTimeoutSeconds: number
  readonly extra?: JsonObject | null
}

export interface PaymentRequired {
  readonly error?: string
  /** What is for sale, as the seller has written it. */
  readonly resource: JsonObject
  readonly accepts: readonly Requirements[]
  readonly extensions?: JsonObject
}

export interface PaymentSignature {
  readonly resource?: JsonObject
  /** The entry of `accepts` that is paid. */
  readonly accepted: Requirements
  /** Of the scheme. */
  readonly payload: JsonObject
  readonly extensions?: JsonObject
}

/** What became of a payment. */
export interface Settlement {
  readonly success: boolean
  readonly errorReason?: string
  readonly errorMessage?: string
  readonly payer?: string
  /** Hash of the transaction; empty where there is none. */
  readonly transaction: string
  readonly network: string
  readonly amount?: string
  readonly extensions?: JsonObject
  readonly extra?: JsonObject
}

/** Ways to pay in one message. */
const mostOffers = 32
const mostName = 128
const mostWords = 2048

/** @throws UraidenError `malformed_x402` */
export function parsePaymentRequired(text: string): PaymentRequired {
  const where = x402Field.required
  const message = readField(where, text)
  checkVersion(message, where, 2)
  return {
    resource: resourceIn(message, where),
    accepts: listIn(message, where).map((each, at) =>
      parseRequirements(each, `${where}.accepts[${at}]`),
    ),
    ...defined({
      error: optionalTextIn(message, 'error', where, mostWords),
      extensions: optionalObjectIn(message, 'extensions', where),
    }),
  }
}

export function formatPaymentRequired(message: PaymentRequired): string {
  return writeField({ x402Version: 2, ...message })
}

/** @throws UraidenError `malformed_x402` */
export function parsePaymentSignature(text: string): PaymentSignature {
  const where = x402Field.signature
  const message = readField(where, text)
  checkVersion(message, where, 2)
  const resource = optionalObjectIn(message, 'resource', where)
  return {
    accepted: parseRequirements(message.accepted, `${where}.accepted`),
    payload: objectIn(message, 'payload', where),
    ...defined({
      resource: resource && resourceIn(message, where),
      extensions: optionalObjectIn(message, 'extensions', where),
    }),
  }
}

export function formatPaymentSignature(message: PaymentSignature): string {
  return writeField({ x402Version: 2, ...message })
}

/** @throws UraidenError `malformed_x402` */
export function parsePaymentResponse(text: string, where: string = x402Field.response): Settlement {
  return settlementOf(readField(where, text), where)
}

export function formatPaymentResponse(settlement: Settlement): string {
  return writeField(settlement)
}

/** Also what a facilitator answers to `/settle`. @throws UraidenError `malformed_x402` */
export function settlementOf(message: JsonObject, where: string): Settlement {
  const { success } = message
  if (typeof success !== 'boolean') throw malformed(`${where}.success`, 'is neither true nor false')
  const optional = (name: string, most = mostWords) => optionalTextIn(message, name, where, most)
  return {
    success,
    transaction: optional('transaction', mostName) ?? '',
    network: optional('network', mostName) ?? '',
    ...defined({
      errorReason: optional('errorReason'),
      errorMessage: optional('errorMessage'),
      payer: optional('payer', mostName),
      amount: optional('amount', mostName),
      extensions: optionalObjectIn(message, 'extensions', where),
      extra: optionalObjectIn(message, 'extra', where),
    }),
  }
}

/** @throws UraidenError `malformed_x402` */
export function parseRequirements(value: Json | undefined, where: string): Requirements {
  if (!isObject(value)) throw malformed(where, 'is no object')
  const name = (key: string) => textIn(value, key, where, { most: mostName })
  const network = name('network')
  if (!network.includes(':')) throw malformed(`${where}.network`, 'is not of the form of CAIP-2')
  // Looked at here, and sent back as they are.
  optionalObjectIn(value, 'extra', where)
  return {
    ...value,
    ...{ scheme: name('scheme'), network, amount: name('amount'), asset: name('asset') },
    ...{ payTo: name('payTo'), maxTimeoutSeconds: timeoutIn(value, where) },
  }
}

/** @throws UraidenError `malformed_x402` */
export function timeoutIn(value: JsonObject, where: string): number {
  const { maxTimeoutSeconds } = value
  if (typeof maxTimeoutSeconds === 'number' && maxTimeoutSeconds > 0) return maxTimeoutSeconds
  throw malformed(`${where}.maxTimeoutSeconds`, 'is not a number above 0')
}

/** @throws UraidenError `malformed_x402` */
export function listIn(message: JsonObject, where: string): readonly Json[] {
  const { accepts } = message
  if (!Array.isArray(accepts)) throw malformed(`${where}.accepts`, 'is no list')
  if (accepts.length === 0) throw malformed(`${where}.accepts`, 'is empty')
  if (accepts.length <= mostOffers) return accepts
  throw malformed(`${where}.accepts`, `has more than ${mostOffers} entries`)
}

/** @throws UraidenError `malformed_x402` */
export function checkVersion(message: JsonObject, where: string, version: number): void {
  if (message.x402Version === version) return
  throw malformed(`${where}.x402Version`, `is not ${version}`)
}

function resourceIn(message: JsonObject, where: string): JsonObject {
  const resource = objectIn(message, 'resource', where)
  textIn(resource, 'url', `${where}.resource`, { most: mostWords })
  return resource
}
