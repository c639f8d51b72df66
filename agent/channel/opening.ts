// How tokens get into a channel: the ways to open one and to top one up.
import type { Call, ChainClient, Receipt, TransactionSender } from '../../platform/chain/index.ts'
import {
  type Address,
  type BlockNumber,
  isUraidenError,
  type TokenAmount,
} from '../../protocol/index.ts'

/** The chain side of the agent; connected when it is needed and not before. */
export interface AgentChain {
  readonly client: ChainClient
  readonly sender: TransactionSender
}

/**
 * erc223   one transaction: transfer with data
 * approve  two transactions, with any ERC-20 token
 * auto     ERC-223, and where the token does not know it, approve
 */
export type FundingMethod = 'auto' | 'erc223' | 'approve'

export interface NewDeposit {
  readonly sender: Address
  readonly receiver: Address
  readonly amount: TokenAmount
}

/** Puts tokens into a new channel, or with an open block into that one. */
export async function deposit(
  chain: AgentChain,
  method: FundingMethod,
  into: NewDeposit & { readonly openBlock?: BlockNumber },
  confirmations: number,
): Promise<Receipt> {
  const { token } = await chain.client.contractFacts()
  const inOne = () => chain.sender.send(erc223Call(chain.client, token, into), confirmations)
  const inTwo = async () => {
    await chain.sender.send(chain.client.calls.approve(token, into.amount))
    return chain.sender.send(erc20Call(chain.client, into), confirmations)
  }
  switch (method) {
    case 'erc223':
      return inOne()
    case 'approve':
      return inTwo()
    case 'auto':
      return withFallback(inOne, inTwo)
  }
}

type Into = NewDeposit & { readonly openBlock?: BlockNumber }

function erc223Call({ calls }: ChainClient, token: Address, into: Into): Call {
  const { sender, receiver, amount, openBlock } = into
  return openBlock === undefined
    ? calls.openErc223(token, { sender, receiver, deposit: amount })
    : calls.topUpErc223(token, { sender, receiver, openBlock }, amount)
}

function erc20Call({ calls }: ChainClient, into: Into): Call {
  const { sender, receiver, amount, openBlock } = into
  return openBlock === undefined
    ? calls.createChannel(receiver, amount)
    : calls.topUp({ sender, receiver, openBlock }, amount)
}

/** A token that knows no ERC-223 refuses the transfer with data when it is estimated: nothing is sent. */
async function withFallback(
  first: () => Promise<Receipt>,
  second: () => Promise<Receipt>,
): Promise<Receipt> {
  try {
    return await first()
  } catch (error) {
    if (!isUraidenError(error, 'transaction_reverts')) throw error
    return second().catch((other) => {
      throw isUraidenError(other, 'transaction_reverts') ? error : other
    })
  }
}
