// Receipts: what an answer whose content came later turned out to be, and under which name it is kept.

import { bytesToHex } from '@noble/hashes/utils.js'
import { parseUint192, type TokenAmount } from '../amount.ts'
import { shorten } from '../bytes.ts'
import { protocolError, type UraidenError } from '../errors.ts'
import { fromBase64, toBase64 } from './base64.ts'
import type { Sha256Digest } from './digest.ts'
import { equalBytes } from './mac.ts'
import { failure, type Outcome, success } from './outcome.ts'

export interface Receipt {
  readonly status: number
  /** Bytes of content that were sent. */
  readonly length: number
  readonly digest: Sha256Digest
  /** Whether that was all that there was to send. */
  readonly complete: boolean
  readonly cost: TokenAmount
}

/** What the agent has seen of an answer. */
export interface ReceivedContent {
  readonly status: number
  readonly length: number
  readonly digest: Sha256Digest
}

export type ReceiptFault = 'answer_cut' | 'answer_altered'

/** 32 hex digits: the first 16 bytes of the MAC of the request that was answered. */
export function answerId(requestMac: Uint8Array): string {
  return bytesToHex(requestMac.subarray(0, 16))
}

/**
 * An answer's name as it stands in a path.
 * @throws UraidenError `not_an_answer_id`
 */
export function parseAnswerId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw protocolError({
      code: 'not_an_answer_id',
      message: `"${shorten(text)}" is not the name of an answer.`,
    })
  }
  return text
}

export function serializeReceipt({ status, length, digest, complete, cost }: Receipt): string {
  return JSON.stringify({
    status,
    length,
    'sha-256': toBase64(digest),
    complete,
    cost: cost.toString(),
  })
}

/** @throws UraidenError `malformed_receipt` */
export function parseReceipt(json: string): Receipt {
  try {
    const value: unknown = JSON.parse(json)
    const member = new Map<string, unknown>(Object.entries(Object(value)))
    return {
      status: wholeNumber(member.get('status'), 'status'),
      length: wholeNumber(member.get('length'), 'length'),
      digest: parseDigest(member.get('sha-256')),
      complete: requireBoolean(member.get('complete')),
      cost: parseUint192(requireText(member.get('cost'), 'cost')),
    }
  } catch (cause) {
    throw protocolError({
      code: 'malformed_receipt',
      message: `The receipt is malformed: ${cause instanceof Error ? cause.message : cause}`,
      hint: 'Whatever answers there is not a µRaiden receiver, or something between changed it.',
      cause,
    })
  }
}

/** Whether what came is what was sent, all of it. */
export function verifyReceipt(
  receipt: Receipt,
  received: ReceivedContent,
): Outcome<Receipt, ReceiptFault> {
  if (!receipt.complete) {
    return failure('answer_cut', `The receiver broke off after ${receipt.length} bytes.`)
  }
  if (received.length < receipt.length) {
    const { length } = received
    return failure('answer_cut', `${length} of the answer’s ${receipt.length} bytes came.`)
  }
  const same =
    received.status === receipt.status &&
    received.length === receipt.length &&
    equalBytes(received.digest, receipt.digest)
  return same
    ? success(receipt)
    : failure('answer_altered', 'What came is not what the receiver sent.')
}

function parseDigest(value: unknown): Sha256Digest {
  const digest = fromBase64(requireText(value, 'sha-256'))
  if (digest.length !== 32) throw malformed(`sha-256 has ${digest.length} bytes.`)
  return digest
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw malformed(`${name} is no whole number.`)
}

function requireBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw malformed('complete is neither true nor false.')
}

function requireText(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw malformed(`${name} is no text.`)
}

function malformed(message: string): UraidenError {
  return protocolError({
    code: 'malformed_receipt',
    message,
    hint: 'Read the receipt again.',
  })
}
