// The states of a purchase by x402, from URL to answer.
//
//   ask ─▶ choose ─▶ policy ─▶ domain ─▶ clock ─▶ persist ─▶ sign ─▶ send ─┬▶ settled ─▶ answer
//                                                    ▲                     ├▶ lost: the same authorization again
//              what was authorized for this request ─┘                     └▶ refused: it stays counted
//              and is not over
//
//   ask      what the seller wants, each time: what is signed moves money at once
//   choose   offers.ts: one of the owner's assets, by address and chain
//   policy   offers.ts, book.ts: seller, price, budgets
//   domain   parts.ts: what the seller calls the token is what the token calls itself
//   persist  book.ts: counted as spent and on the disk, before it is signed
//   settled  answers.ts: what an answer says of the payment; what it does not say, the chain does (chain.ts)

import { plainLine } from '../../platform/text/plain-text.ts'
import { amountOption } from '../../platform/written/written.ts'
import {
  defined,
  formatAmount,
  type HeaderFields,
  isUraidenError,
  type UraidenError,
} from '../../protocol/index.ts'
import {
  type ExactPayload,
  formatExactPayload,
  formatPaymentSignature,
  formatVersion1,
  networkOf,
  signTransfer,
  version1Field,
  x402Field,
} from '../../protocol/x402/index.ts'
import { BudgetSpentError } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import { complete, neverLeft } from '../purchase/delivery.ts'
import type { Dialect, InRdn, PaymentPlan } from '../purchase/dialect.ts'
import { lostWithAuthorization, notAuthentic } from '../purchase/errors.ts'
import { askBeforePayment } from '../purchase/hooks.ts'
import { checkPrice } from '../purchase/policy.ts'
import { answerGone } from '../purchase/repeat.ts'
import type {
  Asked,
  PaidAnswer,
  PaidRequest,
  PaymentFacts,
  SentPayment,
} from '../purchase/types.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import {
  quotesIn,
  rdnQuoteIn,
  readAsked,
  reasonIn,
  type SellerAsks,
  settlementIn,
  speaksRdn,
} from './answers.ts'
import { checkSeller, chooseOffer, type Offer } from './offers.ts'
import type { X402Parts } from './parts.ts'
import { type Asset, type Authorised, unitOf } from './types.ts'

/** Seconds that must be left for a seller to settle what is offered again. */
const leastLeft = 10

/** What a price limit in the channels' token leaves of assets: no asset has a name with spaces. */
const noAsset = 'the channels’ token'

export function createX402Dialect(parts: X402Parts): Dialect {
  return {
    buy: (request, plan, rdn) => new X402Purchase(parts, request).buy(plan, rdn),
    repeat: (request, payment) => new X402Purchase(parts, request).repeat(payment),
  }
}

/** What a seller asks that may be paid. */
interface Order {
  readonly offer: Offer
  readonly asks: SellerAsks
  readonly otherwise: readonly Asked[]
}

/** One authorization on its way. */
interface Paying {
  readonly authorised: Authorised
  readonly asset: Asset
  readonly headers: HeaderFields
  /** It was offered before: it may have been taken. */
  readonly isAgain: boolean
  readonly otherwise: readonly Asked[]
}

type Outcome =
  | { readonly kind: 'answered'; readonly paid: PaidAnswer }
  | { readonly kind: 'refused'; readonly reason: string | undefined }

class X402Purchase {
  readonly #parts: X402Parts
  readonly #request: PaidRequest
  #roundTrips = 0

  constructor(parts: X402Parts, request: PaidRequest) {
    this.#parts = parts
    this.#request = request
  }

  /** ask → choose. */
  async buy(plan: PaymentPlan, rdn: InRdn): Promise<PaidAnswer> {
    const { book, policy } = this.#parts
    const { url, authentic, mostPriceIn } = this.#request
    const mayRdn = plan.dialects.includes('rdn') && mostPriceIn === undefined
    // An answer to a payment by x402 is proven by nothing.
    if (authentic !== undefined && mayRdn) return rdn.run()
    if (authentic !== undefined) throw notAuthentic(url)
    const wasPaid = book.openFor(this.#request) !== undefined
    const prefersRdn = mayRdn && plan.dialects[0] === 'rdn' && !wasPaid
    if (prefersRdn && (await rdn.isKnown())) return rdn.run()
    const answer = await this.#send({})
    if (answer.status !== 402) {
      return this.#finish(await complete(this.#request, answer), undefined)
    }
    const asks = await readAsked(url, answer)
    const quotes = asks === undefined ? [] : quotesIn(asks, policy.assets)
    const inRdn = mayRdn && speaksRdn(answer)
    if (inRdn && (prefersRdn || asks === undefined)) return rdn.run(answer, quotes)
    answer.stream.destroy()
    if (asks === undefined) throw speaksNeither(url)
    try {
      const otherwise = inRdn ? rdnQuoteIn(answer) : []
      return await this.#pay(plan, { offer: this.#choose(asks), asks, otherwise })
    } catch (error) {
      const isOffer =
        isUraidenError(error, 'asset_not_allowed') ||
        isUraidenError(error, 'x402_offer_unsupported')
      if (isOffer && inRdn) return rdn.run(answer, quotes)
      throw error
    }
  }

  /** The very same payment as before; nothing new is signed. */
  async repeat({ headers }: SentPayment): Promise<PaidAnswer> {
    const { book } = this.#parts
    const { url } = this.#request
    const authorised = book.openFor(this.#request)
    const asset = authorised && this.#assetOf(authorised)
    if (authorised === undefined || asset === undefined) throw answerGone(url)
    if (this.#isGood(authorised) && book.offerAgain(authorised)) {
      const outcome = await this.#deliver({
        authorised,
        asset,
        headers,
        isAgain: true,
        otherwise: [],
      })
      if (outcome.kind === 'answered') return outcome.paid
    }
    const fate = await this.#lookUp(authorised)
    if (fate === 'used') throw answerGone(url)
    throw fate === 'unused' ? expired(url) : waits(url)
  }

  #choose({ required }: SellerAsks): Offer {
    const { mostPrice, mostPriceIn, url } = this.#request
    const onlyAsset = mostPrice === undefined ? mostPriceIn : (mostPriceIn ?? noAsset)
    return chooseOffer(required, { assets: this.#parts.policy.assets, onlyAsset }, url)
  }

  /** policy → domain → clock → persist → sign → send. */
  async #pay(plan: PaymentPlan, order: Order): Promise<PaidAnswer> {
    const { behaviours, domains, hooks } = this.#parts
    const { offer } = order
    const { payTo: receiver, amount: price, asset } = offer.terms
    this.#checkPolicy(plan, offer)
    behaviours.mayPay(receiver)
    const terms = { receiver, price, contract: asset, token: asset }
    await askBeforePayment(hooks, { terms, request: this.#request })
    const separator = await domains.checked(offer)
    const earlier = await this.#earlier(offer)
    if (earlier !== undefined) {
      const outcome = await this.#offer(order, separator, earlier)
      if (outcome.kind === 'answered') return outcome.paid
      const fate = await this.#lookUp(earlier)
      if (fate !== 'used') throw this.#refused(offer, outcome.reason)
      if (this.#isKeyOf(earlier)) throw answerGone(this.#request.url)
    }
    const outcome = await this.#offer(order, separator, undefined)
    if (outcome.kind === 'answered') return outcome.paid
    const error = this.#refused(offer, outcome.reason)
    behaviours.failed(offer.terms.payTo, error)
    throw error
  }

  #checkPolicy(plan: PaymentPlan, offer: Offer): void {
    const { policy, sellers, prices } = this.#parts
    const { url, method, mostPrice, dryRun } = this.#request
    const { asset, terms } = offer
    const { receivers, hosts, priceJump, budget } = policy
    checkSeller(url, terms, { receivers, hosts, payTo: plan.payTo, before: sellers.at(url) })
    const unit = unitOf(asset)
    const lastPrice = prices.lastPrice(`${asset.name} ${method}`, url)
    const most = mostPrice === undefined ? undefined : amountOption('mostPrice', mostPrice, unit)
    checkPrice(
      defined({ request: budget.assets?.[asset.name]?.request, priceJump }),
      { price: terms.amount, ...defined({ mostPrice: most, lastPrice }) },
      unit,
    )
    if (dryRun || policy.dryRun) throw dryRunOf(offer)
    sellers.remember(url, terms.payTo)
  }

  /** What this request was paid with before, where that can be offered again. */
  async #earlier({ asset, terms }: Offer): Promise<Authorised | undefined> {
    const { book } = this.#parts
    const found = book.openFor(this.#request)
    if (found === undefined) return undefined
    const isSame =
      found.address === asset.address &&
      found.chainId === asset.chainId &&
      found.payTo === terms.payTo &&
      found.value === terms.amount
    // Under its key it may be answered although it has paid.
    const mayHavePaid = book.isOfEarlierProcess(found) && !this.#isKeyOf(found)
    const isLate = !isSame || !this.#isGood(found)
    const fate = isLate || mayHavePaid ? await this.#lookUp(found) : 'open'
    if (!isLate && fate === 'open') return book.offerAgain(found)
    if (!this.#isKeyOf(found) || fate === 'unused') return undefined
    throw fate === 'used' ? answerGone(this.#request.url) : waits(this.#request.url)
  }

  /** persist → sign → send, of one that is there or of a new one. */
  async #offer(
    { offer, asks, otherwise }: Order,
    separator: Uint8Array,
    earlier: Authorised | undefined,
  ): Promise<Outcome> {
    const { book, signer } = this.#parts
    const { asset, accepted } = offer
    const authorised = earlier ?? (await this.#reserve(offer))
    const isAgain = earlier !== undefined
    let headers: HeaderFields
    try {
      const { payTo: to, value, nonce } = authorised
      const validBefore = BigInt(authorised.validBefore)
      const payload = await signTransfer(signer, separator, {
        ...{ from: signer.address, to, value, validAfter: 0n, validBefore, nonce },
      })
      headers = headersOf(asks, accepted, payload)
      await this.#request.onPayment?.(sentOf(authorised, headers))
    } catch (error) {
      // Nothing has left.
      if (isAgain) book.leaveOpen(authorised)
      else book.unused(authorised)
      throw error
    }
    return this.#deliver({ authorised, asset, headers, isAgain, otherwise })
  }

  /** Counted and on the disk. Where there is no room, the chain may have made some. */
  async #reserve({ asset, terms }: Offer): Promise<Authorised> {
    const { book, lookUp, policy } = this.#parts
    const { payTo, amount: value, timeout } = terms
    const now = this.#now()
    const wanted = {
      ...{ asset, payTo, value },
      validBefore: now + Math.min(timeout, policy.validFor),
    }
    try {
      return await book.reserve(this.#request, wanted)
    } catch (error) {
      const isFull = isUraidenError(error, 'authorizations_unsettled')
      if (!isFull && !(error instanceof BudgetSpentError)) throw error
      await lookUp()
      return book.reserve(this.#request, wanted)
    }
  }

  async #deliver(paying: Paying): Promise<Outcome> {
    const { book } = this.#parts
    const { authorised } = paying
    const answer = await this.#sendPaid(paying)
    if (answer.status === 402) {
      answer.stream.destroy()
      book.leaveOpen(authorised)
      return { kind: 'refused', reason: reasonIn(answer) }
    }
    const settlement = settlementIn(answer)
    const isSettled = settlement?.success === true
    // What is not said to be settled stays open: the chain will say it.
    if (isSettled) book.spent(authorised)
    else book.leaveOpen(authorised)
    const transaction = isSettled ? settlement.transaction : ''
    const payment = this.#note(paying, answer, transaction)
    return { kind: 'answered', paid: await this.#finish(answer, payment) }
  }

  /** send, and the same again while an answer is lost. */
  async #sendPaid({ authorised, headers, isAgain }: Paying): Promise<OpenAnswer> {
    const { book, repeats: most } = this.#parts
    let lost: unknown
    for (let repeats = 0; ; repeats++) {
      try {
        return await complete(this.#request, await this.#send(headers))
      } catch (error) {
        if (!neverLeft(error)) lost = error
        if (isUraidenError(error, 'answer_lost') && repeats < most) continue
        if (lost === undefined && !isAgain) book.unused(authorised)
        else book.leaveOpen(authorised)
        throw lost === undefined ? error : lostWithAuthorization(lost)
      }
    }
  }

  #send(headers: HeaderFields): Promise<OpenAnswer> {
    this.#roundTrips++
    const request = this.#request
    return this.#parts.transport.send({ ...request, headers: { ...request.headers, ...headers } })
  }

  #note(
    { authorised, asset, otherwise }: Paying,
    answer: OpenAnswer,
    transaction: string,
  ): PaymentFacts {
    const { history, prices, readClock } = this.#parts
    const { method, url, job } = this.#request
    const { payTo, value: cost, nonce, chainId } = authorised
    const channel = `${payTo}/x402` as const
    const unit = unitOf(asset)
    prices.paid(`${asset.name} ${method}`, url, cost)
    history.add({
      ...{
        time: readClock().wall,
        method,
        url: `${url.origin}${url.pathname}`,
        status: answer.status,
      },
      ...{ cost, channel, balance: 0n, authentic: false, unit },
      ...(job !== undefined && { job }),
    })
    const x402 = {
      ...{ unit, nonce, network: networkOf(chainId) },
      ...(transaction !== '' && { transaction: plainLine(transaction, 128) }),
    }
    return {
      ...{ price: cost, cost, channel, balance: 0n, authentic: false, x402 },
      ...(otherwise.length > 0 && { otherwise }),
    }
  }

  async #finish(open: OpenAnswer, payment: PaymentFacts | undefined): Promise<PaidAnswer> {
    const body = this.#request.read === 'stream' ? new Uint8Array() : await open.body()
    return { answer: { ...open, body }, payment, roundTrips: this.#roundTrips }
  }

  /** What became of one, and what that does to the books. */
  async #lookUp(authorised: Authorised) {
    const { book, chain } = this.#parts
    const asset = this.#assetOf(authorised)
    const fate = asset === undefined ? 'open' : await chain.fate(asset, authorised)
    if (fate === 'used') book.spent(authorised)
    if (fate === 'unused') book.unused(authorised)
    return fate
  }

  /** Undefined for one that the configuration does not have any more. */
  #assetOf({ address, chainId }: Authorised): Asset | undefined {
    const { assets } = this.#parts.policy
    return assets.find((each) => each.address === address && each.chainId === chainId)
  }

  #isGood({ validBefore }: Authorised): boolean {
    return validBefore > this.#now() + leastLeft
  }

  #isKeyOf({ key }: Authorised): boolean {
    return key !== undefined && key === this.#request.idempotencyKey
  }

  /** Unix seconds, by a clock that is known to be right. @throws UraidenError `clock_unproven` */
  #now(): number {
    const { wall, synchronised } = this.#parts.readClock()
    if (synchronised) return Math.floor(wall / 1000)
    throw agentError({
      code: 'clock_unproven',
      message: `Nothing says that it is ${new Date(wall).toISOString().slice(0, 16)} UTC, and an authorization is good until a time.`,
    })
  }

  #refused({ asset, terms }: Offer, reason: string | undefined): UraidenError {
    const { origin } = this.#request.url
    const why = reason === undefined ? '' : `: ${plainLine(reason, 200)}`
    return agentError({
      code: 'payment_refused',
      message: `${origin} did not take the authorization over ${formatAmount(terms.amount, unitOf(asset))}${why}.`,
      hint: 'Nothing more is signed for this request. The amount stays counted until the chain proves that the authorization expired unused.',
    })
  }
}

function headersOf(
  { version, required: { resource, extensions } }: SellerAsks,
  accepted: Offer['accepted'],
  payload: ExactPayload,
): HeaderFields {
  if (version === 1) return { [version1Field.signature]: formatVersion1(accepted, payload) }
  const message = { resource, accepted, payload: formatExactPayload(payload) }
  const text = formatPaymentSignature({ ...message, ...defined({ extensions }) })
  return { [x402Field.signature]: text }
}

function sentOf({ payTo, value, key }: Authorised, headers: HeaderFields): SentPayment {
  const channel = `${payTo}/x402` as const
  return { headers, receiver: payTo, channel, price: value, balance: 0n, ...defined({ key }) }
}

function dryRunOf({ asset, terms: { amount, payTo } }: Offer): UraidenError {
  const { name: symbol, decimals } = asset
  return agentError({
    code: 'dry_run',
    message: `This would cost ${formatAmount(amount, unitOf(asset))} by x402.`,
    details: { price: `${amount}`, receiver: payTo, symbol, decimals: `${decimals}` },
  })
}

function speaksNeither({ origin }: URL): UraidenError {
  return agentError({
    code: 'terms_unreadable',
    message: `${origin} answers 402, but in no dialect that may be spoken there.`,
    hint: 'See pay under receivers in the configuration.',
  })
}

function expired({ origin }: URL): UraidenError {
  return agentError({
    code: 'payment_superseded',
    message: `${origin} did not take this payment in its time.`,
    hint: 'Nothing was spent on it. Buy again.',
  })
}

function waits({ origin }: URL): UraidenError {
  return agentError({
    code: 'payment_waits',
    message: `What became of an authorization for this request at ${origin} is not certain yet.`,
  })
}
