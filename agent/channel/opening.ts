// How tokens get into a channel: the ways to open one and to top one up.
import type { Call, ChainClient, Receipt } from '../../platform/chain/index.ts'
import { type Address, isUraidenError, UraidenError } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { authoriseDeposit } from './authorise.ts'
import type { Into } from './into.ts'
import { type Relay, relayDeposit } from './relay.ts'

/**
 * erc223   one transaction: transfer with data
 * permit   one transaction, with an EIP-2612 token and a contract of version 0.3
 * approve  two transactions, with any ERC-20 token
 * relay    none of one's own: the receiver sends it, and pays for it
 * auto     relay without any ether, else ERC-223, and where the token does not know it, approve
 */
export type FundingMethod = 'auto' | 'erc223' | 'permit' | 'approve' | 'relay'

/** @throws UraidenError those of the chain */
export async function deposit(
  chain: AgentChain,
  method: FundingMethod,
  into: Into,
  confirmations: number,
  relay?: Relay,
): Promise<Receipt> {
  if (relay !== undefined && (await wantsRelay(chain, method, into))) {
    return relayDeposit(chain, relay, into, confirmations)
  }
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
    case 'permit':
      return chain.sender.send(await permitCall(chain, into), confirmations)
    case 'relay':
      throw noRelay(into.receiver)
    case 'auto':
      return withFallback(inOne, inTwo)
  }
}

/** Without any ether there is no other way. */
async function wantsRelay(
  { client }: AgentChain,
  method: FundingMethod,
  { sender }: Into,
): Promise<boolean> {
  if (method !== 'auto') return method === 'relay'
  return (await client.etherBalance(sender)) === 0n
}

function noRelay(receiver: Address): UraidenError {
  return new UraidenError({
    code: 'relay_not_offered',
    message: `The receiver ${receiver} does not send transactions for others.`,
    hint: 'Nothing was sent. Set funding to auto and give the account some ether.',
  })
}

function erc223Call({ calls }: ChainClient, token: Address, into: Into): Call {
  const { sender, receiver, amount, openBlock } = into
  return openBlock === undefined
    ? calls.openErc223(token, { sender, receiver, deposit: amount })
    : calls.topUpErc223(token, { sender, receiver, openBlock }, amount)
}

async function permitCall({ client, signer }: AgentChain, into: Into): Promise<Call> {
  const { sender, receiver, amount, openBlock } = into
  const { chainId, contract, calls } = client
  const authorised = await authoriseDeposit(client, signer, { chainId, contract }, into)
  const { permit, signature } = authorised
  return openBlock === undefined
    ? calls.createChannelWithPermit({ sender, receiver, deposit: amount }, permit)
    : calls.topUpFor({ sender, receiver, openBlock }, amount, permit, signature)
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
