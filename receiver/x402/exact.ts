// Sells for payments of the scheme `exact`: checked, on disk, settled, and only then served. One authorization pays
// for one request, and for that one until it was answered: who has paid and got nothing asks again with the same one.
import { createHash } from 'node:crypto'
import { endsWithin } from '../../platform/async/ends-within.ts'
import { createLocks, type Locks } from '../../platform/async/locks.ts'
import type { ChainClient } from '../../platform/chain/index.ts'
import type { HeaderFields, RefusalCode, TokenAmount } from '../../protocol/index.ts'
import {
  formatPaymentResponse,
  networkOf,
  type PaymentSignature,
  type Requirements,
  x402Field,
} from '../../protocol/x402/index.ts'
import type { AnswerEnd } from '../channels/answers.ts'
import type { Reply } from '../channels/store.ts'
import type { Paid, PricedRequest } from '../paywall/paywall.ts'
import { isAnswerTo, type Replies, type Turn } from '../paywall/replies.ts'
import type { Recovery } from '../signatures/recovery.ts'
import {
  type AuthorizationBook,
  type AuthorizationName,
  type AuthorizationRecord,
  authorizationName,
} from './book.ts'
import { checkExact, checkTerms, type ExactPayment, isFault, tooLittle } from './check.ts'
import type { SettlementRoom } from './room.ts'
import type { Outcome, Sending, Settler } from './settler.ts'
import type { ExactTerms } from './terms.ts'
import type { Asset } from './token.ts'

export interface ExactRefusal {
  readonly kind: 'refused'
  readonly code: RefusalCode
  /** A stock facilitator's word for it, and a sentence. */
  readonly reason?: string | undefined
  readonly detail?: string | undefined
  readonly payer?: string | undefined
}

export type ExactAdmission =
  | Paid
  | { readonly kind: 'repeated'; readonly reply: Reply }
  | ExactRefusal

export interface ExactSeller {
  readonly offer: (price: TokenAmount) => Requirements
  /** Of a request that carries a payment of this scheme. @throws UraidenError `malformed_x402` */
  readonly admit: (
    request: PricedRequest,
    sent: PaymentSignature,
    price: TokenAmount,
  ) => Promise<ExactAdmission>
  /** Waits for settlements that are under way. */
  readonly idle: () => Promise<void>
}

export interface ExactOptions {
  readonly chain: Pick<ChainClient, 'chainId' | 'head'>
  readonly asset: Asset
  readonly payTo: Demanded['payTo']
  readonly terms: ExactTerms
  readonly recovery: Recovery
  readonly book: AuthorizationBook
  readonly settler: Settler
  readonly room: SettlementRoom
  readonly replies: Replies
  /** Longest that a request waits for its settlement, in milliseconds. */
  readonly patience: number
  /** A payment of so much of the asset was settled. */
  readonly onSettled: (facts: SettledFacts) => void
  readonly onUnable: (error: unknown) => void
}

type Demanded = Parameters<typeof checkExact>[1]

export interface SettledFacts {
  readonly payer: string
  /** In the asset's smallest unit. */
  readonly amount: TokenAmount
  readonly transaction: string
}

interface Selling extends ExactOptions {
  readonly locks: Locks
  /** Settlements that a request has waited for, perhaps in vain. */
  readonly underWay: Map<AuthorizationName, Promise<Outcome>>
}

export function createExactSeller(options: ExactOptions): ExactSeller {
  const selling: Selling = { ...options, locks: createLocks(), underWay: new Map() }
  return {
    offer: options.terms.offer,
    admit: (request, sent, price) => admit(selling, request, { sent, price }),
    idle: async () => void (await Promise.allSettled(selling.underWay.values())),
  }
}

interface Order {
  readonly sent: PaymentSignature
  readonly price: TokenAmount
}

async function admit(
  selling: Selling,
  request: PricedRequest,
  { sent, price }: Order,
): Promise<ExactAdmission> {
  const { chain, terms, replies } = selling
  const demand = { ...selling, chainId: chain.chainId, offer: terms.offer(price) }
  const payment = checkExact(sent, demand)
  if (isFault(payment)) return { kind: 'refused', code: 'x402_invalid', ...payment }
  const turn = await replies.take(replyName(request, payment), 'disk')
  if (turn.kind === 'kept') {
    const isSame = await isAnswerTo(turn.reply, request.content)
    return isSame ? { kind: 'repeated', reply: turn.reply } : spent(payment)
  }
  try {
    const name = authorizationName(payment.authorization)
    const decided = await selling.locks.alone(name, () =>
      decide(selling, request, { payment, price }),
    )
    if (decided.kind === 'refused') {
      await turn.pass()
      return decided
    }
    return served(selling, request, { payment, price, turn, record: decided.record })
  } catch (error) {
    await turn.pass()
    throw error
  }
}

/** The signature is part of it: a kept reply is for who has signed. */
function replyName(request: PricedRequest, { authorization, signature }: ExactPayment): string {
  const parts = ['x402', requestName(request), authorization.from, authorization.nonce, signature]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

function requestName({ method, url }: PricedRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url]))
    .digest('base64url')
}

interface New {
  readonly payment: ExactPayment
  readonly price: TokenAmount
}

type Decided = { readonly kind: 'paid'; readonly record: AuthorizationRecord } | ExactRefusal

/** Nothing else is decided about this authorization meanwhile. */
async function decide(
  selling: Selling,
  request: PricedRequest,
  { payment, price }: New,
): Promise<Decided> {
  const { book, chain, terms, room } = selling
  const name = authorizationName(payment.authorization)
  const known = book.get(name)
  if (known !== undefined && known.request !== requestName(request)) return spent(payment)
  if (known?.state === 'answered') return spent(payment)
  // A price that is computed may be higher now: what was paid for one content does not buy another.
  const { from: payer, value } = payment.authorization
  if (known !== undefined && price > known.price && value < terms.least(price)) {
    const fault = tooLittle(value, terms.least(price))
    return { kind: 'refused', code: 'x402_invalid', ...fault, payer }
  }
  if (known?.state === 'settled') return { kind: 'paid', record: known }
  const before = selling.underWay.get(name)
  if (before !== undefined) return judge(selling, payment, await inTime(selling, before))
  const head = await chain.head().catch(() => undefined)
  if (head === undefined) return { kind: 'refused', code: 'chain_unavailable' }
  const least = terms.least(price)
  const fault =
    known === undefined ? checkTerms(payment, { least, time: head.timestamp }) : undefined
  if (fault !== undefined) return { kind: 'refused', code: 'x402_invalid', ...fault }
  const leave = room.take(payment.authorization.from)
  if (leave === undefined) return { kind: 'refused', code: 'x402_busy' }
  const record: AuthorizationRecord = known ?? {
    state: 'sent',
    request: requestName(request),
    price,
    validBefore: payment.authorization.validBefore,
    since: head.number,
  }
  const settling = settle(selling, payment, { record, isKnown: known !== undefined })
  selling.underWay.set(name, settling)
  const done = () => {
    selling.underWay.delete(name)
    leave()
  }
  settling.then(done, done)
  const judged = judge(selling, payment, await inTime(selling, settling))
  await book.forget(head.timestamp)
  return judged
}

/** What is settled is on disk when this resolves. */
async function settle(
  { settler, book, room, onSettled }: Selling,
  payment: ExactPayment,
  { record, isKnown }: { readonly record: AuthorizationRecord; readonly isKnown: boolean },
): Promise<Outcome> {
  const { from, value } = payment.authorization
  const name = authorizationName(payment.authorization)
  const sending: Sending = {
    since: record.since,
    onSent: async () => {
      if (book.get(name) === undefined) await book.put(name, record)
    },
  }
  const outcome = await (isKnown
    ? settler.resume(payment, sending)
    : settler.settle(payment, sending))
  if (outcome.kind === 'settled') {
    const { transaction } = outcome
    await book.put(name, { ...record, state: 'settled', transaction })
    onSettled({ payer: from, amount: value, transaction })
  } else if (outcome.kind === 'spent' || outcome.kind === 'failed') {
    if (book.get(name) === undefined) room.refused()
    // What has failed can be sent again by anybody who has it, until it expires.
    else if (outcome.kind === 'spent') await book.put(name, { ...record, state: 'answered' })
  }
  return outcome
}

/** Unknown when it takes too long; it goes on, and its outcome is written down. */
async function inTime(
  { patience }: Pick<Selling, 'patience'>,
  settling: Promise<Outcome>,
): Promise<Outcome> {
  return (await endsWithin(settling, patience)) ? settling : { kind: 'unknown' }
}

function judge({ book, onUnable }: Selling, payment: ExactPayment, outcome: Outcome): Decided {
  const record = book.get(authorizationName(payment.authorization))
  const payer = payment.authorization.from
  switch (outcome.kind) {
    case 'settled':
      if (record === undefined) throw new Error('a settled payment is in the book')
      return { kind: 'paid', record }
    case 'failed':
      return { ...outcome, kind: 'refused', code: 'x402_invalid', payer }
    case 'spent':
      return spent(payment)
    case 'unknown':
      return { kind: 'refused', code: 'x402_unsettled' }
    case 'unable':
      onUnable(outcome.error)
      return { kind: 'refused', code: record === undefined ? 'x402_unable' : 'x402_unsettled' }
  }
}

function spent({ authorization }: ExactPayment): ExactRefusal {
  const reason = 'invalid_exact_evm_nonce_already_used'
  return { kind: 'refused', code: 'x402_spent', reason, payer: authorization.from }
}

interface Served extends New {
  readonly turn: Extract<Turn, { readonly kind: 'ours' }>
  readonly record: AuthorizationRecord
}

/** A request that has paid, however often it is asked until it was answered. */
function served(
  { book, chain, onUnable }: Selling,
  { content }: PricedRequest,
  { payment, price, turn, record }: Served,
): Paid {
  const { from, value } = payment.authorization
  const name = authorizationName(payment.authorization)
  let isFree = false
  let isOver = false
  const put = async (next: AuthorizationRecord) => {
    isOver = true
    await book.put(name, next)
  }
  const headers: HeaderFields = {
    [x402Field.response]: formatPaymentResponse({
      success: true,
      ...{ payer: from, transaction: record.transaction ?? '', network: networkOf(chain.chainId) },
      amount: `${value}`,
    }),
  }
  const ended = async (end: AnswerEnd): Promise<void> => {
    if (isFree || isOver) return
    const isLast = end === 'whole' || record.cut === true
    await put(isLast ? { ...record, state: 'answered' } : { ...record, cut: true })
  }
  return {
    ...{ kind: 'paid', price, headers },
    paidIn: 'x402',
    // Its value has moved: what costs less cannot be given back. What costs nothing leaves it good for the same request.
    chargeOnly: async (cost) => {
      isFree ||= cost === 0n
      return headers
    },
    keepReply: async (reply) => {
      if (reply === undefined || isFree) return turn.finish()
      await put({ ...record, state: 'answered' })
      await turn.finish({ ...reply, content: content?.seen() ?? 'none' })
    },
    answerEnded: (end) => void ended(end).catch(onUnable),
  }
}
