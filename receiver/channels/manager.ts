// Registers payments and agrees to close channels. Nothing is promised before it is on disk.
import {
  type Address,
  type BlockNumber,
  closingAgreementDigest,
  type Payment,
  type RefusalCode,
  type Signature,
  type SignatureDomain,
  type Signer,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import type { ProofChecker } from '../signatures/checker.ts'
import type { ChannelBook } from './book.ts'
import { isClaimed, unclaim } from './claims.ts'
import type { Channel, PaymentLedger, Unanswered, UnansweredChange } from './records.ts'
import { decidePayment } from './verify.ts'

export interface PaidOutcome {
  readonly kind: 'paid'
  readonly channel: Channel
  /**
   * Gives back what was paid over `cost`: all of it for a resource that failed. Resolves when the
   * credit is on disk.
   */
  readonly chargeOnly: (cost: TokenAmount) => Promise<void>
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
      /** Where the channel stands, when the payment named one that we know. */
      readonly channel: Channel | undefined
    }

export interface ChannelManager {
  /**
   * Checks a payment of `price` and stores its proof; resolves when it is on disk. With a request's
   * id also that the request is to be answered.
   */
  readonly registerPayment: (
    payment: Payment,
    price: TokenAmount,
    request?: KeyedRequest,
  ) => Promise<PaymentOutcome>
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
    openBlock: BlockNumber,
    balance: TokenAmount,
  ) => Promise<Signature>
}

export interface ManagerOptions {
  readonly book: ChannelBook
  readonly checker: ProofChecker
  readonly signer: Signer
  readonly domain: SignatureDomain
}

export function createChannelManager(options: ManagerOptions): ChannelManager {
  const { book, checker, signer, domain } = options

  function decide(payment: Payment, price: TokenAmount) {
    const channel = book.get(payment.sender, payment.openBlock)
    const seenUnconfirmed = book.isUnconfirmed(payment.sender, payment.openBlock)
    return decidePayment({ payment, price, channel, seenUnconfirmed })
  }

  function refused(payment: Payment, code: RefusalCode): PaymentOutcome {
    return { kind: 'refused', code, channel: book.get(payment.sender, payment.openBlock) }
  }

  return {
    registerPayment: async (payment, price, request) => {
      const first = decide(payment, price)
      if (first.kind === 'refused') return refused(payment, first.code)
      const form = await checker.formOf(payment)
      if (form === undefined) return refused(payment, 'invalid_balance_proof')
      // While the signature was checked another request may have claimed the same interval.
      const decision = decide(payment, price)
      if (decision.kind === 'refused') return refused(payment, decision.code)
      const { claims, paid, channel: before } = decision
      const isBest = claims.highest > before.claims.highest
      const ledger: PaymentLedger = {
        ...ledgerOf(before),
        claims,
        ...(isBest && { proof: { signature: payment.signature, form } }),
      }
      const { sender, openBlock } = before
      const order = { sender, openBlock, paid }
      try {
        await book.putLedger(sender, openBlock, ledger, unanswered(request, order))
      } catch (error) {
        // Not served, so not paid: the same proof may try again when the disk is well.
        await giveBack(book, order, 0n, request).catch(() => undefined)
        throw error
      }
      const channel = { ...before, ...ledger }
      return {
        kind: 'paid',
        channel,
        chargeOnly: (cost) => giveBack(book, order, cost, request),
      }
    },
    resumePayment: (request, earlier) => {
      const channel = book.get(earlier.sender, earlier.openBlock)
      if (channel === undefined || !isClaimed(channel.claims, earlier.paid)) return undefined
      return {
        kind: 'paid',
        channel,
        chargeOnly: (cost) => giveBack(book, earlier, cost, request),
      }
    },
    agreeToClose: async (sender, openBlock, balance) => {
      const channel = closeable(book.get(sender, openBlock), balance)
      const before = ledgerOf(channel)
      const agreed = { ...before, agreedToClose: true }
      try {
        await book.putLedger(sender, openBlock, agreed)
      } catch (error) {
        // Nothing was signed, so the channel goes on; unless somebody else has changed it meanwhile.
        if (book.ledger(sender, openBlock) === agreed) {
          await book.putLedger(sender, openBlock, before).catch(() => undefined)
        }
        throw error
      }
      // In the form that the sender itself uses, so that its own check understands it.
      const form = channel.proof?.form ?? 'seed'
      return signer.sign(closingAgreementDigest(form, domain, sender)(openBlock, balance))
    },
  }
}

type Order = Pick<Unanswered, 'sender' | 'openBlock' | 'paid'>

async function giveBack(
  book: ChannelBook,
  { sender, openBlock, paid }: Order,
  cost: TokenAmount,
  request: KeyedRequest | undefined,
): Promise<void> {
  // A cost above the price is not ours to take.
  if (cost >= paid.to - paid.from) return
  const now = book.ledger(sender, openBlock)
  const charged = { from: paid.from, to: paid.from + cost }
  const claims = unclaim(now.claims, { from: charged.to, to: paid.to })
  const change = unanswered(request, { sender, openBlock, paid: charged })
  await book.putLedger(sender, openBlock, { ...now, claims }, change)
}

/** In the same write as the proof, so that a crash leaves none without the other. */
function unanswered(request: KeyedRequest | undefined, order: Order): UnansweredChange | undefined {
  if (request === undefined) return undefined
  const { id, expires } = request
  const { from, to } = order.paid
  return [id, from === to ? undefined : { ...order, expires }]
}

function ledgerOf({ claims, proof, agreedToClose }: Channel): PaymentLedger {
  return { claims, agreedToClose, ...(proof && { proof }) }
}

function closeable(channel: Channel | undefined, balance: TokenAmount): Channel {
  if (channel === undefined || channel.state === 'settled') {
    throw new UraidenError({
      code: 'channel_unknown',
      message: 'There is no such channel.',
      hint: 'Check sender and open block.',
    })
  }
  if (channel.state === 'closing') {
    throw new UraidenError({
      code: 'channel_closing',
      message: 'A close of this channel was requested on the chain already.',
      hint: 'Settle it when the challenge period is over.',
    })
  }
  if (channel.proof === undefined) {
    throw new UraidenError({
      code: 'never_paid',
      message: 'No payment was ever registered on this channel.',
      hint: 'Close it without the receiver: uncooperativeClose with balance 0.',
    })
  }
  if (balance !== channel.claims.highest) {
    throw new UraidenError({
      code: 'not_latest_balance',
      message: `The latest balance of this channel is ${channel.claims.highest}, not ${balance}.`,
      hint: 'Ask again with the latest balance.',
    })
  }
  return channel
}
