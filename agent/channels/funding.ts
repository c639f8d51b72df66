// Has a channel with room for a payment: picks one, tops one up, or opens one on the chain.
import {
  type Address,
  formatAmount,
  largest,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { chooseChannel, type DepositPolicy } from './choose.ts'
import type { Into } from './into.ts'
import type { ChannelBalance, Ledger } from './ledger-types.ts'
import { deposit, type FundingMethod } from './opening.ts'
import { type ChannelName, canPay, channelName } from './records.ts'
import type { Relay } from './relay.ts'

export interface ChannelFunding {
  /** An open channel with room for `price`; undefined when a transaction is needed first. */
  readonly atHand: (receiver: Address, price: TokenAmount) => ChannelName | undefined
  /**
   * A channel with room for the price, topped up or opened if need be.
   * @throws UraidenError `deposit_over_cap`, and those of the chain
   */
  readonly ensure: (wanted: WantedChannel, token: TokenUnit) => Promise<ChannelName>
  /** Through the relay where one is given and the account has no ether, or as configured. */
  readonly open: (receiver: Address, deposit: TokenAmount, relay?: Relay) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount, relay?: Relay) => Promise<void>
  /** What the receiver may not have seen yet: from then until it has taken a payment. */
  readonly unseen: (channel: ChannelName) => Unseen | undefined
  readonly seen: (channel: ChannelName) => void
  readonly notYetSeen: (channel: ChannelName, what: Unseen) => void
  /** Asks the chain, and writes down what it says. */
  readonly isStillOpen: (channel: ChannelName) => Promise<boolean>
}

export type Unseen = 'opened' | 'toppedUp'

export interface WantedChannel {
  readonly receiver: Address
  readonly price: TokenAmount
  /** Where the receiver offers to send transactions for others. */
  readonly relay?: Relay
}

export interface FundingOptions {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly own: Address
  readonly deposits: DepositPolicy
  readonly method: FundingMethod
  readonly confirmations: number
}

export function createFunding(options: FundingOptions): ChannelFunding {
  const { ledger, chain, own: sender, deposits, method, confirmations } = options
  const unseen = new Map<ChannelName, Unseen>()
  const openTo = (receiver: Address): readonly ChannelBalance[] =>
    ledger.channels(receiver).filter(canPay)

  async function into(wanted: Into, relay: Relay | undefined): Promise<ChannelName> {
    const { notes } = ledger
    const how = { method, confirmations, notes, ...(relay !== undefined && { relay }) }
    return deposit(await chain(), wanted, how)
  }

  const open: ChannelFunding['open'] = (receiver, amount, relay) =>
    into({ sender, receiver, amount }, relay)

  async function topUp(name: ChannelName, amount: TokenAmount, relay?: Relay): Promise<void> {
    const { receiver, openBlock } = ledger.get(name)
    await into({ sender, receiver, openBlock, amount }, relay)
  }

  /** What may still be deposited under the cap over all channels. */
  function roomForDeposits(): TokenAmount | undefined {
    if (deposits.mostInAll === undefined) return undefined
    const locked = ledger
      .channels()
      .filter(({ state }) => state !== 'closed')
      .reduce((sum, each) => sum + each.deposit, 0n)
    return largest(deposits.mostInAll - locked, 0n)
  }

  return {
    open,
    topUp,
    atHand: (receiver, price) => {
      const choice = chooseChannel(openTo(receiver), price, deposits, undefined)
      return choice?.kind === 'use' ? channelName(receiver, choice.openBlock) : undefined
    },
    unseen: (channel) => unseen.get(channel),
    seen: (channel) => {
      unseen.delete(channel)
    },
    notYetSeen: (channel, what) => {
      // Who has not seen the opening cannot see a top-up.
      if (unseen.get(channel) !== 'opened') unseen.set(channel, what)
    },
    ensure: async ({ receiver, price, relay }, token) => {
      // Connecting books what an earlier process has begun, so it comes before the choice.
      await chain()
      const choice = chooseChannel(openTo(receiver), price, deposits, roomForDeposits())
      if (choice === undefined) throw depositOverCap(price, deposits, token)
      if (choice.kind === 'open') return open(receiver, choice.deposit, relay)
      const name = channelName(receiver, choice.openBlock)
      if (choice.kind === 'topUp') await topUp(name, choice.added, relay)
      return name
    },
    isStillOpen: async (name) => {
      const { receiver, openBlock, balance } = ledger.get(name)
      const { client } = await chain()
      const info = await client.channelInfo({ sender, receiver, openBlock })
      if (info === undefined) await ledger.end(name, balance)
      else if (info.settleBlock > 0) {
        await ledger.update(name, { state: 'closing', settleBlock: info.settleBlock })
      }
      return info !== undefined && info.settleBlock === 0
    },
  }
}

function depositOverCap(
  price: TokenAmount,
  { most, mostInAll }: DepositPolicy,
  token: TokenUnit,
): UraidenError {
  const caps = [most === undefined ? [] : `${formatAmount(most, token)} a channel`]
    .concat(mostInAll === undefined ? [] : `${formatAmount(mostInAll, token)} in all`)
    .flat()
  return new UraidenError({
    code: 'deposit_over_cap',
    message: `A channel for ${formatAmount(price, token)} needs a deposit over the cap of ${caps.join(' and ')}.`,
    hint: 'Nothing was signed or sent. Raise the cap of deposits, or close a channel.',
  })
}
