// The ledgers of a receiver that is one process: what is in memory decides, and the store makes it durable.
import { endsWithin } from '../../platform/async/ends-within.ts'
import type { Interval, RefusalCode } from '../../protocol/index.ts'
import { nextAnswer, openAnswer, withoutNumber, withPaid } from './answers.ts'
import type { ChannelBook } from './book.ts'
import { isClaimed, unclaim } from './claims.ts'
import { closeable } from './closing.ts'
import type {
  ClaimedInterval,
  ClaimOutcome,
  Ledgers,
  PaidBefore,
  ProvenPayment,
  Standing,
  WantedClose,
} from './ledgers.ts'
import { decidePayment, isCovered } from './manager.ts'
import { fallbacksUnder, withFallback } from './proofs.ts'
import {
  type BestProof,
  type Channel,
  channelName,
  isTicked,
  ledgerOf,
  type PaymentLedger,
  type UnansweredChange,
} from './records.ts'
import { stillOpen } from './ticks.ts'

export interface BookLedgersOptions {
  /** How long a repetition waits for an answer that is on its way, in milliseconds. Default 30 000. */
  readonly longestWait?: number
}

const nothing = Promise.resolve(undefined)

export function bookLedgers(
  book: ChannelBook,
  { longestWait = 30_000 }: BookLedgersOptions = {},
): Ledgers {
  return {
    look: (channel) => look(book, channel),
    claim: (payment) => claimIn(book, payment),
    giveBack: (claimed, kept) => giveBack(book, claimed, kept),
    // Of requests under a key `Replies` knows.
    again: ({ mac, ...channel }) =>
      mac === undefined ? nothing : again(book, { ...channel, mac }, longestWait),
    answerEnded: ({ sender, openBlock }, mac, end) => {
      book.sending.end(channelName(sender, openBlock), mac)
      if (end === 'broken') return
      const ledger = book.ledger(sender, openBlock)
      const answer = openAnswer(ledger.answers, mac)
      if (ledger.answers === undefined || answer === undefined) return
      const answers = withoutNumber(ledger.answers, answer.number)
      book.noteLedger({ sender, openBlock }, { ...ledger, answers })
    },
    resume: (request, { sender, openBlock, paid }) => {
      const channel = book.get(sender, openBlock)
      if (channel === undefined || !isClaimed(channel.claims, paid)) return undefined
      const named = { request, mac: undefined, number: undefined }
      return { channel, claimed: { sender, openBlock, paid, ...named } }
    },
    forgetTicks: ({ sender, openBlock }) =>
      book.noteLedger(
        { sender, openBlock },
        { ...book.ledger(sender, openBlock), ticks: undefined },
      ),
    isBoundOnly: book.isBoundOnly,
    bind: (channel, requestKey) =>
      book.putLedger(channel, { ...book.ledger(channel.sender, channel.openBlock), requestKey }),
    agree: (wanted) => agree(book, wanted),
  }
}

function look(
  book: ChannelBook,
  { sender, openBlock }: Pick<ProvenPayment, 'sender' | 'openBlock'>,
) {
  return {
    channel: book.get(sender, openBlock),
    seenUnconfirmed: book.isUnconfirmed(sender, openBlock),
    mostBalance: book.mostBalance(sender, openBlock),
    earlierDeposits: book.earlierDeposits(sender, openBlock),
  } satisfies Standing
}

async function claimIn(book: ChannelBook, payment: ProvenPayment): Promise<ClaimOutcome> {
  const { sender, openBlock, mac, request } = payment
  const standing = look(book, payment)
  const decision = decideClaim(standing, payment)
  if (decision.kind === 'refused') return { ...decision, channel: standing.channel }
  const { before, paid, paying } = decision
  const answers = mac === undefined ? before.answers : nextAnswer(before.answers, { mac, paid })
  const ledger: PaymentLedger = { ...ledgerOf(before), ...paying, ...(answers && { answers }) }
  const number = mac === undefined ? undefined : answers?.last
  const claimed: ClaimedInterval = { sender, openBlock, paid, request, mac, number }
  if (mac !== undefined) book.sending.begin(channelName(sender, openBlock), mac)
  try {
    await book.putLedger({ sender, openBlock }, ledger, unanswered(claimed))
  } catch (error) {
    // Not served, so not paid: the same proof may try again when the disk is well.
    await giveBack(book, claimed, { from: paid.from, to: paid.from }).catch(() => undefined)
    if (mac !== undefined) book.sending.end(channelName(sender, openBlock), mac)
    throw error
  }
  return { kind: 'claimed', channel: { ...before, ...ledger }, claimed }
}

export type DecidedClaim =
  | { readonly kind: 'refused'; readonly code: RefusalCode }
  | {
      readonly kind: 'claimed'
      readonly before: Channel
      readonly paid: Interval
      /** What it changes. */
      readonly paying: Pick<PaymentLedger, 'claims'> & Partial<PaymentLedger>
    }

/** All that a claim changes in a ledger, decided on plain data; `standing` is that of this moment. */
export function decideClaim(standing: Standing, payment: ProvenPayment): DecidedClaim {
  const { balance, price, bound, proof } = payment
  const asked = { balance, ...(payment.mayLeaveGap && { amount: price }), ...(bound && { bound }) }
  const decision = decidePayment({ payment: asked, price, ...standing })
  if (decision.kind === 'refused') return decision
  const { claims, paid, channel: before } = decision
  const isMore = claims.highest > before.claims.highest
  // What was covered when it was looked at is not any more.
  if (proof === undefined && isMore) return { kind: 'refused', code: 'payment_required' }
  const proven = proof && provenBy(standing, before, { claims, balance, proof })
  return { kind: 'claimed', before, paid, paying: { claims, ...proven } }
}

/** What a proof changes: the best one, and those below it that may still be needed. */
function provenBy(
  { earlierDeposits }: Standing,
  before: Channel,
  proven: Pick<PaymentLedger, 'claims'> &
    Pick<ProvenPayment, 'balance'> & { readonly proof: BestProof },
): Partial<PaymentLedger> {
  const { claims, proof, balance } = proven
  if (claims.highest > before.claims.highest) {
    const beside = before.ticks && stillOpen(before.ticks, claims.highest)
    const ticks = isTicked(proof) ? proof : beside
    if (earlierDeposits.length === 0) return { proof, ticks, fallbacks: undefined }
    // A deposit that is taken back leaves the new best proof above what is left of it.
    const fallbacks = fallbacksUnder(before, { claims, proof }, earlierDeposits)
    return { proof, ticks, fallbacks: fallbacks.length > 0 ? fallbacks : undefined }
  }
  // The original's clients sign again what is proven already.
  if (isCovered({ channel: before, earlierDeposits }, balance)) return {}
  return { fallbacks: withFallback(before, balance, proof) }
}

function giveBack(book: ChannelBook, claimed: ClaimedInterval, kept: Interval): Promise<void> {
  const { sender, openBlock, paid, number } = claimed
  const now = book.ledger(sender, openBlock)
  const claims = unclaim(now.claims, { from: kept.to, to: paid.to })
  const answers = now.answers && number !== undefined && withPaid(now.answers, number, kept)
  return book.putLedger(
    { sender, openBlock },
    { ...now, claims, ...(answers && { answers }) },
    unanswered({ ...claimed, paid: kept }),
  )
}

async function again(
  book: ChannelBook,
  {
    sender,
    openBlock,
    mac,
  }: Pick<ProvenPayment, 'sender' | 'openBlock'> & { readonly mac: string },
  longestWait: number,
): Promise<PaidBefore | undefined> {
  const name = channelName(sender, openBlock)
  const sending = book.sending.find(name, mac)
  if (sending !== undefined) await endsWithin(sending, longestWait)
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
  const named = { request: undefined, mac: undefined, number: undefined }
  return { kind: 'claimed', channel, claimed: { sender, openBlock, paid, ...named } }
}

/** In the same write as the proof, so that a crash leaves none without the other. */
function unanswered({
  sender,
  openBlock,
  paid,
  request,
}: ClaimedInterval): UnansweredChange | undefined {
  if (request === undefined) return undefined
  const { id, expires } = request
  return [id, paid.from === paid.to ? undefined : { sender, openBlock, paid, expires }]
}

/** An agreement is for ever: another one at a higher balance would not take it back. */
async function agree(
  book: ChannelBook,
  { sender, openBlock, balance }: WantedClose,
): Promise<Channel> {
  const channel = closeable(book.get(sender, openBlock), balance)
  const before = ledgerOf(channel)
  const agreed = { ...before, agreedToClose: true, agreedBalance: before.agreedBalance ?? balance }
  try {
    await book.putLedger(channel, agreed)
  } catch (error) {
    // Nothing was signed, so the channel goes on; unless somebody else has changed it meanwhile.
    if (book.ledger(sender, openBlock) === agreed) {
      await book.putLedger(channel, before).catch(() => undefined)
    }
    throw error
  }
  return { ...channel, ...agreed }
}
