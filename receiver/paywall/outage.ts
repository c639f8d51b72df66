// Whether payments are taken while the receiver could not defend a channel (wire-protocol.md
// sections 2 and 8), decided on plain data.
import {
  largest,
  maxTokenAmount,
  type RefusalCode,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { LastLook } from '../chain/watch.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { OfferedPayment } from '../channels/manager.ts'
import { dueOf } from '../channels/records.ts'

export interface OutageLimits {
  /** How long confirmed channels are served while the node does not answer, in milliseconds. */
  readonly longest: number
  /** Meanwhile: what one channel may owe, its balance without what was taken out. */
  readonly mostPerChannel: TokenAmount
  /** Meanwhile: what all channels together may owe. */
  readonly mostInAll: TokenAmount
}

export const defaultOutageLimits: OutageLimits = {
  longest: 60_000,
  mostPerChannel: maxTokenAmount,
  mostInAll: maxTokenAmount,
}

export interface ChainHealth {
  /** The last look at the chain went well. */
  readonly nodeAnswers: boolean
  /** Milliseconds since the last look that went well. */
  readonly age: number
  /** Of the receiver's account, in wei; undefined before the first look. */
  readonly ether: bigint | undefined
  /** What all channels owe, before this request. */
  readonly due: TokenAmount
  /** The channel that the request at hand pays with; undefined when it does not pay. */
  readonly payment: ChannelDue | undefined
}

/** What one channel owes. */
export interface ChannelDue {
  readonly before: TokenAmount
  /** With the payment. */
  readonly after: TokenAmount
}

/** The original's limit: with less the receiver could not pay for a transaction. In wei. */
export const leastEther = 10n ** 8n

export function decideOutage(limits: OutageLimits, health: ChainHealth): RefusalCode | undefined {
  const { nodeAnswers, age, ether } = health
  if (age > limits.longest) return 'chain_unavailable'
  if (ether !== undefined && ether < leastEther) return 'receiver_lacks_ether'
  return nodeAnswers || isWithin(limits, health) ? undefined : 'chain_unavailable'
}

function isWithin(
  { mostPerChannel, mostInAll }: OutageLimits,
  { due, payment }: ChainHealth,
): boolean {
  // Who only asks is told of the outage as soon as nobody can pay any more.
  if (payment === undefined) return due < mostInAll
  const { before, after } = payment
  return after <= mostPerChannel && due - before + after <= mostInAll
}

export interface OutageCheckOptions {
  readonly limits: OutageLimits
  readonly look: LastLook
  /** The clock of `look`; the process's own by default. */
  readonly now?: (() => number) | undefined
  readonly account: { readonly ether: bigint | undefined }
  readonly book: Pick<ChannelBook, 'get' | 'unsettled'>
  /** True when there is too little ether to defend a channel more. */
  readonly isShortForNew?: (() => boolean) | undefined
  /** True when others who share the channels may let them owe what is left. */
  readonly isShareSpent?: (() => boolean) | undefined
}

/** Why a payment, or a request without one, is not taken now; undefined when it may be. */
export function createOutageCheck(
  options: OutageCheckOptions,
): (payment: OfferedPayment | undefined) => RefusalCode | undefined {
  const { limits, look, now = () => performance.now(), account, book } = options
  const { isShortForNew = () => false, isShareSpent = () => false } = options
  const isNew = ({ sender, openBlock }: OfferedPayment) => {
    const channel = book.get(sender, openBlock)
    return channel !== undefined && channel.proof === undefined
  }
  return (payment) => {
    const found = decideOutage(limits, {
      nodeAnswers: look.answers,
      age: now() - look.wentWell,
      ether: account.ether,
      due: book.unsettled(),
      payment: payment && !look.answers ? channelDue(book, payment) : undefined,
    })
    // What a payment needs of the share is decided with its claim.
    if (found === undefined && payment === undefined && isShareSpent()) return 'chain_unavailable'
    if (found !== undefined || payment === undefined || !isNew(payment)) return found
    return isShortForNew() ? 'receiver_lacks_ether' : undefined
  }
}

/** A replay owes no more than before; a channel that is not known yet owes nothing. */
function channelDue(
  book: OutageCheckOptions['book'],
  { sender, openBlock, balance }: OfferedPayment,
): ChannelDue | undefined {
  const channel = book.get(sender, openBlock)
  if (channel === undefined) return undefined
  const { highest } = channel.claims
  return {
    before: dueOf(channel, highest),
    after: dueOf(channel, largest(balance, highest)),
  }
}
