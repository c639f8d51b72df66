// What the page offers in which situation: pure functions of plain data.
import type { ChannelView } from '../../../../browser/index.ts'
import {
  afterBlock,
  formatAmount,
  formatDuration,
  largest,
  type TokenAmount,
} from '../../../../protocol/index.ts'
import type { PurchaseFacts } from './facts.ts'

/** What the wallet and the chain say just now. */
export interface Situation {
  readonly tokens: TokenAmount
  /** The account cannot pay for a transaction. */
  readonly lacksEther: boolean
  readonly block: number
  readonly challengePeriod: number
  /** Seconds that a block takes; undefined where nobody can say. */
  readonly blockTime: number | undefined
  readonly channel: ChannelView | undefined
  readonly opening: boolean
  /** The token sells itself for ether: a test token. */
  readonly canBuyTokens: boolean
}

export type Step = 'open' | 'opening' | 'pay' | 'top-up' | 'closing' | 'settle' | 'closed'

export interface Screen {
  readonly step: Step
  /** One sentence about the channel. */
  readonly channel: string
  /** Share of the deposit that is left, 0 to 1; undefined where there is nothing to show. */
  readonly share: number | undefined
  readonly canClose: boolean
  /** Nothing was paid: the receiver has nothing to agree to. */
  readonly neverPaid: boolean
}

export function screenOf(facts: PurchaseFacts, situation: Situation): Screen {
  const { channel, opening } = situation
  const nothing = { share: undefined, canClose: false, neverPaid: false }
  if (opening) return { ...nothing, step: 'opening', channel: 'Your channel is being opened.' }
  if (channel === undefined) return { ...nothing, step: 'open', channel: 'No channel yet.' }
  if (channel.facts === undefined) {
    return { ...nothing, step: 'closed', channel: 'Your last channel is closed.' }
  }
  if (channel.facts.settleBlock > 0) return closing(situation, channel.facts.settleBlock)
  return openScreen(facts, channel, channel.facts.deposit)
}

function closing({ block, blockTime }: Situation, settleBlock: number): Screen {
  const clock = { head: block, secondsPerBlock: blockTime }
  const base = { share: undefined, canClose: false, neverPaid: false }
  return settleBlock < block
    ? { ...base, step: 'settle', channel: 'The challenge period is over.' }
    : {
        ...base,
        step: 'closing',
        channel: `Your channel is being closed: it can be settled ${afterBlock(settleBlock, clock)}.`,
      }
}

function openScreen(
  { price, token }: PurchaseFacts,
  channel: ChannelView,
  deposit: TokenAmount,
): Screen {
  const signed = largest(channel.balance, channel.pending?.balance ?? 0n)
  const left = deposit - signed
  const neverPaid = signed === 0n && !channel.recovered
  if (channel.closing) {
    const asked =
      'The server was asked to close your channel: close it, with the server or without.'
    return { step: 'closing', channel: asked, share: undefined, canClose: true, neverPaid }
  }
  const base = { canClose: true, neverPaid, share: Number((left * 1000n) / deposit) / 1000 }
  // A pending payment of this price is sent again: it needs no more deposit.
  const enough = left >= price || channel.pending?.price === price
  const more = price === 0n ? 0n : left / price
  const rest = channel.recovered
    ? `${formatAmount(deposit, token)} deposited; what is left is asked for with the first payment.`
    : `${formatAmount(left, token)} of ${formatAmount(deposit, token)} left: ${purchases(more)}.`
  return { ...base, step: enough ? 'pay' : 'top-up', channel: rest }
}

/** Said before anything is paid, where everybody on the way can change this page itself. */
export const insecure =
  'This page came over plain HTTP. Payments are tied to what they buy, which keeps out people who only listen; somebody who can change what passes could change this page, too. Use https where you do not trust the network.'

/** Whether anybody is between the server and this browser who could listen. */
export function isOverheard({
  protocol,
  hostname,
}: {
  readonly protocol: string
  readonly hostname: string
}): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** The server sends what the account cannot pay for. */
export function relays({ relay }: PurchaseFacts, situation: Situation | undefined): boolean {
  return relay && situation?.lacksEther === true
}

/** What a deposit takes. */
export function depositNote(facts: PurchaseFacts, situation: Situation): string {
  if (relays(facts, situation)) {
    return 'Your account has no ether for a transaction, so the server sends it: you sign twice. What you do not spend comes back when you close.'
  }
  return situation.lacksEther
    ? 'Your account has no ether for a transaction, and this server sends none for you: send some ether to it first.'
    : 'One transaction. What you do not spend comes back when you close.'
}

/** Ten purchases, or fewer when the account has not enough; at least one. */
export function suggestedDeposit({ price }: PurchaseFacts, tokens: TokenAmount): TokenAmount {
  const ten = price * 10n
  if (ten <= tokens) return ten
  const some = (tokens / price) * price
  return some > 0n ? some : price
}

function purchases(count: bigint): string {
  return count === 1n ? 'one more purchase' : `${count} more purchases`
}

/** A time, where it is known how long a block takes. */
export function blocks(count: number, blockTime: number | undefined): string {
  const said = count === 1 ? 'one block' : `${count} blocks`
  return blockTime === undefined ? said : `${said}, about ${formatDuration(count * blockTime)},`
}
