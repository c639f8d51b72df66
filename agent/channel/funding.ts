// Has a channel with room for a payment: picks one, tops one up, or opens one on the chain.
import type { Receipt } from '../../platform/chain/index.ts'
import {
  type Address,
  formatAmount,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import { type ChannelName, channelName } from '../ledger/records.ts'
import type { ChannelBalance, Ledger } from '../ledger/types.ts'
import type { AgentChain } from './agent-chain.ts'
import { chooseChannel, type DepositPolicy } from './choose.ts'
import { deposit, type FundingMethod } from './opening.ts'
import type { Relay } from './relay.ts'

export type ChannelChange =
  | { readonly kind: 'opened' | 'toppedUp'; readonly added: TokenAmount }
  | { readonly kind: 'closed' | 'closeRequested'; readonly balance: TokenAmount }
  | { readonly kind: 'settled' }

/** What happened, and the transaction with which it did. */
export type ChannelChangeListener = (
  channel: ChannelName,
  change: ChannelChange,
  receipt: Receipt,
) => void

export interface ChannelFunding {
  /** An open channel with room for `price`; undefined when a transaction is needed first. */
  readonly atHand: (receiver: Address, price: TokenAmount) => ChannelName | undefined
  /**
   * A channel with room for the price, topped up or opened if need be.
   * @throws UraidenError `deposit_over_cap`, and those of the chain
   */
  readonly ensure: (wanted: WantedChannel, token: TokenUnit) => Promise<ChannelName>
  readonly open: (receiver: Address, deposit: TokenAmount) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount) => Promise<void>
  /** True from an opening or a top-up until the receiver has taken a payment. */
  readonly isFresh: (channel: ChannelName) => boolean
  readonly seen: (channel: ChannelName) => void
  /** Asks the chain, and writes down what it says. */
  readonly isStillOpen: (channel: ChannelName) => Promise<boolean>
}

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
  readonly onChange: ChannelChangeListener
}

export function createFunding(options: FundingOptions): ChannelFunding {
  const { ledger, chain, own: sender, deposits, method, confirmations, onChange } = options
  const fresh = new Set<ChannelName>()
  const openTo = (receiver: Address): readonly ChannelBalance[] =>
    ledger.channels(receiver).filter(({ state }) => state === 'open')

  async function open(receiver: Address, amount: TokenAmount, relay?: Relay): Promise<ChannelName> {
    const wanted = { sender, receiver, amount }
    const receipt: Receipt = await deposit(await chain(), method, wanted, confirmations, relay)
    const channel = channelName(receiver, receipt.block)
    await ledger.add({
      receiver,
      openBlock: receipt.block,
      deposit: amount,
      bound: 0n,
      signed: 0n,
      exact: true,
      free: [],
      state: 'open',
      openTransaction: receipt.transaction,
    })
    fresh.add(channel)
    onChange(channel, { kind: 'opened', added: amount }, receipt)
    return channel
  }

  async function topUp(name: ChannelName, amount: TokenAmount, relay?: Relay): Promise<void> {
    const { receiver, openBlock, deposit: before } = ledger.get(name)
    const into = { sender, receiver, openBlock, amount }
    const receipt = await deposit(await chain(), method, into, confirmations, relay)
    await ledger.update(name, { deposit: before + amount })
    fresh.add(name)
    onChange(name, { kind: 'toppedUp', added: amount }, receipt)
  }

  /** What may still be deposited under the cap over all channels. */
  function roomForDeposits(): TokenAmount | undefined {
    if (deposits.mostInAll === undefined) return undefined
    const locked = ledger
      .channels()
      .filter(({ state }) => state !== 'closed')
      .reduce((sum, each) => sum + each.deposit, 0n)
    return deposits.mostInAll > locked ? deposits.mostInAll - locked : 0n
  }

  return {
    open,
    topUp,
    atHand: (receiver, price) => {
      const choice = chooseChannel(openTo(receiver), price, deposits, undefined)
      return choice?.kind === 'use' ? channelName(receiver, choice.openBlock) : undefined
    },
    isFresh: (channel) => fresh.has(channel),
    seen: (channel) => {
      fresh.delete(channel)
    },
    ensure: async ({ receiver, price, relay }, token) => {
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
