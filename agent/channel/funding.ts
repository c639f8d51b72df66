// Has a channel with room for a payment: picks one, tops one up, or opens one on the chain.
import type { ChainClient, Receipt, TransactionSender } from '../../platform/chain/index.ts'
import {
  type Address,
  formatAmount,
  isUraidenError,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import type { ChannelBalance, Ledger } from '../ledger/ledger.ts'
import { type ChannelName, channelName } from '../ledger/records.ts'
import { budgetSpent } from '../policy.ts'
import { chooseChannel, type DepositPolicy } from './choose.ts'

/** The chain side of the agent; connected when it is needed and not before. */
export interface AgentChain {
  readonly client: ChainClient
  readonly sender: TransactionSender
}

export type ChannelChange =
  | { readonly kind: 'opened' | 'toppedUp'; readonly added: TokenAmount }
  | { readonly kind: 'closed'; readonly balance: TokenAmount }

export interface ChannelFunding {
  /**
   * A channel to `receiver` with room for `price`.
   * @throws UraidenError `budget_total_spent`, `deposit_over_cap`, and those of the chain
   */
  readonly ensure: (
    receiver: Address,
    price: TokenAmount,
    room: TokenAmount | undefined,
    token: TokenUnit,
  ) => Promise<ChannelName>
  readonly open: (receiver: Address, deposit: TokenAmount) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount) => Promise<void>
  /** True from an opening or a top-up until the receiver has taken a payment. */
  readonly isFresh: (channel: ChannelName) => boolean
  readonly seen: (channel: ChannelName) => void
  /** Asks the chain, and writes down what it says. */
  readonly isStillOpen: (channel: ChannelName) => Promise<boolean>
}

export interface FundingOptions {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly own: Address
  readonly deposits: DepositPolicy
  readonly confirmations: number
  readonly onChange: (channel: ChannelName, change: ChannelChange, receipt: Receipt) => void
}

export function createFunding(options: FundingOptions): ChannelFunding {
  const { ledger, chain, own, deposits, confirmations, onChange } = options
  const fresh = new Set<ChannelName>()

  async function open(receiver: Address, deposit: TokenAmount): Promise<ChannelName> {
    const receipt = await openOnChain(await chain(), { sender: own, receiver, deposit })
    const channel = channelName(receiver, receipt.block)
    await ledger.add({
      receiver,
      openBlock: receipt.block,
      deposit,
      bound: 0n,
      exact: true,
      state: 'open',
      openTransaction: receipt.transaction,
    })
    fresh.add(channel)
    onChange(channel, { kind: 'opened', added: deposit }, receipt)
    return channel
  }

  async function openOnChain(
    { client, sender }: AgentChain,
    wanted: { readonly sender: Address; readonly receiver: Address; readonly deposit: TokenAmount },
  ): Promise<Receipt> {
    const { token } = await client.contractFacts()
    const { openErc223, approve, createChannel } = client.calls
    return withErc20Fallback(
      () => sender.send(openErc223(token, wanted), confirmations),
      async () => {
        await sender.send(approve(token, wanted.deposit))
        return sender.send(createChannel(wanted.receiver, wanted.deposit), confirmations)
      },
    )
  }

  async function topUp(name: ChannelName, added: TokenAmount): Promise<void> {
    const { receiver, openBlock, deposit } = ledger.get(name)
    const channel = { sender: own, receiver, openBlock }
    const { client, sender } = await chain()
    const { token } = await client.contractFacts()
    const receipt = await withErc20Fallback(
      () => sender.send(client.calls.topUpErc223(token, channel, added), confirmations),
      async () => {
        await sender.send(client.calls.approve(token, added))
        return sender.send(client.calls.topUp(channel, added), confirmations)
      },
    )
    await ledger.update(name, { deposit: deposit + added })
    fresh.add(name)
    onChange(name, { kind: 'toppedUp', added }, receipt)
  }

  return {
    open,
    topUp,
    isFresh: (channel) => fresh.has(channel),
    seen: (channel) => {
      fresh.delete(channel)
    },
    ensure: async (receiver, price, room, token) => {
      const candidates = ledger.channels(receiver).filter(({ state }) => state === 'open')
      const choice = chooseChannel(candidates, price, deposits)
      if (choice?.kind === 'use') return channelName(receiver, choice.openBlock)
      // A transaction costs a fee: ask the budget first.
      const left = room === undefined ? price : room + unsigned(candidates)
      if (room !== undefined && left < price) {
        throw budgetSpent(price, ledger.reserved() + room, left, token)
      }
      if (choice === undefined) throw depositOverCap(price, deposits.most ?? 0n, token)
      if (choice.kind === 'open') return open(receiver, choice.deposit)
      const name = channelName(receiver, choice.openBlock)
      await topUp(name, choice.added)
      return name
    },
    isStillOpen: async (name) => {
      const { receiver, openBlock } = ledger.get(name)
      const { client } = await chain()
      const info = await client.channelInfo({ sender: own, receiver, openBlock })
      if (info === undefined) await ledger.update(name, { state: 'closed' })
      else if (info.settleBlock > 0) await ledger.update(name, { state: 'closing' })
      return info !== undefined && info.settleBlock === 0
    },
  }
}

/** Reserved but not signed yet: room that the budget counts as gone and that can still pay. */
function unsigned(channels: readonly ChannelBalance[]): TokenAmount {
  return channels.reduce((sum, { bound, balance }) => sum + (bound - balance), 0n)
}

/** A token that knows no ERC-223 refuses the transfer with data when it is estimated: nothing is sent. */
async function withErc20Fallback(
  erc223: () => Promise<Receipt>,
  erc20: () => Promise<Receipt>,
): Promise<Receipt> {
  try {
    return await erc223()
  } catch (error) {
    if (!isUraidenError(error, 'transaction_reverts')) throw error
    return erc20().catch((second) => {
      throw isUraidenError(second, 'transaction_reverts') ? error : second
    })
  }
}

function depositOverCap(price: TokenAmount, most: TokenAmount, token: TokenUnit): UraidenError {
  return new UraidenError({
    code: 'deposit_over_cap',
    message: `A channel for ${formatAmount(price, token)} needs a deposit over the cap of ${formatAmount(most, token)}.`,
    hint: 'Nothing was signed or sent. Raise deposit.most to go on.',
  })
}
