// One payment: taken from a channel and the ledger, signed, and in the end settled, taken back or left in
// doubt. Nothing is signed before policy, budget and deposit allow it.

import { randomUUID } from 'node:crypto'
import {
  type Address,
  formFor,
  type HeaderSource,
  headerName,
  isUraidenError,
  type ProofMaker,
  parseUint192,
  smallest,
  type Terms,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { budgetSpent } from '../budget/caps.ts'
import type { Bindings, Place } from '../channels/binding.ts'
import type { ChannelFunding } from '../channels/funding.ts'
import type { Ledger, Purchase, Shortfall, Taken } from '../channels/ledger-types.ts'
import { type ChannelName, isAhead, isRetired } from '../channels/records.ts'
import { agentError } from '../errors/index.ts'
import type { BoundChannel } from '../transport/bound.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import type { Behaviours } from './behaviour.ts'
import { neverLeft } from './delivery.ts'
import { channelDisowned, lostWithKey } from './errors.ts'
import type { LostPayments } from './lost.ts'
import type { TermsMemory } from './terms.ts'
import type { Making, TickedProof, Ticks } from './ticks.ts'
import type { Attempt, PaidRequest, PaymentFacts, ProvenPayment } from './types.ts'

export interface AttemptOptions {
  readonly ledger: Ledger
  readonly own: Address
  readonly funding: ChannelFunding
  readonly proofs: ProofMaker
  readonly contractVersion: string
  readonly token: TokenUnit
  readonly lost: LostPayments
  readonly bindings: Bindings
  readonly ticks: Ticks
  readonly lastPrice: TermsMemory['lastPrice']
  readonly behaviours: Pick<Behaviours, 'trouble'>
}

/**
 * Deposits that one request may need: a channel, and another one where the chain has taken the first back. A
 * receiver that asks for more than that leads us on.
 */
const mostDeposits = 2

type Use = 'channelAtHand' | 'anyChannel'

export interface Settled {
  readonly payment: PaymentFacts
  /** Of an answer whose body was not there yet, once that has ended. Returns the cost that counts from now on. */
  readonly atEnd: (ending: Ending) => TokenAmount
}

export type Ending = 'whole' | 'brokenOff'

export interface Attempts {
  /** True when requests to this receiver need not wait for each other. */
  readonly canGoTogether: (request: PaidRequest, terms: Terms) => boolean
  /**
   * The signed payment for a request. Undefined when only a channel at hand may be used and none fits.
   * @throws UraidenError of budget and funding
   */
  readonly make: (request: PaidRequest, terms: Terms, use: Use) => Promise<Attempt | undefined>
  /**
   * The same payment with what proves more, where the receiver has refused what was shown and no other reason.
   */
  readonly stronger: (
    attempt: Attempt,
    answer: Terms,
    covered: HeaderSource,
  ) => Promise<Attempt | undefined>
  /** The same payment under keys that the receiver has confirmed anew. */
  readonly renewed: (request: PaidRequest, attempt: Attempt) => Promise<Attempt>
  /** The answer, with our own proof where it claims another balance than ours. */
  readonly proven: (attempt: Attempt, answer: Terms) => Promise<Terms>
  /** The very same payment once more, for the request that it was made for. */
  readonly offerAgain: (attempt: Attempt) => Attempt
  /** It needs a deposit that the receiver may not have seen yet. */
  readonly isAhead: (attempt: Attempt) => boolean
  /** Answered: of what was taken, all but the cost pays for something else. */
  readonly settle: (attempt: Attempt, answer: OpenAnswer) => Settled
  /** It did not leave. */
  readonly takeBack: (attempt: Attempt) => void
  readonly leaveInDoubt: (attempt: Attempt) => void
  /** Not answered. The error for the caller. */
  readonly lose: (request: PaidRequest, attempt: Attempt, error: unknown) => unknown
}

export function createAttempts(given: AttemptOptions): Attempts {
  const options: Options = { ...given, deposits: new WeakMap() }
  const { ledger, bindings } = options
  return {
    canGoTogether: (request, terms) => {
      if (!terms.features.has('parallel')) return false
      const open = ledger.payable(terms.receiver)
      const place = whereOf(request, terms)
      return (
        open.length > 0 &&
        open.every(({ certain, name }) => certain && bindings.known(name, place) !== undefined)
      )
    },
    make: (request, terms, use) => make(options, { request, terms, use }),
    stronger: async (attempt, answer, covered) => {
      if (attempt.bound === undefined) return undefined
      options.ticks.answered(attempt, 'refused', covered)
      return stronger(options, attempt, answer)
    },
    renewed: async (request, attempt) => {
      const place = placeOf(request, attempt.terms)
      return { ...attempt, bound: await bindings.renew(attempt.taken.channel, place) }
    },
    proven: async ({ bound, taken, previous }, answer) => {
      const { reason, senderBalance } = answer
      const aboutBalance = reason === undefined || reason === 'invalid_amount'
      const known = senderBalance === undefined || senderBalance === previous
      if (bound === undefined || taken.source !== 'fresh' || !aboutBalance || known) return answer
      return { ...answer, ...(await bindings.stand(taken.channel, bound.api)) }
    },
    offerAgain: (attempt) => ({ ...attempt, taken: ledger.offerAgain(attempt.taken) }),
    isAhead: ({ taken }) => needsUnseen(options, taken),
    settle: (attempt, answer) => settle(options, attempt, answer),
    takeBack: ({ taken }) => ledger.takeBack(taken),
    leaveInDoubt: ({ taken }) => ledger.leaveInDoubt(taken),
    lose: (request, attempt, error) => {
      const { key, taken } = attempt
      if (!neverLeft(error)) {
        ledger.leaveInDoubt(taken)
        if (key === undefined || !isUraidenError(error)) return error
        options.lost.put(request, key, attempt)
        return lostWithKey(error, key)
      }
      // What was offered again is as doubtful as before, and can be asked for as before.
      if (key !== undefined && taken.source === 'doubtful') options.lost.put(request, key, attempt)
      else options.lost.answered(request)
      ledger.takeBack(taken)
      return error
    },
  }
}

interface Options extends AttemptOptions {
  /** How often a request has led to a deposit. */
  readonly deposits: WeakMap<PaidRequest, number>
}

interface Wanted {
  readonly request: PaidRequest
  readonly terms: Terms
  readonly use: Use
}

async function make(options: Options, wanted: Wanted): Promise<Attempt | undefined> {
  const { ledger } = options
  const { request, terms, use } = wanted
  const purchase = purchaseOf(request, terms)
  const ready = await readyChannel(options, wanted, purchase)
  if (ready === undefined) return undefined
  const { channel, bound } = ready
  const { method, url } = request
  const lastPrice = () => options.lastPrice(method, url)
  const making = bound && (await options.ticks.due({ ...purchase, channel, lastPrice }))
  const previous = ledger.get(channel).signed
  const taken = await take(ledger, { channel, purchase, making })
  if (!('short' in taken)) {
    // The receiver has to see the chain first: that is waited for with nothing else on the channel.
    if (use === 'channelAtHand' && needsUnseen(options, taken)) {
      ledger.takeBack(taken)
      return undefined
    }
    return sign(options, wanted, { taken, previous, bound })
  }
  // While it was waited for, others used the channel up.
  if (taken.short === 'deposit' && use === 'channelAtHand') return undefined
  throw shortfallError(options, taken, terms)
}

interface Taking {
  readonly channel: ChannelName
  readonly purchase: Purchase
  readonly making: Making | undefined
}

async function take(
  ledger: Ledger,
  { channel, purchase, making }: Taking,
): Promise<Taken | Shortfall> {
  if (making === undefined) return ledger.take(channel, purchase)
  try {
    return await ledger.take(channel, { ...purchase, commitment: making.commitment })
  } catch (error) {
    // What is reserved can still be spent, with signatures.
    if (!isUraidenError(error, 'state_unwritable')) throw error
    return await ledger.take(channel, purchase)
  } finally {
    making.done()
  }
}

function needsUnseen({ ledger }: Pick<Options, 'ledger'>, { channel, interval }: Taken): boolean {
  return isAhead(ledger.get(channel), interval.to)
}

function purchaseOf({ job }: PaidRequest, { price, features }: Terms): Purchase {
  return {
    price,
    receiverKnows: features.has('parallel') ? 'intervals' : 'balances',
    ...(job !== undefined && { job }),
  }
}

interface ReadyChannel {
  readonly channel: ChannelName
  readonly bound: BoundChannel | undefined
}

/** A channel that the receiver has tied to our key, or that pays unbound. */
async function readyChannel(
  options: Options,
  wanted: Wanted,
  purchase: Purchase,
): Promise<ReadyChannel | undefined> {
  const { ledger, bindings } = options
  const place = placeOf(wanted.request, wanted.terms)
  for (;;) {
    const channel = await channelFor(options, wanted, purchase)
    if (channel === undefined) return undefined
    const { certain } = ledger.get(channel)
    const asked = wanted.use === 'channelAtHand' && bindings.known(channel, place) === undefined
    // The receiver is asked with nothing else on the channel.
    if (asked) return undefined
    const ready = await bindings.ensure(channel, place)
    if (ready.kind === 'unbound') return { channel, bound: undefined }
    // What it has shown may leave less room in the channel than we thought.
    if (ready.kind === 'bound' && certain) return { channel, bound: ready.channel }
  }
}

function placeOf(request: PaidRequest, terms: Terms): Place {
  return { ...whereOf(request, terms), api: new URL(terms.gatewayPath, request.url) }
}

function whereOf({ url, signal, authentic }: PaidRequest, { receiver }: Terms): Omit<Place, 'api'> {
  return { receiver, url, signal, policy: authentic }
}

async function channelFor(
  options: Options,
  { request, terms, use }: Wanted,
  purchase: Purchase,
): Promise<ChannelName | undefined> {
  const { ledger, funding, token, bindings, lastPrice, deposits } = options
  const { receiver, price, features, gatewayPath } = terms
  // After a crash the receiver is asked before anything new is opened or topped up.
  const hidden = ledger.payable(receiver).find(({ certain }) => !certain)
  if (hidden !== undefined) return hidden.name
  const atHand = ledger.withRoom(receiver, price)
  if (atHand !== undefined || use === 'channelAtHand') return atHand
  // A transaction costs a fee: ask the budget first.
  const shortfall = ledger.shortfall(receiver, purchase)
  if (shortfall !== undefined) throw shortfallError(options, shortfall, terms)
  // Another deposit for a receiver that takes nothing from the one before would only be locked too.
  if (ledger.channels(receiver).filter(isRetired).length > 1) throw channelDisowned(receiver)
  await bindings.checkOffer(placeOf(request, terms))
  const relay = features.has('relay') ? new URL(gatewayPath, request.url) : undefined
  const beforeDeposit = (): void => {
    const before = deposits.get(request) ?? 0
    if (before >= mostDeposits) throw depositsRepeated(receiver, before)
    deposits.set(request, before + 1)
  }
  const { method, url, timesPerDay } = request
  const seen = { price, lastPrice: lastPrice(method, url), timesPerDay }
  return funding.ensure({ receiver, ...seen, relay, beforeDeposit }, token)
}

function shortfallError(
  { ledger, token }: Options,
  why: Shortfall,
  { price }: Terms,
): UraidenError {
  if (why.short === 'budget') {
    return budgetSpent(price, { ...why, freeAt: ledger.freeAt(why.limit, price) }, token)
  }
  return agentError({
    code: 'deposit_spent',
    message: 'The channel’s deposit was used up by other requests meanwhile.',
  })
}

function depositsRepeated(receiver: Address, before: number): UraidenError {
  return agentError({
    code: 'deposits_repeated',
    message: `The receiver ${receiver} makes one request need more than ${before} deposits.`,
  })
}

async function sign(
  options: AttemptOptions,
  { request, terms }: Wanted,
  { taken, previous, bound }: Pick<Attempt, 'taken' | 'previous' | 'bound'>,
): Promise<Attempt> {
  const { features } = terms
  const ticked = bound && options.ticks.proofOf(taken)
  const payment = ticked
    ? tickedPayment(options, { taken, terms }, ticked)
    : await signedPayment(options, { taken, terms })
  const key = features.has('idempotency') ? (request.idempotencyKey ?? randomUUID()) : undefined
  return { taken, payment, terms, previous, key, bound }
}

type Unproven = Pick<Attempt, 'taken' | 'terms'>

async function signedPayment(
  { ledger, proofs, contractVersion }: AttemptOptions,
  { taken, terms: { features, price } }: Unproven,
): Promise<ProvenPayment> {
  const form = formFor(contractVersion, features)
  const proof = await proofs.payment(ledger.get(taken.channel), taken.interval.to, form)
  return features.has('parallel') && taken.source !== 'probe' ? { ...proof, amount: price } : proof
}

function tickedPayment(
  { ledger, own: sender }: AttemptOptions,
  { taken, terms: { price } }: Unproven,
  proof: TickedProof,
): ProvenPayment {
  const { openBlock } = ledger.get(taken.channel)
  return { sender, openBlock, balance: taken.interval.to, amount: price, ...proof }
}

async function stronger(
  options: AttemptOptions,
  attempt: Attempt,
  answer: Terms,
): Promise<Attempt | undefined> {
  const proof = options.ticks.stronger(attempt, answer)
  if (proof === undefined) return undefined
  const payment =
    proof === 'sign'
      ? await signedPayment(options, attempt)
      : tickedPayment(options, attempt, proof)
  return { ...attempt, payment }
}

/** Only a receiver that says so has charged nothing; an error without a word about it may have. */
function settle(
  { ledger, lost, behaviours, ticks }: AttemptOptions,
  attempt: Attempt,
  answer: OpenAnswer,
): Settled {
  const { taken, payment, terms, key, bound } = attempt
  const { price } = terms
  const { channel } = taken
  if (bound !== undefined) ticks.answered(attempt, 'taken', answer.header)
  const said = saidCost(answer)
  const told = chargedCost(answer, price)
  if (said !== undefined && said > price) {
    behaviours.trouble(terms.receiver, 'overcharged', 'cost_above_price')
  } else if (answer.status >= 500 && said !== undefined && said > 0n) {
    behaviours.trouble(terms.receiver, 'broken', 'error_charged')
  }
  const cost = told ?? price
  const facts: PaymentFacts = {
    ...{ price, cost, channel, balance: payment.balance },
    authentic: bound !== undefined,
    ...(key !== undefined && { idempotencyKey: key }),
  }
  if (told === undefined && (answer.status >= 500 || answer.status === 409)) {
    ledger.leaveInDoubt(taken)
    return { payment: facts, atEnd: () => cost }
  }
  ledger.settle(taken, cost)
  ledger.accepted(channel, payment.balance)
  if (lost.known.size > 0) lost.paidFor(attempt)
  const charged = { attempt, answer, cost }
  return { payment: facts, atEnd: (ending) => settleAtEnd(ledger, charged, ending) }
}

interface Charged {
  readonly attempt: Attempt
  readonly answer: OpenAnswer
  readonly cost: TokenAmount
}

/**
 * What an unbound answer that breaks off cost nobody can say: its payment is offered again, which costs nothing.
 * A bound one with a digest was charged when it was sent, whoever cut it.
 */
function settleAtEnd(
  ledger: Ledger,
  { attempt: { taken, bound }, answer: { costAtEnd }, cost }: Charged,
  ending: Ending,
): TokenAmount {
  const said = costAtEnd?.()
  const isInHead = bound !== undefined && costAtEnd === undefined
  if (said === undefined && (isInHead || ending === 'whole')) return cost
  const { from } = taken.interval
  const charged = said === undefined ? undefined : smallest(said, cost)
  ledger.settleAnew({ ...taken, interval: { from, to: from + cost } }, charged)
  return charged ?? cost
}

/** `RDN-Cost` up to the price; undefined when the receiver says nothing that can be read. */
export function chargedCost(answer: OpenAnswer, price: TokenAmount): TokenAmount | undefined {
  const said = saidCost(answer)
  return said === undefined ? undefined : smallest(said, price)
}

function saidCost({ header }: OpenAnswer): TokenAmount | undefined {
  const text = header(headerName.cost)
  if (text === undefined) return undefined
  try {
    return parseUint192(text)
  } catch {
    return undefined
  }
}
