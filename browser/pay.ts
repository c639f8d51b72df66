// A request that is paid for: sign, send, and do what the answer asks for.

import {
  defined,
  formatPayment,
  type HeaderFields,
  type HeaderSource,
  headerName,
  parseTerms,
  type Terms,
  type TokenAmount,
  type UraidenError,
} from '../protocol/index.ts'
import type { BoundChannel } from './bound.ts'
import { stored } from './channels.ts'
import { browserError } from './error-codes.ts'
import { judge, type Refused, type Verdict } from './judge.ts'
import { absolute, type Parts } from './parts.ts'
import {
  adoptBalance,
  confirmPayment,
  type SignedPayment,
  signPayment,
  verifyProof,
} from './payments.ts'
import { reach } from './receiver-api.ts'
import type { PendingPayment, StoredChannel } from './storage.ts'
import { pause } from './transactions.ts'

export interface PayOptions {
  /** What the person agreed to pay, in the token's smallest unit. */
  readonly price: TokenAmount
  /** The receiver offers `idempotency`: a repeat of the same request is free for a while. */
  readonly idempotency?: boolean
  /** Default `*\/*`, with problem details for refusals. */
  readonly accept?: string
  /** Told each time before the same payment is sent again, because the receiver waits for the chain. */
  readonly onWaiting?: (tries: number) => void
  /** Told before the wallet is asked, once a channel, to sign the key that ties requests to payments. */
  readonly onKey?: () => void
  /** Has the answer bring a cookie with which the browser itself can load it, once: on https only. */
  readonly ticket?: boolean
  readonly signal?: AbortSignal | undefined
}

/** A payment that was answered before. */
export type PaidBefore = Pick<StoredChannel, 'openBlock'> & PendingPayment

export interface PaidAnswer {
  readonly response: Response
  /** The receiver has signed the answer to this very request. */
  readonly authentic: boolean
  readonly payment: SignedPayment
  /** What it cost in the end. */
  readonly cost: TokenAmount
}

/** How often a receiver may say that it does not know what the chain shows already. */
const mostTries = 30

/** An answer, and what of it may be believed: of a bound request's what the receiver has signed. */
interface Answer {
  readonly response: Response
  readonly header: HeaderSource
  /** Undefined where the request was not bound. */
  readonly channel: BoundChannel | undefined
  /** When its end has said it. */
  readonly cost?: TokenAmount | undefined
}

/**
 * Pays for a request and resolves with its answer. A price that changed is not paid.
 * @throws UraidenError `price_changed`, `channel_gone`, `proof_refused`, `cheated`, `unproven`,
 * `receiver_refused`, `receiver_unreachable`, `waiting_stopped`, those of `Binding`, of its channels and
 * of `signPayment`
 */
export async function pay(parts: Parts, url: string, options: PayOptions): Promise<PaidAnswer> {
  const { price, signal } = options
  let corrected = false
  let tries = 0
  for (;;) {
    const channel = await parts.binding.ensure(stored(parts).openBlock, options)
    const signed = await signPayment(parts, price)
    const answer = await send(parts, { channel, url, signed, options })
    const { response } = answer
    const refused = refusalOf(parts, answer)
    if (refused === undefined) return served(parts, signed, { answer, price })
    if (response.status !== 402) throw await receiverRefused(response)
    const terms = await proven(answer, refused, signed)
    const verdict = judge(refusedOf(parts, signed, { terms, fresh: tries < mostTries }))
    if (verdict === 'wait') {
      tries++
      options.onWaiting?.(tries)
      await pause({ interval: retryAfter(response, parts), signal })
    } else if (verdict === 'correct' && !corrected) {
      corrected = true
      adopt(parts, signed.channel, terms)
    } else {
      throw refusedBecause(verdict, terms)
    }
  }
}

/**
 * Asks once more for what was paid for before, by the same request: it pays nothing. Undefined when the receiver
 * does not keep the answer any more.
 * @throws UraidenError `receiver_unreachable`, those of `Binding` and of its channels
 */
export async function askAgain(
  parts: Parts,
  url: string,
  { paid, options }: { readonly paid: PaidBefore; readonly options: PayOptions },
): Promise<PaidAnswer | undefined> {
  const { openBlock, ...payment } = paid
  const known = stored(parts)
  if (known.openBlock !== openBlock) return undefined
  const channel = await parts.binding.ensure(openBlock, options)
  const signed = { channel: known, payment, repeated: true }
  const answer = await send(parts, { channel, url, signed, options })
  if (refusalOf(parts, answer) !== undefined) return undefined
  const { response } = answer
  return { response, payment: signed, cost: 0n, authentic: channel !== undefined }
}

interface Order {
  readonly channel: BoundChannel | undefined
  readonly url: string
  readonly signed: SignedPayment
  readonly options: PayOptions
}

async function send(parts: Parts, { channel, url, signed, options }: Order): Promise<Answer> {
  const { signal } = options
  const { balance, signature } = signed.payment
  const headers = headersOf(signed, options)
  if (channel !== undefined) {
    const payment = { balance, amount: options.price, signature }
    const ticket = options.ticket ? { [headerName.ticket]: '1' } : {}
    const request = { method: 'GET', url: absolute(url), headers: { ...headers, ...ticket } }
    return { channel, ...(await channel.send({ ...request, payment, signal })) }
  }
  const { sender, receiver, domain } = parts
  const { openBlock } = signed.channel
  const paid = { sender, receiver, contract: domain.contract, openBlock, balance, signature }
  const response = await reach(parts.fetcher, url, {
    headers: { ...formatPayment(paid), ...headers },
    cache: 'no-store',
    credentials: 'same-origin',
    signal: signal ?? null,
  })
  return { channel, response, header: (name) => response.headers.get(name) ?? undefined }
}

function headersOf(
  { payment }: SignedPayment,
  { idempotency = false, accept = '*/*;q=0.9' }: PayOptions,
): HeaderFields {
  return {
    // Refusals as problem details; of what is sold the rest decides.
    accept: `application/problem+json, ${accept}`,
    ...(idempotency && { 'idempotency-key': payment.key }),
  }
}

function served(
  parts: Parts,
  payment: SignedPayment,
  { answer, price }: { readonly answer: Answer; readonly price: TokenAmount },
): PaidAnswer {
  const cost = answer.cost ?? costOf(answer, price)
  // What failed is the sender's credit: the same proof pays for the next try.
  if (cost > 0n) confirmPayment(parts, payment)
  const { response, channel } = answer
  return { response, payment, cost, authentic: channel !== undefined }
}

function costOf({ header, response }: Answer, price: TokenAmount): TokenAmount {
  const cost = header(headerName.cost)
  if (cost !== undefined && /^\d{1,58}$/.test(cost)) return BigInt(cost)
  return response.status >= 500 ? 0n : price
}

/** Undefined when the answer is not a receiver's: the resource itself may answer 402, 409 or 502. */
function refusalOf(parts: Parts, answer: Answer): Terms | undefined {
  const { header, channel, response } = answer
  if (![402, 409, 502].includes(response.status)) return undefined
  if (channel === undefined) return termsOf(header)
  if (header(headerName.cost) !== '0') return undefined
  // What does not change is left out of bound answers.
  const known: HeaderFields = {
    [headerName.gatewayPath]: '/',
    [headerName.receiver]: parts.receiver,
    [headerName.contract]: parts.domain.contract,
    [headerName.token]: parts.token,
  }
  return termsOf((name) => header(name) ?? known[name])
}

function termsOf(header: HeaderSource): Terms | undefined {
  try {
    return parseTerms(header)
  } catch {
    return undefined
  }
}

/** Bound refusals show no proof; where the channel stands is asked for with one. */
async function proven(
  { channel: bound }: Answer,
  terms: Terms,
  { channel }: SignedPayment,
): Promise<Terms> {
  const { reason, senderBalance = 0n } = terms
  const aboutBalance = reason === undefined || reason === 'invalid_amount'
  if (bound === undefined || !aboutBalance || senderBalance === channel.balance) return terms
  const { signature: _, ...rest } = terms
  return { ...rest, ...defined(await bound.stand()) }
}

function refusedOf(
  parts: Parts,
  { channel, payment, repeated }: SignedPayment,
  { terms, fresh }: Pick<Refused, 'fresh'> & { readonly terms: Terms },
): Refused {
  const { senderBalance: claimed, reason, price, signature } = terms
  const { openBlock } = channel
  const proven =
    claimed !== undefined &&
    signature !== undefined &&
    verifyProof(parts, { openBlock, balance: claimed }, signature)
  return { channel, sent: payment, repeated, fresh, reason, price, claimed, proven }
}

/** The claimed balance with the proof of it, or the one that is known here with its own. */
function adopt(parts: Parts, channel: StoredChannel, terms: Terms) {
  const { senderBalance = 0n, signature } = terms
  const known = senderBalance === channel.balance ? channel.signature : undefined
  const proof = signature ?? known
  const { openBlock } = channel
  adoptBalance(parts, { openBlock, balance: senderBalance, ...(proof && { signature: proof }) })
}

/** In milliseconds; the receiver's own word counts within reason. */
function retryAfter({ headers }: Response, { patience }: Parts): number {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1000, 30_000) : patience.interval
}

async function receiverRefused(response: Response): Promise<UraidenError> {
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string }
  return browserError({
    code: 'receiver_refused',
    message: `The receiver does not take payments now (${response.status}).`,
    hint: problem.detail ?? 'Try again later. What was signed is kept and pays once only.',
  })
}

function refusedBecause(verdict: Verdict, { senderBalance, price }: Terms): UraidenError {
  switch (verdict) {
    case 'price_changed':
      return browserError({
        code: 'price_changed',
        message: `The price has changed to ${price} of the smallest unit.`,
      })
    case 'channel_gone':
      return browserError({
        code: 'channel_gone',
        message: 'The receiver does not know this channel, or it is closed.',
        hint: 'Open another one, or close this one without the receiver.',
      })
    case 'cheated':
      return browserError({
        code: 'cheated',
        message: 'The receiver keeps this payment and does not serve it.',
      })
    case 'unproven':
    case 'correct':
      return browserError({
        code: 'unproven',
        message: `The receiver claims a balance of ${senderBalance ?? 0n} without your signature under it.`,
      })
    default:
      return browserError({
        code: 'proof_refused',
        message: 'The receiver does not accept the signature, or has not seen the deposit.',
      })
  }
}
