// The paid request: from URL to answer, through terms, policy, channel, ledger, signer, transport.
import {
  formatPayment,
  type HeaderFields,
  type HeaderSource,
  headerName,
  isUraidenError,
  type Payment,
  parseTerms,
  parseUint192,
  type Terms,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { ChannelFunding } from '../channel/funding.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ChannelName } from '../ledger/records.ts'
import { budgetSpent, checkProposal, type Policy, roomInBudget } from '../policy.ts'
import type { TermsMemory } from '../terms.ts'
import type { HttpAnswer, Transport } from '../transport.ts'
import {
  channelDisowned,
  cheated,
  notAReceiver,
  notConfirmed,
  proofRefused,
  refusedRepeatedly,
  unproven,
} from './errors.ts'
import { judgeRefusal, type Verdict } from './judge.ts'
import { formFor, type ProofMaker } from './proofs.ts'

export interface PaidRequest {
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Refuse a higher price for this request, in the smallest unit. */
  readonly mostPrice?: TokenAmount
}

/** What was paid for an answer. Amounts in the token's smallest unit. */
export interface PaymentFacts {
  readonly price: TokenAmount
  /** What the receiver charged: the price, or less. */
  readonly cost: TokenAmount
  readonly channel: ChannelName
  readonly balance: TokenAmount
}

export interface ExchangeResult {
  readonly answer: HttpAnswer
  /** Undefined for an answer that was free. */
  readonly payment: PaymentFacts | undefined
  readonly roundTrips: number
}

export interface ExchangeParts {
  readonly memory: TermsMemory
  readonly policy: Policy
  readonly token: TokenUnit
  readonly contractVersion: string
  readonly funding: ChannelFunding
  readonly ledger: Ledger
  readonly proofs: ProofMaker
  readonly transport: Transport
  /** One payment after the other on a receiver's channels. */
  readonly inTurn: <Value>(receiver: string, work: () => Promise<Value>) => Promise<Value>
  /** How long to wait for a receiver to see our channel confirmed, in milliseconds. */
  readonly confirmTimeout: number
  /** Between two tries while waiting, in milliseconds. */
  readonly retryInterval: number
}

/** A receiver may correct us so often within one request; more is no conversation but a trap. */
const mostPayments = 4

interface Attempt {
  readonly channel: ChannelName
  readonly payment: Payment
  readonly price: TokenAmount
  readonly previous: TokenAmount
}

/**
 * @throws UraidenError of policy, funding, transport, and those of `errors.ts`
 */
export async function exchange(
  parts: ExchangeParts,
  request: PaidRequest,
): Promise<ExchangeResult> {
  const remembered = parts.memory.recall(request.method, request.url)
  if (remembered) {
    return parts.inTurn(remembered.receiver, () =>
      new PaidExchange(parts, request, 0).run(remembered),
    )
  }
  const answer = await parts.transport.send(request)
  if (answer.status !== 402) return { answer, payment: undefined, roundTrips: 1 }
  const terms = readTerms(request.url, answer.header)
  return parts.inTurn(terms.receiver, () => new PaidExchange(parts, request, 1).run(terms))
}

class PaidExchange {
  readonly #parts: ExchangeParts
  readonly #request: PaidRequest
  #roundTrips: number
  /** Pay above everything that may have been signed, and say how much (`RDN-Payment`). */
  #leaveGap = false

  constructor(parts: ExchangeParts, request: PaidRequest, roundTrips: number) {
    this.#parts = parts
    this.#request = request
    this.#roundTrips = roundTrips
  }

  async run(first: Terms): Promise<ExchangeResult> {
    let terms = first
    for (let payments = 0; payments < mostPayments; payments++) {
      const attempt = await this.#prepare(terms)
      const answer = await this.#deliver(attempt)
      if (answer.status !== 402) return this.#served(attempt, terms, answer)
      terms = this.#readTerms(answer)
      await this.#follow(await this.#judge(attempt, terms), attempt, terms)
    }
    throw refusedRepeatedly(terms.receiver)
  }

  /** Terms, policy, channel, ledger, signer: in this order, and nothing is signed before. */
  async #prepare(terms: Terms): Promise<Attempt> {
    const { policy, funding, ledger, proofs, token, contractVersion } = this.#parts
    checkProposal(policy, { terms, ...pick(this.#request) }, token)
    const { price, receiver } = terms
    const room = roomInBudget(policy, ledger.reserved())
    const channel = await funding.ensure(receiver, price, room, token)
    const previous = ledger.get(channel).balance
    const balance = await ledger.take(channel, price, (reserved) => roomInBudget(policy, reserved))
    if (balance === undefined) {
      const { bound } = ledger.get(channel)
      const left = (roomInBudget(policy, ledger.reserved()) ?? 0n) + bound - previous
      throw budgetSpent(price, policy.total ?? 0n, left, token)
    }
    const form = formFor(contractVersion, terms.features)
    const payment = await proofs.payment(ledger.get(channel), balance, form)
    const stated = this.#leaveGap ? { ...payment, amount: price } : payment
    return { channel, payment: stated, price, previous }
  }

  /** Sends the payment, and the very same one again while the receiver waits for the chain. */
  async #deliver({ channel, payment, price, previous }: Attempt): Promise<HttpAnswer> {
    const { transport, confirmTimeout, funding } = this.#parts
    const giveUp = performance.now() + confirmTimeout
    // The receiver has to see the chain too: asking at once would only be a round trip more.
    if (funding.isFresh(channel)) await this.#pause()
    for (;;) {
      this.#roundTrips++
      const headers = { ...this.#request.headers, ...formatPayment(payment) }
      const answer = await transport.send({ ...this.#request, headers })
      if (answer.status !== 402) return answer
      const attempt = { channel, payment, price, previous }
      const verdict = await this.#judge(attempt, this.#readTerms(answer))
      if (verdict.kind !== 'wait') {
        funding.seen(channel)
        return answer
      }
      if (performance.now() > giveUp) throw notConfirmed(this.#parts.ledger.get(channel).receiver)
      await this.#pause()
    }
  }

  async #judge(attempt: Attempt, answer: Terms): Promise<Verdict> {
    const { ledger, funding, proofs } = this.#parts
    const { channel, payment, price, previous } = attempt
    const { certain, openBlock, receiver } = ledger.get(channel)
    return judgeRefusal({
      sent: payment,
      price,
      previous,
      certain,
      fresh: funding.isFresh(channel),
      answer,
      proven: proofs.isOwn({ openBlock, receiver }, answer),
    })
  }

  async #follow(verdict: Verdict, { channel, payment }: Attempt, terms: Terms): Promise<void> {
    const { ledger, funding, memory } = this.#parts
    memory.remember(this.#request.method, this.#request.url, terms)
    switch (verdict.kind) {
      case 'correct':
        return ledger.correct(channel, verdict.balance)
      case 'leaveGap':
        this.#leaveGap = true
        return
      case 'channelGone':
        if (await funding.isStillOpen(channel)) throw channelDisowned(terms.receiver)
        return
      case 'cheated':
        throw cheated(terms.receiver, payment.balance, this.#parts.token)
      case 'unproven':
        throw unproven(terms.receiver, terms.senderBalance)
      case 'wait':
      case 'proofRefused':
        throw proofRefused(terms.receiver)
    }
  }

  #served(attempt: Attempt, terms: Terms, answer: HttpAnswer): ExchangeResult {
    const { ledger, funding, memory } = this.#parts
    const { channel, payment, price } = attempt
    // 409 and 502 of a receiver mean that it did not take the payment; only the next exchange shows it.
    const cost = chargedCost(answer, price)
    if (cost < price) ledger.giveBack(channel, payment.balance, price - cost)
    funding.seen(channel)
    memory.remember(this.#request.method, this.#request.url, terms)
    return {
      answer,
      payment: { price, cost, channel, balance: payment.balance },
      roundTrips: this.#roundTrips,
    }
  }

  #readTerms(answer: HttpAnswer): Terms {
    return readTerms(this.#request.url, answer.header)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#parts.retryInterval))
  }
}

function readTerms(url: URL, headers: HeaderSource): Terms {
  try {
    return parseTerms(headers)
  } catch (error) {
    if (isUraidenError(error)) throw notAReceiver(url, error)
    throw error
  }
}

/** `RDN-Cost` up to the price; what cannot be read charges the whole price. */
function chargedCost({ header }: HttpAnswer, price: TokenAmount): TokenAmount {
  const text = header(headerName.cost)
  if (text === undefined) return price
  try {
    const cost = parseUint192(text)
    return cost < price ? cost : price
  } catch {
    return price
  }
}

function pick({ mostPrice }: PaidRequest): { readonly mostPrice?: TokenAmount } {
  return mostPrice === undefined ? {} : { mostPrice }
}
