// Lets a request through when it pays. Knows nothing of the HTTP server: the middleware around it
// translates (wire-protocol.md sections 1, 2 and 8).

import {
  answerId,
  boundRefusal,
  parseAudience,
  parseBoundPayment,
} from '../../protocol/bound/index.ts'
import {
  type Address,
  type HeaderFields,
  headerName,
  isUraidenError,
  type Refusal,
  type RefusalCode,
  refusal,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import type { AnswerEnd } from '../channels/answers.ts'
import type { KeyedRequest } from '../channels/ledgers.ts'
import type { AnsweredOutcome, ChannelManager, OfferedPayment } from '../channels/manager.ts'
import type { Channel, Unanswered } from '../channels/records.ts'
import type { BoundRequest } from '../channels/request-keys.ts'
import type { KeptReply, Reply } from '../channels/store.ts'
import { type RefusalBody, wantedBody } from './accept.ts'
import { notStored } from './caching.ts'
import {
  type Dialect,
  type PaymentAnswer,
  type RequestView,
  type ServerRequest,
  viewOf,
} from './dialect.ts'
import type { Door } from './door.ts'
import type { PaywallPage, SoldGoods } from './page.ts'
import type { Pricer } from './price.ts'
import { refusalBody } from './refusal-body.ts'
import {
  isAnswerTo,
  type Replies,
  type ReplyRoom,
  type RequestContent,
  replyId,
} from './replies.ts'
import { type TransferOutcome, takeTransfer } from './transfer.ts'

/** A request that paid and is to be served. */
export interface Paid {
  readonly kind: 'paid'
  readonly price: TokenAmount
  readonly headers: HeaderFields
  /**
   * Charges `cost` in place of the price, 0 for a resource that failed; the rest stays the sender's
   * credit. Resolves, when that is on disk, with the headers to answer.
   */
  readonly chargeOnly: (cost: TokenAmount) => Promise<HeaderFields>
  /**
   * There when the sender may repeat the request (`Idempotency-Key`). Must be called once the reply
   * is known, before its last byte is sent; without a reply when it failed or was not to be kept.
   */
  readonly keepReply?: (reply?: Reply) => Promise<void>
  readonly answerEnded?: AnswerEnded
  /** By no channel: its price has moved in another way, and nothing of it is credit. */
  readonly paidIn?: 'x402'
}

/**
 * There for a bound request that may be run once more when its answer is lost: must be told how the answer
 * ended.
 */
type AnswerEnded = ((end: AnswerEnd) => void) | undefined

export interface Refused {
  readonly kind: 'refused'
  /** Why: that of the refusal, or of a price function's error. */
  readonly code: string
  readonly status: number
  readonly headers: HeaderFields
  /** For browsers: the same terms as `Set-Cookie` values. */
  readonly cookies: readonly string[]
  /** Empty for a client that did not ask for any. */
  readonly body: string
}

export type Admission =
  | { readonly kind: 'free' }
  | Paid
  /** Paid before, under the same key: this was the answer. */
  | { readonly kind: 'repeated'; readonly reply: Reply; readonly answerEnded?: AnswerEnded }
  | Refused

/** A request, and what this server knows about its resource. */
export interface PricedRequest extends RequestView {
  /** What is sold, if the configuration says it. */
  readonly sold?: SoldGoods | undefined
  /** Where on this server there is what may be seen before it is paid for. */
  readonly teaser?: string
  /** It came in bound: what it covers counts, and nothing else. */
  readonly bound?: BoundRequest | undefined
  /** What it says, if it has content and may be repeated; of a bound one its MAC is enough. */
  readonly content?: RequestContent | undefined
}

/** Another dialect beside RDN: with payments of its own, and with those of channels in its own form. */
export interface OtherDialect {
  /** Undefined of a request that does not speak it. */
  readonly spokenIn: (request: PricedRequest) => Spoken | undefined
  /** What it says with a refusal. */
  readonly asks: (request: RequestView, asked: Asked) => HeaderFields
}

export type Spoken =
  | {
      readonly kind: 'own'
      readonly admit: (
        price: TokenAmount,
      ) => Promise<Paid | { readonly kind: 'repeated'; readonly reply: Reply } | OtherRefusal>
    }
  | { readonly kind: 'channels'; readonly dialect: Dialect }
  | { readonly kind: 'refused'; readonly why: Refusal }

/** With the words of that dialect for it, where it has one. */
export interface OtherRefusal {
  readonly kind: 'refused'
  readonly code: RefusalCode
  readonly detail?: string | undefined
  readonly reason?: string | undefined
  readonly payer?: string | undefined
}

/** A request that is refused. */
export interface Asked {
  readonly price: TokenAmount
  readonly why: Refusal
  /** What RDN says of it. */
  readonly terms: HeaderFields
  readonly sold: SoldGoods
  readonly failed: OtherRefusal | undefined
}

export interface Paywall {
  readonly door: Door
  readonly admit: (request: PricedRequest, price: TokenAmount) => Promise<Admission>
  /** For bodies that are collected for `keepReply`. */
  readonly replyRoom: ReplyRoom
  readonly take: (proof: unknown) => Promise<TransferOutcome>
}

export interface PaywallOptions {
  readonly door: Door
  /** `require`: nobody pays unbound. */
  readonly bound: 'offer' | 'require'
  readonly dialect: Dialect
  readonly other?: OtherDialect | undefined
  readonly manager: ChannelManager
  readonly replies: Replies
  readonly page: PaywallPage
  /** Who sells, as buyers read it. */
  readonly seller?: string | undefined
  readonly token: TokenUnit
  readonly chainId: bigint
  /** Why nobody is served now, neither for money nor told what it costs; asked for each request. */
  readonly silence?: (() => UraidenError | undefined) | undefined
  /** Why this payment cannot be taken now (node away, no ether), if so. */
  readonly outage: (payment: OfferedPayment | undefined) => RefusalCode | undefined
  /** What a payment may name as its contract and receiver. */
  readonly contract: Address
  readonly receiver: Address
  /** Seconds until it is worth while to ask again, after an answer that time will change. */
  readonly retryAfter: number
  /** Counts what is decided. */
  readonly observer?: PaywallObserver | undefined
}

/** Called on the way of a request, so it must be quick and must not throw. */
export interface PaywallObserver {
  /** The paywall has decided about a request of this price. */
  readonly admitted: (admission: Admission, price: TokenAmount) => void
  /** A resource failed or cost less: so much of the price became the sender's credit again. */
  readonly credited: (amount: TokenAmount) => void
}

/** The refusals that pass by themselves. */
const passing: ReadonlySet<RefusalCode> = new Set([
  'insufficient_confirmations',
  'chain_unavailable',
  'receiver_lacks_ether',
  'x402_busy',
  'x402_unable',
  'x402_unsettled',
])

const onlyBound = 'Only bound requests pay here. Use an agent that binds its requests.'

/** As much as the IETF's draft has examples for, many times over. */
const longestKey = 255

export function createPaywall(options: PaywallOptions): Paywall {
  const { door, replies, observer } = options
  return {
    door,
    replyRoom: replies.room,
    take: (proof) => takeTransfer(options, proof),
    admit: async (request, price) => {
      const admission = await decide(options, request, price).catch((error) =>
        isUraidenError(error, 'request_key_changed') ? keyUnknown() : notNow(error, options),
      )
      observer?.admitted(admission, price)
      return admission
    },
  }
}

/** Asks for the price and then the paywall; a price function may refuse the request as wrong. */
export async function priceAndAdmit<Request extends ServerRequest>(
  paywall: Paywall,
  given: {
    readonly pricer: Pricer<Request>
    readonly request: Request
    readonly teaser?: string | undefined
    readonly sold?: SoldGoods | undefined
    readonly bound?: BoundRequest | undefined
    readonly content?: RequestContent | undefined
  },
): Promise<Admission> {
  const { pricer, request, teaser, sold, bound, content } = given
  const view: PricedRequest = { ...viewOf(request), sold, bound, content }
  let price: TokenAmount
  try {
    price = typeof pricer === 'function' ? await pricer(view, request) : pricer
  } catch (error) {
    return badRequest(error)
  }
  return paywall.admit(teaser === undefined ? view : { ...view, teaser }, price)
}

async function decide(
  options: PaywallOptions,
  request: PricedRequest,
  price: TokenAmount,
): Promise<Admission> {
  if (price === 0n) return { kind: 'free' }
  const silence = options.silence?.()
  if (silence !== undefined) throw silence
  const shown = await shownByTicket(options, request)
  if (shown !== undefined) return { kind: 'repeated', reply: shown }
  const spoken = options.other?.spokenIn(request)
  return spoken === undefined
    ? decideByChannel(options, request, price)
    : decideInOther(options, request, { price, spoken })
}

async function decideInOther(
  options: PaywallOptions,
  request: PricedRequest,
  { price, spoken }: { readonly price: TokenAmount; readonly spoken: Spoken },
): Promise<Admission> {
  const refused = (why: Refusal) => refuse(options, request, { why, answer: { price } })
  if (carriesPayment(options, request)) return refused(refusal('two_payments'))
  if (spoken.kind === 'refused') return refused(spoken.why)
  if (spoken.kind === 'channels') {
    return decideByChannel({ ...options, dialect: spoken.dialect }, request, price)
  }
  const admission = await spoken.admit(price)
  if (admission.kind !== 'refused') return admission
  const { code, detail } = admission
  return refuse(options, request, {
    why: refusal(code, detail),
    answer: { price },
    failed: admission,
  })
}

/** In RDN; what cannot be read is one, too. */
function carriesPayment({ dialect }: PaywallOptions, request: PricedRequest): boolean {
  try {
    const { method, bound } = request
    return (bound ? boundPayment(method, bound) : dialect.payment(request)) !== undefined
  } catch (error) {
    if (isUraidenError(error)) return true
    throw error
  }
}

async function decideByChannel(
  options: PaywallOptions,
  request: PricedRequest,
  price: TokenAmount,
): Promise<Admission> {
  const refused = (why: Refusal) => refuse(options, request, { why, answer: { price } })
  let payment: OfferedPayment | undefined
  try {
    payment = request.bound
      ? boundPayment(request.method, request.bound)
      : options.dialect.payment(request)
  } catch (error) {
    return refused(unreadable(error))
  }
  const isRequired = options.bound === 'require' && request.bound === undefined
  if (isRequired && payment !== undefined) return refused(refusal('payment_required', onlyBound))
  const away = options.outage(payment)
  if (away !== undefined) return refused(refusal(away))
  if (payment === undefined) return refused(refusal('payment_required'))
  if (!isOurs(options, payment)) return refused(refusal('wrong_contract'))
  // Not even a reply that was kept before it was bound.
  if (options.manager.isBoundOnly(payment)) return refused(refusal('nonexisting_channel'))
  const key = keyOf(request)
  if (key === undefined) return takeUnnamed(options, request, { payment, price })
  if (key.length <= longestKey) return takeOnce(options, request, { payment, price, key })
  const detail = `Idempotency-Key: it has more than ${longestKey} characters. Send a shorter one.`
  return refused(refusal('malformed_payment', detail))
}

/** What a page has paid for bound, and the browser asks for by the ticket that came with it. */
async function shownByTicket(
  { door, replies }: PaywallOptions,
  request: PricedRequest,
): Promise<Reply | undefined> {
  const { method, cookie, bound: own } = request
  const ticket = method === 'GET' && own === undefined ? cookie(headerName.ticket) : undefined
  const bound = ticket === undefined ? undefined : door.tickets.redeem(ticket)
  const payment = bound && boundPayment(method, bound)
  if (payment === undefined) return undefined
  const view = { ...request, bound }
  const turn = await replies.take(replyId(view, payment, keyOf(view) ?? ''), 'memory')
  if (turn.kind === 'kept') return turn.reply
  await turn.pass()
  return undefined
}

/** @throws UraidenError `missing_header`, `malformed_header`, `high_s_signature` */
function boundPayment(
  method: string,
  { covered, mac, keyNumber }: BoundRequest,
): OfferedPayment | undefined {
  const paid = parseBoundPayment(covered)
  if (paid === undefined) return undefined
  const name = harmless.has(method) ? { mac: answerId(mac) } : {}
  return { ...parseAudience(covered), ...paid, bound: true, keyNumber, ...name }
}

/** Methods of requests that change nothing (RFC 9110 section 9.2.1). */
const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD'])

function endedOf({ manager }: PaywallOptions, payment: OfferedPayment): AnswerEnded {
  return payment.mac === undefined ? undefined : (end) => manager.answerEnded(payment, end)
}

/** The MAC names a bound request, whatever else it says. */
function keyOf({ bound, header, cookie }: PricedRequest): string | undefined {
  if (bound !== undefined) return answerId(bound.mac)
  return header('idempotency-key') ?? cookie(headerName.idempotencyKey)
}

function isOurs({ contract, receiver }: PaywallOptions, payment: OfferedPayment): boolean {
  return (payment.contract ?? contract) === contract && (payment.receiver ?? receiver) === receiver
}

interface Order {
  readonly payment: OfferedPayment
  readonly price: TokenAmount
}

/** A request whose reply is kept; `earlier` is what a process before this one had taken for it. */
interface Keyed extends KeyedRequest {
  readonly earlier: Unanswered | undefined
}

async function take(
  options: PaywallOptions,
  request: PricedRequest,
  { payment, price, keyed }: Order & { readonly keyed?: Keyed },
): Promise<Paid | Refused | AnsweredOutcome> {
  const { dialect, manager, observer } = options
  const resumed = keyed?.earlier && manager.resumePayment(keyed, keyed.earlier)
  const outcome = resumed ?? (await manager.registerPayment(payment, price, keyed))
  if (outcome.kind === 'refused') {
    const { code, channel } = outcome
    return refuse(options, request, { why: refusal(code), answer: { price, channel } })
  }
  if (outcome.kind === 'answered') return outcome
  const { channel, chargeOnly } = outcome
  const bound = request.bound !== undefined
  const offers = payment.signature !== undefined
  const answer = { price, channel: withoutProof(channel), bound, offers, isPaid: true as const }
  const ended = endedOf(options, payment)
  let isBroken = false
  return {
    kind: 'paid',
    price,
    headers: dialect.headers(bound ? { ...answer, cost: price } : answer),
    answerEnded:
      ended &&
      ((end) => {
        isBroken = end === 'broken'
        ended(end)
      }),
    chargeOnly: async (cost) => {
      // From then on what is paid is for the answer to whoever asks again.
      if (isBroken) return dialect.headers({ ...answer, cost: price })
      const credit = await chargeOnly(cost)
      if (credit > 0n) observer?.credited(credit)
      return dialect.headers({ ...answer, cost })
    },
  }
}

/** It has no name by which it could have been answered before. */
async function takeUnnamed(
  options: PaywallOptions,
  request: PricedRequest,
  order: Order,
): Promise<Admission> {
  const admission = await take(options, request, order)
  if (admission.kind !== 'answered') return admission
  throw new Error('an answer to a request without a name')
}

async function takeOnce(
  options: PaywallOptions,
  request: PricedRequest,
  { payment, price, key }: Order & { readonly key: string },
): Promise<Admission> {
  const id = replyId(request, payment, key)
  // Whoever has set a key relies on it over a restart; that costs a second write.
  const isLasting = request.bound === undefined || request.header('idempotency-key') !== undefined
  const turn = await options.replies.take(id, isLasting ? 'disk' : 'memory')
  const { content } = request
  const repeated = async (reply: KeptReply): Promise<Admission> => {
    if (await isAnswerTo(reply, content)) {
      return { kind: 'repeated', reply, answerEnded: endedOf(options, payment) }
    }
    return refuse(options, request, { why: refusal('idempotency_key_reused'), answer: { price } })
  }
  if (turn.kind === 'kept') return repeated(turn.reply)
  const { expires, earlier } = turn
  try {
    const order = { payment, price }
    const keyed = { id, expires, earlier }
    const admission = await take(options, request, isLasting ? { ...order, keyed } : order)
    if (admission.kind === 'paid') {
      const keepReply = (reply?: Reply) =>
        turn.finish(reply && { ...reply, content: content?.seen() ?? 'none' })
      return { ...admission, keepReply }
    }
    await turn.pass()
    return admission.kind === 'answered' ? repeated(admission.reply) : admission
  } catch (error) {
    await turn.pass()
    throw error
  }
}

interface Refusing {
  readonly why: Refusal
  readonly answer: PaymentAnswer
  readonly failed?: OtherRefusal
}

function refuse(
  { dialect, other, page, seller, token, chainId, retryAfter }: PaywallOptions,
  request: PricedRequest,
  { why, answer, failed }: Refusing,
): Refused {
  const bound = request.bound !== undefined
  const { channel } = answer
  const shown = bound ? { ...answer, cost: 0n, channel: channel && withoutProof(channel) } : answer
  const terms = dialect.headers({ ...shown, reason: why.reason, bound, offers: bound })
  const { teaser, sold = {} } = request
  const { price } = answer
  const wanted = wantedBody(request.header('accept') ?? '')
  const base = { kind: 'refused', code: why.code, status: why.status } as const
  const headers = {
    ...terms,
    ...(bound ? {} : other?.asks(request, { price, why, terms, sold, failed })),
    ...notStored,
    ...(passing.has(why.code) && { 'retry-after': `${retryAfter}` }),
  }
  if (wanted === 'html' && why.status !== 422) {
    const facts = { refusal: why, sold, seller, price, token, chainId, headers: terms, teaser }
    const { html: body, headers: own } = page(facts)
    const all = { ...headers, ...own, 'content-type': 'text/html; charset=utf-8' }
    return { ...base, headers: all, cookies: bound ? [] : cookiesOf(terms), body }
  }
  const said = { why, price, token, sold, seller }
  const kind = bodyKind(wanted, why, { bound })
  const { type, body } = refusalBody(kind, said)
  return { ...base, headers: { ...headers, 'content-type': type }, cookies: [], body }
}

function bodyKind(
  wanted: RefusalBody,
  { status }: Refusal,
  { bound }: { readonly bound: boolean },
): Exclude<RefusalBody, 'html'> {
  if (wanted === 'html' || (status !== 402 && status !== 502)) return 'json'
  // Those who bind requests are programs, and their answers are signed.
  return bound && wanted === 'text' ? 'none' : wanted
}

/** What decides is away: it has neither paid nor been refused. Any other error is a defect and thrown on. */
function notNow(error: unknown, { retryAfter }: PaywallOptions): Refused {
  const code = passingErrors.find((each) => isUraidenError(error, each))
  if (code === undefined || !isUraidenError(error)) throw error
  const found = { status: 503, code, title: 'Try again later', detail: error.message }
  return problem(found, { 'retry-after': `${retryAfter}` })
}

/** As its door says it once it has heard of the new key. */
function keyUnknown(): Refused {
  return problem(boundRefusal('request_key_unknown'))
}

const passingErrors = [
  'postgres_unavailable',
  'postgres_commit_unknown',
  'process_fenced',
  'state_restoring',
] as const

/**
 * A price function says with an error of ours that the request is wrong; any other error is a
 * defect and thrown on.
 */
function badRequest(error: unknown): Refused {
  if (!isUraidenError(error)) throw error
  const { code, message, hint } = error
  return problem({ status: 400, code, title: 'Bad request', detail: `${message} ${hint}` })
}

/** As RFC 9457 has it. */
function problem(
  { status, code, title, detail }: Problem,
  more: Readonly<Record<string, string>> = {},
): Refused {
  return {
    ...{ kind: 'refused', code, status, cookies: [] },
    headers: { ...notStored, 'content-type': 'application/problem+json', ...more },
    body: JSON.stringify({ type: `urn:uraiden:problem:${code}`, title, status, code, detail }),
  }
}

interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
}

function unreadable(error: unknown): Refusal {
  if (!isUraidenError(error)) throw error
  const detail = `${error.message} ${error.hint}`
  if (error.code === 'high_s_signature') return refusal('invalid_balance_proof', detail)
  if (error.code === 'malformed_header' || error.code === 'missing_header')
    return refusal('malformed_payment', detail)
  throw error
}

/** The one who paid knows its own signature; it is worth its bytes where something went wrong. */
function withoutProof({ proof: _, ticks: __, ...channel }: Channel): Channel {
  return channel
}

function cookiesOf(terms: HeaderFields): readonly string[] {
  return Object.entries(terms).map(([name, value]) => `${name}=${value}; Path=/; SameSite=Lax`)
}
