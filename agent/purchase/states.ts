// The states of a paid request, from URL to answer.
//
//   terms ─▶ policy ─▶ channel ─▶ ledger ─▶ sign ─▶ send ─▶ judge ─┬▶ settle ─▶ answer
//              ▲                                     ▲             │
//              │                                     ├─── wait ◀───┤  the receiver has not seen the chain
//              │                                     └── repeat ◀──┤  the answer was lost: same proof, same key
//              └───────────── correct ◀────────────────────────────┤  the books are put right, then paid anew
//                                                                  └▶ error: what was signed stays counted
//
//   terms                   terms.ts     what the receiver asks: remembered, or from its 402
//   policy                  policy.ts    whether this may be paid
//   channel, ledger, sign   attempt.ts   one payment, durably covered; later settled or left in doubt
//   send, wait              delivery.ts  where a payment's fields go on a request and answers come in
//   judge, correct          verdict.ts   what a refusal means (judge.ts), and what that does to the books
//   repeat                  repeat.ts    lost answers are asked for again; lost.ts remembers them
import type { Locks } from '../../platform/async/locks.ts'
import { type Address, headerName, type Terms, type UraidenError } from '../../protocol/index.ts'
import type { Bindings } from '../channels/binding.ts'
import { type ChannelName, channelOf } from '../channels/records.ts'
import { agentError } from '../errors/index.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import type { Attempts, Ending } from './attempt.ts'
import type { Behaviours } from './behaviour.ts'
import {
  complete,
  type Delivery,
  isUnchecked,
  neverLeft,
  type Patience,
  paymentHeaders,
  sentPayment,
} from './delivery.ts'
import type { Dialects, InRdn } from './dialect.ts'
import { notAuthentic, notConfirmed, refusedRepeatedly } from './errors.ts'
import type { PurchaseHistory } from './history.ts'
import { type AgentHooks, announcer, askBeforePayment, refusalHook, watched } from './hooks.ts'
import type { Verdict } from './judge.ts'
import type { LostPayments } from './lost.ts'
import type { PolicyCheck } from './policy.ts'
import { answerGone, askAgain, paidEarlier } from './repeat.ts'
import { readTerms, type TermsMemory } from './terms.ts'
import type {
  AgentResponse,
  Asked,
  Attempt,
  ChannelPayment,
  PaidAnswer,
  PaidRequest,
  PaymentFacts,
  Purchases,
  RequestOptions,
  SentPayment,
} from './types.ts'
import type { Verdicts } from './verdict.ts'

export interface PurchaseParts {
  /** There where several contracts are used: those of the one that is better paid through, if it is another one. */
  readonly elsewhere?: (request: PaidRequest, terms: Terms) => Promise<PurchaseParts> | undefined
  readonly bindings: Pick<Bindings, 'confirmed'>
  readonly terms: TermsMemory
  readonly policy: PolicyCheck
  readonly behaviours: Behaviours
  readonly attempts: Attempts
  readonly delivery: Delivery
  readonly verdicts: Verdicts
  readonly lost: LostPayments
  readonly history: PurchaseHistory
  /** By receiver: what needs to know where a channel stands is alone with it. */
  readonly locks: Locks
  readonly hooks: AgentHooks | undefined
}

/** A receiver may correct us so often within one request; more is no conversation but a trap. */
const mostPayments = 6

/** An answer, and the payment as it was sent in the end. */
interface Sent {
  readonly answer: OpenAnswer
  readonly sent: Attempt
}

interface Refusal {
  readonly terms: Terms
  readonly verdict: Verdict
}

class PurchaseRun {
  readonly #parts: PurchaseParts
  readonly #request: PaidRequest
  readonly #announce: ReturnType<typeof announcer> | undefined
  #roundTrips = 0
  /** A payment has left, and what came is no answer: it may have been served. */
  #answerLost = false
  /** What is asked in other dialects. */
  #otherwise: readonly Asked[] = []
  /** What was settled by an answer's head, once its body has ended. */
  #settleAtEnd: ((ending: Ending) => void) | undefined

  constructor(parts: PurchaseParts, request: PaidRequest) {
    this.#parts = parts
    this.#request = request
    this.#announce = parts.hooks && announcer(parts.hooks, request)
  }

  /** What needs not be asked: its terms are remembered, or its answer was lost. */
  isKnown(): boolean {
    const { terms, lost } = this.#parts
    const { method, url, idempotencyKey } = this.#request
    return (
      terms.recall(method, url) !== undefined ||
      (idempotencyKey !== undefined && lost.has(idempotencyKey))
    )
  }

  /** terms: of a 402 that is there already. */
  runOn(asked: OpenAnswer, otherwise: readonly Asked[]): Promise<PaidAnswer> {
    this.#roundTrips++
    this.#otherwise = otherwise
    return this.#payBestOn(readTerms(this.#request.url, asked))
  }

  /** terms: of a request whose answer was lost, remembered, or asked for. */
  async run(): Promise<PaidAnswer> {
    const { terms, delivery, lost, locks, attempts } = this.#parts
    const { method, url, idempotencyKey } = this.#request
    if (idempotencyKey !== undefined) {
      const known = lost.take(this.#request, idempotencyKey)
      if (known !== undefined) {
        const again = () => this.#alone(known.terms, attempts.offerAgain(known))
        return locks.alone(known.terms.receiver, again)
      }
      const earlier = lost.sentBefore(this.#request)
      if (earlier !== undefined) return this.repeat(earlier)
    }
    const remembered = terms.recall(method, url)
    if (remembered !== undefined) return this.#payBestOn(remembered)
    this.#roundTrips++
    const answer = await delivery.send(this.#request)
    if (answer.status !== 402) {
      this.#checkAuthentic(answer, undefined)
      return this.#finish(answer, undefined)
    }
    return this.#payBestOn(readTerms(url, answer))
  }

  /** Through this contract, or another one that the receiver takes payments through. */
  async #payBestOn(terms: Terms): Promise<PaidAnswer> {
    const parts = await this.#parts.elsewhere?.(this.#request, terms)
    if (parts === undefined) return this.#pay(await this.#termsOfOurs(terms))
    const { elsewhere: _, ...there } = parts
    const run = new PurchaseRun(there, this.#request)
    run.#roundTrips = this.#roundTrips
    run.#otherwise = this.#otherwise
    return run.run()
  }

  /** Of our contract, where the receiver has named another one first. */
  async #termsOfOurs(terms: Terms): Promise<Terms> {
    const { policy, delivery } = this.#parts
    const { contract } = policy
    if (terms.contract === contract || !terms.otherContracts?.includes(contract)) return terms
    this.#roundTrips++
    const answer = await delivery.send(this.#request, { [headerName.contract]: contract })
    return answer.status === 402 ? readTerms(this.#request.url, answer) : terms
  }

  async #pay(terms: Terms): Promise<PaidAnswer> {
    try {
      return await this.#payOnTerms(terms)
    } catch (error) {
      this.#parts.behaviours.failed(terms.receiver, error)
      throw error
    }
  }

  async #payOnTerms(terms: Terms): Promise<PaidAnswer> {
    const { locks, attempts } = this.#parts
    await this.#announce?.('paymentRequested', { terms })
    if (!attempts.canGoTogether(this.#request, terms)) {
      return locks.alone(terms.receiver, () => this.#alone(terms))
    }
    const first = await locks.together(terms.receiver, () => this.#together(terms))
    if ('answer' in first) return first
    // Something is not as we thought: the rest is settled with nothing else on its way.
    return locks.alone(terms.receiver, () => this.#alone(first.terms))
  }

  /** One payment beside others, on a channel that is there. */
  async #together(terms: Terms): Promise<PaidAnswer | { readonly terms: Terms }> {
    const attempt = await this.#prepare(terms, 'channelAtHand')
    if (attempt === undefined) return { terms }
    const outcome = await this.#deliver(attempt)
    if ('verdict' in outcome) this.#parts.verdicts.besideOthers(attempt, outcome.terms)
    return outcome
  }

  /** As many payments as it takes, with nothing else on the channel. */
  async #alone(first: Terms, offeredAgain?: Attempt): Promise<PaidAnswer> {
    let terms = first
    let attempt = offeredAgain
    for (let payments = 0; payments < mostPayments; ) {
      attempt ??= await this.#prepare(terms, 'anyChannel')
      if (attempt === undefined) throw new Error('a channel was promised')
      const outcome = await this.#deliver(attempt)
      if ('answer' in outcome) return outcome
      await this.#correct(attempt, outcome)
      // Each that is in doubt is offered once: kills leave more of them than a receiver may correct.
      const { taken } = attempt
      if (taken.source !== 'doubtful' || outcome.verdict.kind !== 'spentBefore') payments++
      terms = outcome.terms
      attempt = undefined
    }
    throw refusedRepeatedly(first.receiver)
  }

  /** policy → channel → ledger → sign. Undefined when a transaction would be needed that may not be made. */
  async #prepare(terms: Terms, use: 'channelAtHand' | 'anyChannel'): Promise<Attempt | undefined> {
    const { policy, attempts, hooks } = this.#parts
    if (terms.contract !== policy.contract) await this.#announce?.('wrongContract', { terms })
    policy.check(this.#request, terms)
    if (hooks !== undefined) await askBeforePayment(hooks, { terms, request: this.#request })
    return attempts.make(this.#request, terms, use)
  }

  /** send → judge, and while the verdict is to wait, the same again. */
  async #deliver(first: Attempt): Promise<PaidAnswer | Refusal> {
    const { delivery } = this.#parts
    let attempt = first
    const patience = delivery.patience(this.#request.signal)
    await this.#beforeSending(attempt, patience)
    for (;;) {
      const { answer, sent } = await this.#send(attempt)
      // Under new keys perhaps: whatever follows is sent with them.
      attempt = sent
      if (answer.status !== 402) return this.#finish(answer, this.#settle(attempt, answer))
      const said = this.#refusal(attempt, answer)
      const stronger = await this.#stronger(attempt, said, answer)
      if (stronger !== undefined) {
        attempt = stronger
        continue
      }
      const terms = await this.#proven(attempt, said)
      const verdict = await this.#judge(attempt, terms)
      if (verdict.kind !== 'wait') {
        this.#notPaidBefore(attempt, terms)
        return { terms, verdict }
      }
      const gone = await this.#wait(attempt, terms, () => patience.pauseAfter(answer))
      if (gone) return { terms, verdict: { kind: 'channelGone' } }
    }
  }

  /**
   * A repetition that is refused because its interval has paid: for this very request, perhaps. Whoever loses
   * answers on purpose must not make us pay again.
   */
  #notPaidBefore(attempt: Attempt, { senderBalance = 0n }: Terms): void {
    const { attempts, lost } = this.#parts
    const { taken, payment } = attempt
    if (!this.#answerLost || taken.source === 'probe') return
    if (senderBalance < payment.balance) return
    attempts.leaveInDoubt(attempt)
    lost.answered(this.#request)
    throw answerGone(this.#request.url)
  }

  /** A caller that records payments itself needs no second record. */
  async #noteSent(attempt: Attempt): Promise<void> {
    const { onPayment, idempotencyKey } = this.#request
    if (onPayment !== undefined) await onPayment(sentPayment(attempt))
    else if (idempotencyKey !== undefined) {
      await this.#parts.lost.noteSent(this.#request, sentPayment(attempt))
    }
  }

  async #beforeSending(attempt: Attempt, patience: Patience): Promise<void> {
    const { attempts } = this.#parts
    try {
      await this.#noteSent(attempt)
      // The receiver has to see the chain too: asking at once would only be a round trip more.
      if (attempts.isAhead(attempt)) await patience.pause()
    } catch (error) {
      attempts.takeBack(attempt)
      throw error
    }
  }

  /** What a 402 to the payment says. */
  #refusal(attempt: Attempt, answer: OpenAnswer): Terms {
    try {
      return readTerms(this.#request.url, answer, attempt.bound && attempt.terms)
    } catch (error) {
      this.#parts.attempts.leaveInDoubt(attempt)
      throw error
    }
  }

  /** The same payment, where the receiver only wants to be shown more for it. */
  async #stronger(
    attempt: Attempt,
    terms: Terms,
    { header }: OpenAnswer,
  ): Promise<Attempt | undefined> {
    const { attempts } = this.#parts
    try {
      const stronger = await attempts.stronger(attempt, terms, header)
      if (stronger !== undefined) await this.#noteSent(stronger)
      return stronger
    } catch (error) {
      attempts.leaveInDoubt(attempt)
      throw error
    }
  }

  async #proven(attempt: Attempt, terms: Terms): Promise<Terms> {
    const { attempts } = this.#parts
    try {
      return await attempts.proven(attempt, terms)
    } catch (error) {
      attempts.leaveInDoubt(attempt)
      throw error
    }
  }

  /** send, and repeat while an answer was lost that may be asked for again. */
  async #send(first: Attempt): Promise<Sent> {
    const { delivery, attempts } = this.#parts
    let attempt = first
    let loss: unknown
    for (let repeats = 0; ; repeats++) {
      this.#roundTrips++
      try {
        const answer = await complete(this.#request, await this.#sendOnce(attempt))
        return { answer, sent: attempt }
      } catch (error) {
        // That the repetition did not leave says nothing of the payment before it.
        loss = neverLeft(error) ? (loss ?? error) : error
        this.#answerLost ||= !neverLeft(error)
        if (isUnchecked(error)) {
          attempt = await this.#renewed(attempt)
          continue
        }
        if (delivery.mayRepeat(attempt, repeats, error)) continue
        throw attempts.lose(this.#request, attempt, loss)
      }
    }
  }

  #sendOnce(attempt: Attempt): Promise<OpenAnswer> {
    const { delivery } = this.#parts
    const fields = paymentHeaders(attempt)
    return attempt.bound === undefined
      ? delivery.send(this.#request, fields)
      : delivery.sendBound(this.#request, fields, attempt.bound)
  }

  /** The same payment once the receiver has our key again: it could not check it before. */
  async #renewed(attempt: Attempt): Promise<Attempt> {
    const { attempts } = this.#parts
    try {
      return await attempts.renewed(this.#request, attempt)
    } catch (error) {
      throw attempts.lose(this.#request, attempt, error)
    }
  }

  async #judge(attempt: Attempt, terms: Terms): Promise<Verdict> {
    const { attempts, verdicts } = this.#parts
    try {
      return await verdicts.judge(attempt, terms)
    } catch (error) {
      attempts.leaveInDoubt(attempt)
      throw error
    }
  }

  /** wait. True when the channel is gone, and waiting was for nothing. */
  async #wait(attempt: Attempt, terms: Terms, pause: () => Promise<boolean>): Promise<boolean> {
    const { attempts, verdicts } = this.#parts
    const { channel } = attempt.taken
    try {
      await this.#announce?.('insufficientConfirmations', { terms, channel })
      if (await pause()) return false
      if (await verdicts.isGone(attempt, terms)) return true
      throw notConfirmed(terms.receiver)
    } catch (error) {
      attempts.leaveInDoubt(attempt)
      throw error
    }
  }

  /** correct: the books are put right for another payment, or the request ends here. */
  async #correct(attempt: Attempt, { terms, verdict }: Refusal): Promise<void> {
    const { attempts, verdicts } = this.#parts
    const { method, url } = this.#request
    this.#parts.terms.remember(method, url, terms)
    const { channel } = attempt.taken
    const hook = refusalHook(terms)
    try {
      if (hook !== undefined) await this.#announce?.(hook, { terms, channel })
    } catch (error) {
      attempts.leaveInDoubt(attempt)
      throw error
    }
    await verdicts.follow(attempt, terms, verdict)
  }

  /** settle: what the receiver charged is spent, the rest pays for something else. */
  #settle(attempt: Attempt, answer: OpenAnswer): PaymentFacts {
    const { attempts, terms, history } = this.#parts
    const { method, url, job, read } = this.#request
    const { payment, atEnd } = attempts.settle(attempt, answer)
    terms.remember(method, url, attempt.terms)
    terms.paid(method, url, payment.price)
    const { cost, channel, balance, authentic } = payment
    const noteCost = history.add({
      ...{ time: Date.now(), method, url: `${url.origin}${url.pathname}`, status: answer.status },
      ...{ cost, channel, balance },
      // A stream is proven at its end, which nobody may wait for.
      ...((read === 'body' || !authentic) && { authentic }),
      ...(job !== undefined && { job }),
    })
    this.#settleAtEnd = (ending) => {
      const charged = atEnd(ending)
      if (charged !== cost) noteCost(charged)
    }
    return this.#otherwise.length > 0 ? { ...payment, otherwise: this.#otherwise } : payment
  }

  /** repeat: a payment that left before, in this process or an earlier one. */
  repeat(sent: ChannelPayment): Promise<PaidAnswer> {
    return this.#parts.locks.alone(sent.receiver, async () => {
      this.#roundTrips++
      const { answer, attempt } = await askAgain(this.#parts, this.#request, sent)
      const payment = attempt ? this.#settle(attempt, answer) : paidEarlier(sent, answer)
      this.#checkAuthentic(answer, payment)
      return this.#finish(answer, payment)
    })
  }

  /** What nobody has paid for, nobody has signed. */
  #checkAuthentic({ stream }: OpenAnswer, payment: PaymentFacts | undefined): void {
    if (this.#request.authentic === undefined || payment?.authentic) return
    stream.destroy()
    throw notAuthentic(this.#request.url)
  }

  /** What comes to light at a stream's end. Whoever hangs up has got what it asked for. */
  #watch({ stream }: OpenAnswer, payment: PaymentFacts): void {
    const { signal } = this.#request
    stream.once('end', () => this.#settleAtEnd?.('whole'))
    stream.once('error', (error) => {
      if (signal?.aborted !== true) this.#settleAtEnd?.('brokenOff')
      if (payment.authentic) this.#parts.behaviours.failed(receiverOf(payment), error)
    })
  }

  async #finish(open: OpenAnswer, payment: PaymentFacts | undefined): Promise<PaidAnswer> {
    const { read, idempotencyKey } = this.#request
    const body = read === 'stream' ? new Uint8Array() : await open.body()
    if (read === 'stream' && payment !== undefined) this.#watch(open, payment)
    if (payment !== undefined && idempotencyKey !== undefined) {
      this.#parts.lost.answered(this.#request)
    }
    return { answer: { ...open, body }, payment, roundTrips: this.#roundTrips }
  }
}

function receiverOf({ channel }: PaymentFacts): Address {
  return channel.slice(0, channel.indexOf('/')) as Address
}

/** Resolves with the parts for a request, or for one that was paid on a channel. */
export type PartsFor = (request: PaidRequest, channel?: ChannelName) => Promise<PurchaseParts>

export interface PurchaseOptions {
  readonly partsFor: PartsFor
  /** Undefined where RDN alone is spoken everywhere. */
  readonly dialects?: Dialects | undefined
  readonly hooks?: AgentHooks | undefined
}

/**
 * The first request may have to wait for its parts.
 * @throws UraidenError of policy, budget, funding, transport, hooks, and those of `errors.ts`
 */
export function createPurchases({ partsFor, dialects, hooks }: PurchaseOptions): Purchases {
  async function begin(request: PaidRequest): Promise<PaidAnswer> {
    const plan = dialects?.planFor(request.url)
    if (plan === undefined || dialects === undefined) return (await inRdn(request)).run()
    const dialect = await dialects.x402()
    return dialect.buy(request, plan, lazily(request))
  }

  async function inRdn(request: PaidRequest, channel?: ChannelName): Promise<PurchaseRun> {
    if (request.mostPriceIn !== undefined) throw onlyIn(request.mostPriceIn, request.url)
    return new PurchaseRun(await partsFor(request, channel), request)
  }

  function lazily(request: PaidRequest): InRdn {
    return {
      isKnown: async () => (await inRdn(request)).isKnown(),
      run: async (asked, other = []) => {
        const run = await inRdn(request)
        return asked === undefined ? run.run() : run.runOn(asked, other)
      },
    }
  }

  async function repeat(request: PaidRequest, payment: SentPayment): Promise<PaidAnswer> {
    const channel = channelOf(payment.channel)
    if (channel !== undefined) {
      return (await inRdn(request, channel)).repeat({ ...payment, channel })
    }
    if (dialects === undefined) throw answerGone(request.url)
    return (await dialects.x402()).repeat(request, payment)
  }

  const whole = (request: PaidRequest): Promise<PaidAnswer> =>
    hooks ? watched(hooks, request, () => begin(request)) : begin(request)
  const request: Purchases['request'] = async (url, options = {}) => {
    return response(await whole(requestOf(url, options, 'body')))
  }
  return {
    request,
    get: (url, options) => request(url, { ...options, method: 'GET' }),
    post: (url, options) => request(url, { ...options, method: 'POST' }),
    stream: async (url, options = {}) => {
      const { answer, payment, roundTrips } = await whole(requestOf(url, options, 'stream'))
      const { status, headers, stream: body } = answer
      return { status, headers, body, payment, roundTrips }
    },
    repeatPayment: async (url, payment, options = {}) => {
      return response(await repeat(requestOf(url, options, 'body'), payment))
    },
  }
}

function requestOf(
  url: string | URL,
  { method = 'GET', headers = {}, ...rest }: RequestOptions,
  read: PaidRequest['read'],
): PaidRequest {
  return { ...rest, method: method.toUpperCase(), url: new URL(url), headers, read }
}

function onlyIn(asset: string, { origin }: URL): UraidenError {
  return agentError({
    code: 'wrong_token',
    message: `This request may cost ${asset} only, and ${origin} is not paid in it.`,
    hint: 'Nothing was signed. Allow x402 there with pay under receivers, or write the price in the channels’ token.',
  })
}

const utf8 = new TextDecoder()

function response(paid: PaidAnswer): AgentResponse {
  const text = () => utf8.decode(paid.answer.body)
  return { ...paid, status: paid.answer.status, text, json: () => JSON.parse(text()) }
}
