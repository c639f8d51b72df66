// Registers payments and agrees to close channels. Nothing is promised before it is on disk.
import type {
  Address,
  ContractBlock,
  Interval,
  Payment,
  RefusalCode,
  Signature,
  SignedCommitment,
  TickWord,
  TokenAmount,
} from '../../protocol/index.ts'
import type { ProofChecker } from '../signatures/checker.ts'
import type { CommitmentCheck } from '../signatures/commitments.ts'
import { type AnswerEnd, nextAnswer, openAnswer, withoutNumber, withPaid } from './answers.ts'
import type { ChannelBook, ChannelId } from './book.ts'
import { type Claims, claim, isClaimed, unclaim } from './claims.ts'
import { type AgreementParts, agreeToClose } from './closing.ts'
import { balanceUnder, fallbacksUnder, withFallback } from './proofs.ts'
import {
  acceptsPayments,
  type BestProof,
  type Channel,
  channelName,
  isTicked,
  ledgerOf,
  type PaymentLedger,
  type Unanswered,
  type UnansweredChange,
} from './records.ts'
import { decideTick, stillOpen } from './ticks.ts'

/** A payment as it came in. */
export interface OfferedPayment extends Omit<Payment, 'signature'> {
  /** A bound request needs none at or below a balance that is proven already. */
  readonly signature?: Signature
  /** Of a bound request, in place of a signature. */
  readonly tick?: TickWord
  /** Of the tick; needed while it is not known. */
  readonly commitment?: SignedCommitment
  /** The request's MAC says that it comes from the channel's sender as it is. */
  readonly bound?: true
  /** Of a bound GET or HEAD, in hex: repeated identically it may be run once more. */
  readonly mac?: string | undefined
}

export interface PaidOutcome {
  readonly kind: 'paid'
  readonly channel: Channel
  /**
   * Gives back what was paid over `cost`: all of it for a resource that failed. Nothing is given back
   * twice, however often it is called. Resolves, when the credit is on disk, with what it was.
   */
  readonly chargeOnly: (cost: TokenAmount) => Promise<TokenAmount>
}

/** A request that can be repeated, and until when (Unix time in milliseconds). */
export interface KeyedRequest {
  readonly id: string
  readonly expires: number
}

export type PaymentOutcome =
  | PaidOutcome
  | {
      readonly kind: 'refused'
      readonly code: RefusalCode
      /** Where the channel stands: shown to nobody but its sender, who has signed for it. */
      readonly channel: Channel | undefined
    }

export interface ChannelManager {
  /**
   * Checks a payment of `price` and stores its proof; resolves when it is on disk. With a request's
   * id also that the request is to be answered.
   */
  readonly registerPayment: (
    payment: OfferedPayment,
    price: TokenAmount,
    request?: KeyedRequest,
  ) => Promise<PaymentOutcome>
  /** The payment is not bound, and its channel takes nothing else. */
  readonly isBoundOnly: (payment: OfferedPayment) => boolean
  /** How the answer to a payment with a MAC ended: what left whole is not run again. */
  readonly answerEnded: (payment: OfferedPayment, end: AnswerEnd) => void
  /**
   * A request that had paid when the process before this one was killed: pays nothing again.
   * Undefined when its payment was given back meanwhile.
   */
  readonly resumePayment: (request: KeyedRequest, earlier: Unanswered) => PaidOutcome | undefined
  /**
   * Signs that we are content with `balance`, and takes no payment on the channel from then on.
   * @throws UraidenError `channel_unknown`, `channel_closing`, `never_paid`, `not_latest_balance`
   */
  readonly agreeToClose: (
    sender: Address,
    openBlock: ContractBlock,
    balance: TokenAmount,
  ) => Promise<Signature>
}

export interface ManagerOptions extends AgreementParts {
  readonly checker: ProofChecker
  /** Undefined: no ticks are taken. */
  readonly commitments?: CommitmentCheck | undefined
  /** How long a repetition waits for an answer that is on its way, in milliseconds. Default 30 000. */
  readonly longestWait?: number | undefined
}

export function createChannelManager(options: ManagerOptions): ChannelManager {
  return {
    registerPayment: (payment, price, request) =>
      registerPayment(options, { payment, price, request }),
    isBoundOnly: (payment) =>
      payment.bound !== true && options.book.isBoundOnly(payment, undefined),
    answerEnded: (payment, end) => answerEnded(options.book, payment, end),
    resumePayment: (request, earlier) => resumePayment(options.book, request, earlier),
    agreeToClose: (sender, openBlock, balance) =>
      agreeToClose(options, { sender, openBlock, balance }),
  }
}

interface Offer {
  readonly payment: OfferedPayment
  readonly price: TokenAmount
  readonly request: KeyedRequest | undefined
}

async function registerPayment(
  options: ManagerOptions,
  { payment, price, request }: Offer,
): Promise<PaymentOutcome> {
  const { book, checker } = options
  const { sender, openBlock, mac } = payment
  const again = mac && (await runAgain(options, payment, mac))
  if (again) return again
  const decide = () => {
    const channel = book.get(sender, openBlock)
    const seenUnconfirmed = book.isUnconfirmed(sender, openBlock)
    const mostBalance = book.mostBalance(sender, openBlock)
    return decidePayment({ payment, price, channel, seenUnconfirmed, mostBalance })
  }
  const refused = async (code: RefusalCode): Promise<PaymentOutcome> => {
    const channel = book.get(sender, openBlock)
    const isTold = channel !== undefined && (await isFromSender(options, payment))
    return { kind: 'refused', code, channel: isTold ? channel : undefined }
  }
  const first = decide()
  if (first.kind === 'refused') return refused(first.code)
  let decision = first
  let shown = proofIn(options, { payment, channel: first.channel })
  if (shown.kind === 'signature') {
    const form = await checker.formOf({ ...payment, signature: shown.signature })
    if (form === undefined) return refused('invalid_balance_proof')
    if (payment.bound !== true && book.isBoundOnly(payment, form)) {
      return { kind: 'refused', code: 'nonexisting_channel', channel: undefined }
    }
    shown = { kind: 'proven', proof: { signature: shown.signature, form } }
    // Meanwhile another request may have claimed the same interval.
    const second = decide()
    if (second.kind === 'refused') return refused(second.code)
    decision = second
  }
  if (shown.kind === 'refused') return refused(shown.code)
  const { claims, paid, channel: before } = decision
  const answers = mac === undefined ? before.answers : nextAnswer(before.answers, { mac, paid })
  const ledger: PaymentLedger = {
    ...ledgerOf(before),
    claims,
    ...(shown.kind === 'proven' && provenBy(book, before, { claims, payment, proof: shown.proof })),
    ...(answers && { answers }),
  }
  const number = mac === undefined ? undefined : answers?.last
  const order: Order = { sender, openBlock, paid, request, number }
  if (mac !== undefined) book.sending.begin(channelName(sender, openBlock), mac)
  try {
    await book.putLedger({ sender, openBlock }, ledger, unanswered(order))
  } catch (error) {
    // Not served, so not paid: the same proof may try again when the disk is well.
    await charging(book, order)(0n).catch(() => undefined)
    if (mac !== undefined) book.sending.end(channelName(sender, openBlock), mac)
    throw error
  }
  return {
    kind: 'paid',
    channel: { ...before, ...ledger },
    chargeOnly: charging(book, order),
  }
}

/** What an acceptable payment shows for its balance. */
type Shown =
  | { readonly kind: 'covered' }
  | { readonly kind: 'signature'; readonly signature: Signature }
  | { readonly kind: 'proven'; readonly proof: BestProof }
  | { readonly kind: 'refused'; readonly code: RefusalCode }

/** Ticks are decided at once; of a signature it remains to be asked whose it is. */
function proofIn(
  options: ManagerOptions,
  { payment, channel }: { readonly payment: OfferedPayment; readonly channel: Channel },
): Shown {
  const { signature, tick } = payment
  if (payment.bound === true && isCovered(options.book, channel, payment.balance)) {
    return { kind: 'covered' }
  }
  if (signature !== undefined) return { kind: 'signature', signature }
  if (payment.bound !== true || tick === undefined) {
    return { kind: 'refused', code: 'payment_required' }
  }
  return tickIn(options, channel, { ...payment, tick })
}

function tickIn(
  { book, commitments }: ManagerOptions,
  channel: Channel,
  payment: OfferedPayment & { readonly tick: TickWord },
): Shown {
  if (commitments === undefined) return { kind: 'refused', code: 'tick_unknown' }
  const decision = decideTick(channel.ticks, payment, {
    keccak: commitments.keccak,
    isSigned: (commitment) => commitments.isSigned(channel, commitment),
  })
  if (decision.kind === 'proven') return decision
  // So each wrong tick costs its sender a signature. A crash may forget this.
  if (decision.kind === 'wrong') {
    book.noteLedger(channel, {
      ...book.ledger(channel.sender, channel.openBlock),
      ticks: undefined,
    })
  }
  const isUnsigned = decision.kind === 'unsigned'
  return { kind: 'refused', code: isUnsigned ? 'invalid_balance_proof' : 'tick_unknown' }
}

/**
 * Whether what is proven already covers a balance, under every deposit that may still stand. Under one that is
 * smaller than the balance no proof would help.
 */
function isCovered(book: ChannelBook, channel: Channel, balance: TokenAmount): boolean {
  if (balance > channel.claims.highest) return false
  const deposits = [channel.deposit, ...book.earlierDeposits(channel.sender, channel.openBlock)]
  return deposits.every((each) => each < balance || balanceUnder(channel, each) >= balance)
}

/** What a proof changes: the best one, and those below it that may still be needed. */
function provenBy(
  book: ChannelBook,
  before: Channel,
  {
    claims,
    payment,
    proof,
  }: Pick<PaymentLedger, 'claims'> & {
    readonly payment: OfferedPayment
    readonly proof: BestProof
  },
): Partial<PaymentLedger> {
  if (claims.highest > before.claims.highest) {
    const beside = before.ticks && stillOpen(before.ticks, claims.highest)
    const ticks = isTicked(proof) ? proof : beside
    return { proof, ticks, ...fallbacksFor(book, before, { claims, proof }) }
  }
  // The original's clients sign again what is proven already.
  if (isCovered(book, before, payment.balance)) return {}
  return { fallbacks: withFallback(before, payment.balance, proof) }
}

/** A deposit that is taken back leaves the new best proof above what is left of it. */
function fallbacksFor(
  book: ChannelBook,
  before: Channel,
  after: Required<Pick<PaymentLedger, 'claims' | 'proof'>>,
): Pick<PaymentLedger, 'fallbacks'> {
  const deposits = book.earlierDeposits(before.sender, before.openBlock)
  if (deposits.length === 0) return { fallbacks: undefined }
  const fallbacks = fallbacksUnder(before, after, deposits)
  return { fallbacks: fallbacks.length > 0 ? fallbacks : undefined }
}

/** Any balance of the channel will do, signed by its sender: only then it is told where it stands. */
async function isFromSender(
  { book, checker }: ManagerOptions,
  { signature, ...payment }: OfferedPayment,
): Promise<boolean> {
  if (payment.bound === true) return true
  if (signature === undefined || book.isBoundOnly(payment, undefined)) return false
  const form = await checker.formOf({ ...payment, signature })
  return form !== undefined && !book.isBoundOnly(payment, form)
}

function resumePayment(
  book: ChannelBook,
  request: KeyedRequest,
  { sender, openBlock, paid }: Unanswered,
): PaidOutcome | undefined {
  const channel = book.get(sender, openBlock)
  if (channel === undefined || !isClaimed(channel.claims, paid)) return undefined
  const order = { sender, openBlock, paid, request, number: undefined }
  return { kind: 'paid', channel, chargeOnly: charging(book, order) }
}

/**
 * A bound request whose answer was lost, once more; that it is the last time is on disk before. Undefined
 * when its answer left whole, or its payment was given back: then it is a payment like any other.
 */
async function runAgain(
  { book, longestWait = 30_000 }: ManagerOptions,
  { sender, openBlock }: ChannelId,
  mac: string,
): Promise<PaidOutcome | undefined> {
  const name = channelName(sender, openBlock)
  await endOf(book.sending.find(name, mac), longestWait)
  const before = book.ledger(sender, openBlock)
  const { answers } = before
  const answer = openAnswer(answers, mac)
  const channel = book.get(sender, openBlock)
  if (answer === undefined || book.sending.find(name, mac) || channel === undefined)
    return undefined
  const { number, paid } = answer
  if (paid.from === paid.to || !isClaimed(channel.claims, paid)) return undefined
  await book.putLedger(
    { sender, openBlock },
    { ...before, ...(answers && { answers: withoutNumber(answers, number) }) },
  )
  const order = { sender, openBlock, paid, request: undefined, number: undefined }
  return { kind: 'paid', channel, chargeOnly: charging(book, order) }
}

async function endOf(sending: Promise<void> | undefined, longest: number): Promise<void> {
  if (sending === undefined) return
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, longest)
  })
  await Promise.race([sending, tooLong])
  clearTimeout(timer)
}

function answerEnded(
  book: ChannelBook,
  { sender, openBlock, mac = '' }: OfferedPayment,
  end: AnswerEnd,
): void {
  book.sending.end(channelName(sender, openBlock), mac)
  if (end === 'broken') return
  const ledger = book.ledger(sender, openBlock)
  const { answers } = ledger
  const answer = openAnswer(answers, mac)
  if (answers === undefined || answer === undefined) return
  book.noteLedger(
    { sender, openBlock },
    { ...ledger, answers: withoutNumber(answers, answer.number) },
  )
}

/** What one request has paid. */
interface Order extends Pick<Unanswered, 'sender' | 'openBlock' | 'paid'> {
  readonly request: KeyedRequest | undefined
  /** Among the channel's answers, of a request that may be run again. */
  readonly number: number | undefined
}

/** What was given back may have paid for something else by now, so it is remembered here what is left. */
function charging(book: ChannelBook, order: Order): PaidOutcome['chargeOnly'] {
  const { sender, openBlock, number } = order
  let { paid } = order
  return async (cost) => {
    const before = paid
    const charged = { from: before.from, to: before.from + cost }
    // A cost above what is left is not ours to take.
    if (charged.to >= before.to) return 0n
    paid = charged
    const now = book.ledger(sender, openBlock)
    const claims = unclaim(now.claims, { from: charged.to, to: before.to })
    const answers = now.answers && number !== undefined && withPaid(now.answers, number, charged)
    await book.putLedger(
      { sender, openBlock },
      { ...now, claims, ...(answers && { answers }) },
      unanswered({ ...order, paid: charged }),
    )
    return before.to - charged.to
  }
}

/** In the same write as the proof, so that a crash leaves none without the other. */
function unanswered({ sender, openBlock, paid, request }: Order): UnansweredChange | undefined {
  if (request === undefined) return undefined
  const { id, expires } = request
  return [id, paid.from === paid.to ? undefined : { sender, openBlock, paid, expires }]
}

export interface PaymentCase {
  readonly payment: OfferedPayment
  readonly price: TokenAmount
  /** Undefined when no confirmed channel has this sender and open block. */
  readonly channel: Channel | undefined
  /** The open transaction was seen in a block that is not confirmed yet. */
  readonly seenUnconfirmed: boolean
  /** A higher balance waits until the deposit is deeper. */
  readonly mostBalance: TokenAmount
}

export type PaymentDecision =
  | {
      readonly kind: 'acceptable'
      readonly channel: Channel
      readonly claims: Claims
      readonly paid: Interval
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode }

/**
 * Whether a payment is good, decided on plain data: all of wire-protocol.md section 2 but the
 * signature, which is checked by the caller because it is a thousand times slower: cheap reasons
 * come first.
 */
export function decidePayment(given: PaymentCase): PaymentDecision {
  const { payment, price, channel, seenUnconfirmed, mostBalance } = given
  const refused = (code: RefusalCode): PaymentDecision => ({ kind: 'refused', code })
  if (channel === undefined) {
    return refused(seenUnconfirmed ? 'insufficient_confirmations' : 'nonexisting_channel')
  }
  // A proof that was seen on its way is worth nothing without the key of the channel.
  if (channel.requestKey !== undefined && payment.bound !== true) {
    return refused('nonexisting_channel')
  }
  if (!acceptsPayments(channel)) return refused('nonexisting_channel')
  if (payment.balance > channel.deposit) return refused('balance_over_deposit')
  if (payment.amount !== undefined && payment.amount !== price) return refused('invalid_amount')
  const mayLeaveGap = payment.amount !== undefined
  const decision = claim(channel.claims, { balance: payment.balance, price, mayLeaveGap })
  if (decision.kind === 'refused') return refused(decision.code)
  const isMore = payment.balance > channel.claims.highest
  if (isMore && payment.balance > mostBalance) return refused('insufficient_confirmations')
  return { kind: 'acceptable', channel, claims: decision.claims, paid: decision.paid }
}
