// Registers payments and agrees to close channels. Nothing is promised before it is durable.
import type { NumberedKey } from '../../protocol/bound/index.ts'
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
import type { AnswerEnd } from './answers.ts'
import { type Claims, claim } from './claims.ts'
import { type AgreementParts, agreeToClose } from './closing.ts'
import type { Claimed, ClaimedInterval, KeyedRequest, Ledgers, Standing } from './ledgers.ts'
import { balanceUnder } from './proofs.ts'
import { acceptsPayments, type BestProof, type Channel, type Unanswered } from './records.ts'
import type { KeptReply } from './store.ts'
import { decideTick } from './ticks.ts'

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
  /** Of a bound request: of the request key that its MAC was made with. */
  readonly keyNumber?: NumberedKey['number']
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

/** The same request has paid before, and this was the answer. */
export interface AnsweredOutcome {
  readonly kind: 'answered'
  readonly reply: KeptReply
}

export type PaymentOutcome =
  | PaidOutcome
  | AnsweredOutcome
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
  readonly ledgers: Ledgers
  readonly checker: ProofChecker
  /** Undefined: no ticks are taken. */
  readonly commitments?: CommitmentCheck | undefined
}

export function createChannelManager(options: ManagerOptions): ChannelManager {
  const { ledgers } = options
  return {
    registerPayment: (payment, price, request) =>
      registerPayment(options, { payment, price, request }),
    isBoundOnly: (payment) => payment.bound !== true && ledgers.isBoundOnly(payment, undefined),
    answerEnded: ({ mac, ...payment }, end) => {
      if (mac !== undefined) ledgers.answerEnded(payment, mac, end)
    },
    resumePayment: (request, earlier) => {
      const resumed = ledgers.resume(request, earlier)
      return resumed && paidWith(ledgers, resumed)
    },
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
  offer: Offer,
  isOnceMore = false,
): Promise<PaymentOutcome> {
  const { ledgers } = options
  const { payment, price, request } = offer
  const { sender, openBlock, mac, balance, keyNumber } = payment
  const found = ledgers.look(payment, (standing) => isGood(options, offer, standing))
  const standing = found instanceof Promise ? await found : found
  const refused = async (
    code: RefusalCode,
    channel = standing.channel,
  ): Promise<PaymentOutcome> => {
    const isNamed = mac !== undefined || request !== undefined
    const before = isNamed && (await ledgers.again({ sender, openBlock, mac, request, keyNumber }))
    if (before) return before.kind === 'answered' ? before : paidWith(ledgers, before)
    // What it had paid was given back while this waited for the answer.
    const isFree = async () => isGood(options, offer, await ledgers.look(payment, () => false))
    if (isNamed && !isOnceMore && (await isFree())) return registerPayment(options, offer, true)
    const isTold = channel !== undefined && (await isFromSender(options, payment))
    return { kind: 'refused', code, channel: isTold ? channel : undefined }
  }
  const decision = decidePayment({ payment, price, ...standing })
  if (decision.kind === 'refused') return refused(decision.code)
  const shown = proofIn(options, payment, { ...standing, channel: decision.channel })
  let proof: BestProof | undefined
  if (shown.kind === 'signature') {
    const form = await options.checker.formOf({ ...payment, signature: shown.signature })
    if (form === undefined) return refused('invalid_balance_proof')
    if (payment.bound !== true && ledgers.isBoundOnly(payment, form)) {
      return { kind: 'refused', code: 'nonexisting_channel', channel: undefined }
    }
    proof = { signature: shown.signature, form }
  } else if (shown.kind === 'proven') {
    proof = shown.proof
  } else if (shown.kind === 'refused') {
    if (shown.isWrong) ledgers.forgetTicks(payment)
    return refused(shown.code)
  }
  // Meanwhile another request may have claimed the same interval: the ledgers decide anew.
  const outcome = await ledgers.claim({
    ...{ sender, openBlock, balance, price, proof, mac, request },
    mayLeaveGap: payment.amount !== undefined,
    bound: payment.bound === true,
    keyNumber: payment.keyNumber,
  })
  if (outcome.kind === 'refused') return refused(outcome.code, outcome.channel)
  return outcome.kind === 'answered' ? outcome : paidWith(ledgers, outcome)
}

/** Whether it would be taken as a channel stands; its signature is another matter. */
function isGood(options: ManagerOptions, { payment, price }: Offer, standing: Standing): boolean {
  const decision = decidePayment({ payment, price, ...standing })
  if (decision.kind === 'refused') return false
  return proofIn(options, payment, { ...standing, channel: decision.channel }).kind !== 'refused'
}

/** What an acceptable payment shows for its balance. */
type Shown =
  | { readonly kind: 'covered' }
  | { readonly kind: 'signature'; readonly signature: Signature }
  | { readonly kind: 'proven'; readonly proof: BestProof }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly isWrong?: true }

/** A channel that may pay, and deposits that it had. */
type Deposits = Pick<Standing, 'earlierDeposits'> & { readonly channel: Channel }

/** Ticks are decided at once; of a signature it remains to be asked whose it is. */
function proofIn(options: ManagerOptions, payment: OfferedPayment, standing: Deposits): Shown {
  const { signature, tick } = payment
  if (payment.bound === true && isCovered(standing, payment.balance)) return { kind: 'covered' }
  if (signature !== undefined) return { kind: 'signature', signature }
  if (payment.bound !== true || tick === undefined) {
    return { kind: 'refused', code: 'payment_required' }
  }
  return tickIn(options, standing.channel, { ...payment, tick })
}

function tickIn(
  { commitments }: ManagerOptions,
  channel: Channel,
  payment: OfferedPayment & { readonly tick: TickWord },
): Shown {
  if (commitments === undefined) return { kind: 'refused', code: 'tick_unknown' }
  const decision = decideTick(channel.ticks, payment, {
    keccak: commitments.keccak,
    isSigned: (commitment) => commitments.isSigned(channel, commitment),
  })
  if (decision.kind === 'proven') return decision
  const isUnsigned = decision.kind === 'unsigned'
  return {
    kind: 'refused',
    code: isUnsigned ? 'invalid_balance_proof' : 'tick_unknown',
    ...(decision.kind === 'wrong' && { isWrong: true }),
  }
}

/**
 * Whether what is proven already covers a balance, under every deposit that may still stand. Under one that is
 * smaller than the balance no proof would help.
 */
export function isCovered({ channel, earlierDeposits }: Deposits, balance: TokenAmount): boolean {
  if (balance > channel.claims.highest) return false
  const deposits = [channel.deposit, ...earlierDeposits]
  return deposits.every((each) => each < balance || balanceUnder(channel, each) >= balance)
}

/** Any balance of the channel will do, signed by its sender: only then it is told where it stands. */
async function isFromSender(
  { ledgers, checker }: ManagerOptions,
  { signature, ...payment }: OfferedPayment,
): Promise<boolean> {
  if (payment.bound === true) return true
  if (signature === undefined || ledgers.isBoundOnly(payment, undefined)) return false
  const form = await checker.formOf({ ...payment, signature })
  return form !== undefined && !ledgers.isBoundOnly(payment, form)
}

function paidWith(ledgers: Ledgers, { channel, claimed }: Claimed): PaidOutcome {
  return { kind: 'paid', channel, chargeOnly: charging(ledgers, claimed) }
}

/** What was given back may have paid for something else by now, so it is remembered here what is left. */
function charging(ledgers: Ledgers, claimed: ClaimedInterval): PaidOutcome['chargeOnly'] {
  let { paid } = claimed
  return async (cost) => {
    const before = paid
    const kept = { from: before.from, to: before.from + cost }
    // A cost above what is left is not ours to take.
    if (kept.to >= before.to) return 0n
    paid = kept
    await ledgers.giveBack({ ...claimed, paid: before }, kept)
    return before.to - kept.to
  }
}

export interface PaymentCase extends Omit<Standing, 'earlierDeposits'> {
  readonly payment: Pick<OfferedPayment, 'balance' | 'amount' | 'bound'>
  readonly price: TokenAmount
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
