// Has a channel with room for a payment: tops one up, or opens one on the chain.

import {
  type Address,
  formatAmount,
  largest,
  smallest,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { chooseDeposit, type DepositPolicy } from './choose.ts'
import type { Deposit } from './intents.ts'
import type { ChannelBalance, Ledger } from './ledger-types.ts'
import { type FundingMethod, makeDeposit } from './opening.ts'
import type { ChannelName } from './records.ts'
import type { Relay } from './relay.ts'

/** What the receiver may not have seen yet: from then until it has taken a payment. */
export type Unseen = 'opened' | 'toppedUp'

/** In memory only: after a restart the receiver says what it does not know. */
export type UnseenChannels = Map<ChannelName, Unseen>

/** A receiver that has not seen the opening cannot see a top-up. */
export function notYetSeen(unseen: UnseenChannels, channel: ChannelName, what: Unseen): void {
  if (unseen.get(channel) !== 'opened') unseen.set(channel, what)
}

export interface ChannelFunding {
  /**
   * A channel with room for the price, topped up or opened if need be.
   * @throws UraidenError `deposit_over_cap`, and those of the chain
   */
  readonly ensure: (wanted: WantedChannel, token: TokenUnit) => Promise<ChannelName>
  /**
   * Through the relay of the receiver's channel API where that is given and the account has no ether, or as
   * configured.
   */
  readonly open: (receiver: Address, deposit: TokenAmount, relay?: URL) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount, relay?: URL) => Promise<ChannelName>
  /** Asks the chain, and writes down what it says. */
  readonly isStillOpen: (channel: ChannelName) => Promise<boolean>
}

export interface WantedChannel {
  readonly receiver: Address
  readonly price: TokenAmount
  /** The channel API of a receiver that offers to send transactions for others. */
  readonly relay: URL | undefined
}

export interface FundingOptions {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly own: Address
  readonly deposits: DepositPolicy
  /** The budget for ever: no more than that may be spent or locked. */
  readonly total: TokenAmount | undefined
  readonly method: FundingMethod
  readonly confirmations: number
  /** How to ask a receiver for a relay. */
  readonly relaying: Omit<Relay, 'api'>
  /** Takes up closes to a receiver that were agreed, or may have been; gives up quietly. */
  readonly finishCloses: (receiver: Address) => Promise<void>
}

export function createFunding(options: FundingOptions): ChannelFunding {
  const { ledger, own: sender, finishCloses } = options
  const open: ChannelFunding['open'] = (receiver, amount, relay) =>
    fund(options, { sender, receiver, amount }, relay)
  const topUp: ChannelFunding['topUp'] = (name, amount, relay) => {
    const { receiver, openBlock } = ledger.get(name)
    return fund(options, { sender, receiver, openBlock, amount }, relay)
  }
  return {
    open,
    topUp,
    ensure: async ({ receiver, price, relay }, token) => {
      // A deposit comes home before another one is locked.
      await finishCloses(receiver)
      // Connecting books what an earlier process has begun, so it comes before the choice.
      await options.chain()
      const atHand = ledger.withRoom(receiver, price)
      if (atHand !== undefined) return atHand
      const { deposits } = options
      const bounds = { deposits, room: roomForDeposits(options) }
      const choice = chooseDeposit(ledger.payable(receiver), price, bounds)
      if (choice === undefined) throw depositOverCap(price, options, token)
      return choice.kind === 'open'
        ? open(receiver, choice.deposit, relay)
        : topUp(choice.channel, choice.added, relay)
    },
    isStillOpen: (name) => isStillOpen(options, name),
  }
}

async function fund(
  { ledger, chain, method, confirmations, relaying }: FundingOptions,
  deposit: Deposit,
  relay: URL | undefined,
): Promise<ChannelName> {
  const { notes } = ledger
  const how = { method, confirmations, notes }
  return makeDeposit(
    await chain(),
    deposit,
    relay === undefined ? how : { ...how, relay: { ...relaying, api: relay } },
  )
}

/** What may still be deposited under the cap over all channels and the total budget. */
function roomForDeposits({ ledger, deposits, total }: FundingOptions): TokenAmount | undefined {
  const locked = ledger.channels().filter(({ state }) => state !== 'closed')
  const sum = (part: (each: ChannelBalance) => TokenAmount) =>
    locked.reduce((all, each) => all + part(each), 0n)
  const rooms: TokenAmount[] = []
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

async function isStillOpen(
  { ledger, chain, own: sender }: FundingOptions,
  name: ChannelName,
): Promise<boolean> {
  const { receiver, openBlock, balance } = ledger.get(name)
  const { client } = await chain()
  const info = await client.channelInfo({ sender, receiver, openBlock })
  if (info === undefined) await ledger.end(name, balance)
  else if (info.settleBlock > 0) {
    await ledger.update(name, { state: 'closing', settleBlock: info.settleBlock })
  }
  return info !== undefined && info.settleBlock === 0
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
