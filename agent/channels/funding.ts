// Has a channel with room for a payment: tops one up, or opens one on the chain.

import { createLocks, type Locks } from '../../platform/async/locks.ts'
import { checkChallengePeriod, isChannelOver } from '../../platform/chain/index.ts'
import {
  type Address,
  formatAmount,
  isUraidenError,
  largest,
  smallest,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { left } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { chooseDeposit, type DepositChoice, type DepositPolicy, withinMost } from './choose.ts'
import { type ByKind, expectedFees } from './deposit-fees.ts'
import type { Deposit } from './intents.ts'
import type { ChannelBalance, ChannelUse, Ledger } from './ledger-types.ts'
import { type FundingMethod, makeDeposit, wantsRelay } from './opening.ts'
import { type ChannelName, seenWithin } from './records.ts'
import type { Relay } from './relay.ts'
import type { FeeLimit, TransactionBudget } from './transaction-budget.ts'

export interface ChannelFunding {
  /**
   * A channel with room for the price, topped up or opened if need be.
   * @throws UraidenError `deposit_over_cap`, `deposit_too_large`, `budget_openings_spent`, `budget_ether_spent`, `fee_jump`, those
   * of `mayDeposit`, and those of the chain
   */
  readonly ensure: (wanted: WantedChannel, token: TokenUnit) => Promise<ChannelName>
  /**
   * Through the relay of the receiver's channel API where that is given and the account has no ether, or as
   * configured.
   */
  readonly open: (receiver: Address, deposit: TokenAmount, relay?: URL) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount, relay?: URL) => Promise<ChannelName>
  /**
   * As for a purchase, which nobody waits for: not where a purchase would lock nothing. It adds more than
   * `added` where that is not worth the fee. Above `least` it takes half of what the account has, at most. Resolves with what was added: nothing where that is too little to help.
   * @throws UraidenError `budget_ether_spent`, `fee_jump`, those of `mayDeposit`, and those of the chain
   */
  readonly topUpAhead: (
    channel: ChannelName,
    added: TokenAmount,
    least: TokenAmount,
  ) => Promise<TokenAmount>
  /** With what the receiver may not have seen, without what it has had the time to see. */
  readonly withUnseen: (channel: ChannelName) => Promise<ChannelBalance>
  /** Asks the chain, and writes down what it says. */
  readonly isStillOpen: (channel: ChannelName) => Promise<boolean>
}

export interface WantedChannel {
  readonly receiver: Address
  readonly price: TokenAmount
  /** What was last paid for the same; undefined the first time. */
  readonly lastPrice: TokenAmount | undefined
  /** How often it is bought in a day, as far as is known. */
  readonly timesPerDay: number | undefined
  /** Asked once more when a transaction is needed. Throws when none may be made. */
  readonly beforeDeposit: () => void
  /** Default for requests. */
  readonly use?: ChannelUse
  /** The channel API of a receiver that offers to send transactions for others. */
  readonly relay: URL | undefined
}

export interface FundingSettings {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly own: Address
  readonly deposits: DepositPolicy
  /** The budget for ever: no more than that may be spent or locked. */
  readonly total: TokenAmount | undefined
  readonly method: FundingMethod
  readonly confirmations: number
  readonly transactions: TransactionBudget
  /** In wei. */
  readonly mostFeePerGas: bigint | undefined
  /** Throws where a purchase should lock nothing with this receiver. */
  readonly mayDeposit: (receiver: Address) => void
  /** Of the contract, in seconds; undefined: any. */
  readonly leastChallengePeriod: number | undefined
  /** How to ask a receiver for a relay. */
  readonly relaying: Omit<Relay, 'api'>
  /** Takes up closes to a receiver that were agreed, or may have been; gives up quietly. */
  readonly finishCloses: (receiver: Address) => Promise<void>
}

interface FundingOptions extends FundingSettings {
  readonly approvals: Locks
}

/** In milliseconds: a receiver that lets us wait makes us ask the chain no more often. */
const betweenLooks = 10_000

export function createFunding(settings: FundingSettings): ChannelFunding {
  const options: FundingOptions = { ...settings, approvals: createLocks() }
  const { ledger, own: sender } = options
  const nextLook = new Map<ChannelName, number>()
  const topUpOf = (name: ChannelName, amount: TokenAmount): Deposit => {
    const { receiver, openBlock } = ledger.get(name)
    return { sender, receiver, openBlock, amount }
  }
  return {
    open: (receiver, amount, relay) => fund(options, { sender, receiver, amount }, { relay }),
    topUp: (name, amount, relay) => fund(options, topUpOf(name, amount), { relay }),
    topUpAhead: async (name, wanted, least) => {
      const { receiver, deposit, balance } = ledger.get(name)
      options.mayDeposit(receiver)
      const room = (await mostInChannel(options)) - deposit
      if (room < largest(least, 1n)) return 0n
      const worth = await depositsWorthTheirFee(options, receiver, undefined)
      const larger = withinMost(worth?.topUp ?? 0n, deposit, options.deposits)
      const amount = await affordable(options, smallest(largest(wanted, larger), room), least)
      if (least === 0n && amount <= 3n * (deposit - balance)) return 0n
      await fundPurchase(options, topUpOf(name, amount), undefined)
      return amount
    },
    ensure: (wanted, token) => ensure(options, wanted, token),
    withUnseen: async (name) => {
      if (ledger.get(name).unseen === undefined || performance.now() < (nextLook.get(name) ?? 0)) {
        return ledger.get(name)
      }
      nextLook.set(name, performance.now() + betweenLooks)
      await forgetSeen(options, name)
      return ledger.get(name)
    },
    isStillOpen: (name) => isStillOpen(options, name),
  }
}

async function ensure(
  options: FundingOptions,
  { receiver, price, lastPrice, timesPerDay, use, relay, beforeDeposit }: WantedChannel,
  token: TokenUnit,
): Promise<ChannelName> {
  const { ledger, own: sender, finishCloses, deposits } = options
  options.mayDeposit(receiver)
  // A deposit comes home before another one is locked.
  await finishCloses(receiver)
  // Connecting books what an earlier process has begun, so it comes before the choice.
  await options.chain()
  // Of one that was found there, the receiver is asked what is left in it.
  const hidden = ledger.payable(receiver, use).find(({ certain }) => !certain)
  const atHand = hidden?.name ?? ledger.withRoom(receiver, price, use)
  if (atHand !== undefined) return atHand
  const mostHeld = await mostInChannel(options)
  if (price > mostHeld) throw neverPayable(price, mostHeld, token)
  const bounds = {
    deposits: { ...deposits, most: smallest(mostHeld, deposits.most) },
    room: roomForDeposits(options, receiver),
  }
  const choose = (perDay: TokenAmount, worth?: ByKind) =>
    chooseDeposit(ledger.payable(receiver, use), { price, lastPrice, perDay }, { ...bounds, worth })
  const scheduled = BigInt(timesPerDay ?? 0) * smallest(price, lastPrice)
  const worth = await depositsWorthTheirFee(options, receiver, relay)
  const choice = choose(largest(scheduled, ledger.perDay(receiver).amount), worth)
  const least = choose(0n)
  if (choice === undefined || least === undefined) throw depositOverCap(price, options, token)
  const amount = await affordable(options, amountOf(choice), amountOf(least))
  beforeDeposit()
  const parties = { sender, receiver, amount }
  const deposit: Deposit =
    choice.kind === 'open'
      ? parties
      : { ...parties, openBlock: ledger.get(choice.channel).openBlock }
  return fundPurchase(options, deposit, relay)
}

function amountOf(choice: DepositChoice): TokenAmount {
  return choice.kind === 'open' ? choice.deposit : choice.added
}

/** What the contract can hold. */
async function mostInChannel({ chain }: FundingOptions): Promise<TokenAmount> {
  return (await (await chain()).client.contractFacts()).mostDeposit
}

/** What is more than needed now leaves half of the account's tokens to other receivers. */
async function affordable(
  { chain, own }: FundingOptions,
  wanted: TokenAmount,
  least: TokenAmount,
): Promise<TokenAmount> {
  if (wanted <= least) return wanted
  const { client } = await chain()
  return largest(least, smallest(wanted, (await client.tokenBalance(own)) / 2n))
}

/** Undefined where any deposit is, because nobody limits its fee or the receiver pays it. */
async function depositsWorthTheirFee(
  options: FundingOptions,
  receiver: Address,
  relay: URL | undefined,
): Promise<ByKind | undefined> {
  const { chain, method, mostFeePerGas, deposits } = options
  const { least } = deposits
  if (least === undefined) return undefined
  const connected = await chain()
  if (relay !== undefined && (await wantsRelay(connected, method))) return undefined
  const fees = await expectedFees(connected, method, mostFeePerGas)
  const room = roomForFees(options, receiver)
  return {
    open: smallest(least('open', fees.open), room),
    topUp: smallest(least('topUp', fees.topUp), room),
  }
}

/** As `roomForDeposits`, and no more than may still be spent at all. */
function roomForFees(options: FundingOptions, receiver: Address): TokenAmount | undefined {
  const lefts = options.ledger
    .limits(['all', `receiver/${receiver}`])
    .flatMap((limit) => (limit.window === 'total' ? [left(limit)] : []))
  const room = roomForDeposits(options, receiver)
  const [first, ...others] = room === undefined ? lefts : [room, ...lefts]
  return first && smallest(first, ...others)
}

function fundPurchase(
  options: FundingOptions,
  deposit: Deposit,
  relay: URL | undefined,
): Promise<ChannelName> {
  return options.transactions.within(deposit, (fees) => fund(options, deposit, { relay, fees }))
}

async function fund(
  options: FundingOptions,
  deposit: Deposit,
  { relay, fees }: { readonly relay: URL | undefined; readonly fees?: FeeLimit },
): Promise<ChannelName> {
  const { ledger, chain, method, confirmations, approvals, relaying } = options
  const { leastChallengePeriod: least } = options
  const { pollInterval } = relaying
  const how = { method, confirmations, approvals, notes: ledger.notes, fees, pollInterval }
  const connected = await chain()
  const isNew = deposit.openBlock === undefined
  if (isNew && least !== undefined) await checkChallengePeriod(connected.client, least)
  return makeDeposit(
    connected,
    deposit,
    relay === undefined ? how : { ...how, relay: { ...relaying, api: relay } },
  )
}

/**
 * What may still be deposited under the cap over all channels and the total budget, and no more at once than may
 * be spent in a day or longer: what a seller asks is no reason to lock more.
 */
function roomForDeposits(
  { ledger, deposits, total }: FundingOptions,
  receiver: Address,
): TokenAmount | undefined {
  const locked = ledger.channels().filter(({ state }) => state !== 'closed')
  const sum = (part: (each: ChannelBalance) => TokenAmount) =>
    locked.reduce((all, each) => all + part(each), 0n)
  const rooms: TokenAmount[] = ledger
    .limits(['all', `receiver/${receiver}`])
    .flatMap(({ window, cap }) => (window === 'hour' ? [] : [cap]))
  if (deposits.mostInAll !== undefined) rooms.push(deposits.mostInAll - sum((each) => each.deposit))
  if (total !== undefined) {
    rooms.push(total - ledger.reserved() - sum(({ deposit, bound }) => deposit - bound))
  }
  const [first, ...others] = rooms
  return first === undefined
    ? undefined
    : largest(
        others.reduce((a, b) => smallest(a, b), first),
        0n,
      )
}

async function forgetSeen({ ledger, chain }: FundingOptions, name: ChannelName): Promise<void> {
  try {
    const { contractBlock: head } = await (await chain()).client.head()
    ledger.forgetUnseen(name, head - seenWithin)
  } catch (error) {
    // While the chain is away the receiver may not see it either.
    if (!isUraidenError(error)) throw error
  }
}

async function isStillOpen(
  { ledger, chain, own: sender }: FundingOptions,
  name: ChannelName,
): Promise<boolean> {
  const { receiver, openBlock, balance } = ledger.get(name)
  const { client } = await chain()
  const channel = { sender, receiver, openBlock }
  const info = await client.channelInfo(channel)
  if (info === undefined) {
    const isOver = await isChannelOver(client, channel)
    if (isOver) await ledger.end(name, balance)
    return !isOver
  }
  if (info.settleBlock > 0) {
    await ledger.update(name, { state: 'closing', settleBlock: info.settleBlock })
  }
  return info.settleBlock === 0
}

function neverPayable(price: TokenAmount, most: TokenAmount, token: TokenUnit): UraidenError {
  return agentError({
    code: 'deposit_too_large',
    message: `This costs ${formatAmount(price, token)}, and a channel of the contract holds at most ${formatAmount(most, token)}.`,
    hint: `Nothing was sent. No channel can pay such a price in ${token.symbol}: it takes a contract for a token with fewer decimals than ${token.decimals}.`,
  })
}

function depositOverCap(
  price: TokenAmount,
  { deposits: { most, mostInAll }, total }: Pick<FundingOptions, 'deposits' | 'total'>,
  token: TokenUnit,
): UraidenError {
  const caps = [most === undefined ? [] : `${formatAmount(most, token)} a channel`]
    .concat(mostInAll === undefined ? [] : `${formatAmount(mostInAll, token)} in all`)
    .concat(total === undefined ? [] : `the total budget of ${formatAmount(total, token)}`)
    .flat()
  return agentError({
    code: 'deposit_over_cap',
    message: `A channel for ${formatAmount(price, token)} needs a deposit over the cap of ${caps.join(' and ')}.`,
  })
}
