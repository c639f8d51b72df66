// The paid request: from URL to answer, through terms, policy, channel, ledger, signer, transport.
import { isUraidenError, parseTerms, type Terms } from '../../protocol/index.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { deliver, read } from './deliver.ts'
import { notAReceiver, refusedRepeatedly } from './errors.ts'
import { follow, judge } from './follow.ts'
import { runHook } from './hooks.ts'
import { canGoTogether, prepare } from './prepare.ts'
import { repeatPayment } from './repeat.ts'
import type { Attempt, ExchangeParts, ExchangeResult, PaidRequest } from './types.ts'

/** A receiver may correct us so often within one request; more is no conversation but a trap. */
const mostPayments = 6

/**
 * @throws UraidenError of policy, budget, funding, transport, hooks, and those of `errors.ts`
 */
export async function exchange(
  parts: ExchangeParts,
  request: PaidRequest,
): Promise<ExchangeResult> {
  const { hooks } = parts
  let error: unknown
  try {
    await runHook(hooks, 'init', request, {})
    const result = await new Exchange(parts, request).run()
    const { status } = result.answer
    const cost = result.payment?.cost ?? 0n
    if (status >= 400) await runHook(hooks, 'httpError', request, { status })
    else await runHook(hooks, 'success', request, { status, cost })
    return result
  } catch (thrown) {
    error = thrown
    throw thrown
  } finally {
    await runHook(hooks, 'exit', request, { error })
  }
}

class Exchange {
  readonly #parts: ExchangeParts
  readonly #request: PaidRequest
  #roundTrips = 0

  constructor(parts: ExchangeParts, request: PaidRequest) {
    this.#parts = parts
    this.#request = request
  }

  async run(): Promise<ExchangeResult> {
    const { memory, locks, transport, ledger } = this.#parts
    const { method, url, idempotencyKey } = this.#request
    const lost = idempotencyKey === undefined ? undefined : this.#parts.lost.take(idempotencyKey)
    if (lost !== undefined) {
      return locks.alone(lost.terms.receiver, () => {
        const taken = ledger.offerAgain(lost.taken)
        return this.#alone(lost.terms, { ...lost, taken })
      })
    }
    const earlier = this.#parts.lost.sentBefore(this.#request)
    if (earlier !== undefined) return repeatPayment(this.#parts, this.#request, earlier)
    const remembered = memory.recall(method, url)
    if (remembered !== undefined) return this.#pay(remembered)
    this.#roundTrips++
    const answer = await transport.send(this.#request)
    if (answer.status !== 402) return this.#result(answer, undefined)
    return this.#pay(this.#readTerms(answer))
  }

  async #pay(terms: Terms): Promise<ExchangeResult> {
    const { ledger, funding, locks, hooks } = this.#parts
    await runHook(hooks, 'paymentRequested', this.#request, { terms })
    if (!canGoTogether(ledger, funding, terms)) {
      return locks.alone(terms.receiver, () => this.#alone(terms))
    }
    const first = await locks.together(terms.receiver, () => this.#together(terms))
    if ('answer' in first) return first
    // Something is not as we thought: the rest is settled with nothing else on its way.
    return locks.alone(terms.receiver, () => this.#alone(first.terms))
  }

  /** One try beside others, on a channel that is there. */
  async #together(terms: Terms): Promise<ExchangeResult | { readonly terms: Terms }> {
    const attempt = await prepare(this.#parts, this.#request, terms, 'channelAtHand')
    if (attempt === undefined) return { terms }
    const answer = await this.#deliver(attempt)
    if (answer.status !== 402) return this.#result(answer, attempt)
    const corrected = this.#readTerms(answer)
    const { ledger, proofs } = this.#parts
    const { taken, payment } = attempt
    const proven = proofs.isOwn(ledger.get(taken.channel), corrected)
    const stands = corrected.senderBalance
    // A receiver that shows an older proof of ours has not taken this one.
    if (proven && stands !== undefined && stands <= payment.balance - attempt.terms.price) {
      ledger.settle(taken, 0n)
    } else {
      ledger.leaveInDoubt(taken)
    }
    return { terms: corrected }
  }

  /** As many tries as it takes, with nothing else on the channel. */
  async #alone(first: Terms, again?: Attempt): Promise<ExchangeResult> {
    const { memory } = this.#parts
    const { method, url } = this.#request
    let terms = first
    let repeated = again
    for (let payments = 0; payments < mostPayments; payments++) {
      const attempt = repeated ?? (await prepare(this.#parts, this.#request, terms, 'anyChannel'))
      repeated = undefined
      if (attempt === undefined) throw new Error('a channel was promised')
      const answer = await this.#deliver(attempt)
      if (answer.status !== 402) return this.#result(answer, attempt)
      terms = this.#readTerms(answer)
      memory.remember(method, url, terms)
      await follow(this.#parts, this.#request, attempt, terms, judge(this.#parts, attempt, terms))
    }
    throw refusedRepeatedly(first.receiver)
  }

  #deliver(attempt: Attempt): Promise<OpenAnswer> {
    return deliver(this.#parts, this.#request, attempt, {
      sent: () => {
        this.#roundTrips++
      },
      readTerms: (answer) => this.#readTerms(answer),
    })
  }

  async #result(open: OpenAnswer, attempt: Attempt | undefined): Promise<ExchangeResult> {
    const { answer, payment } = await read(this.#parts, this.#request, open, attempt)
    return { answer, payment, roundTrips: this.#roundTrips }
  }

  #readTerms({ header, stream }: OpenAnswer): Terms {
    // Nobody reads the page of a 402, however long it is.
    stream.destroy()
    try {
      return parseTerms(header)
    } catch (error) {
      if (isUraidenError(error)) throw notAReceiver(this.#request.url, error)
      throw error
    }
  }
}
