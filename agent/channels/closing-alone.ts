// Ends a channel without its receiver: a close is requested on the chain, and settled after the challenge
// period.

import { type Call, isChannelOver, isPeriodOver, type Receipt } from '../../platform/chain/index.ts'
import {
  type Address,
  type Hex,
  isUraidenError,
  largest,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { transactionIntent, unfinishedWork } from './intents.ts'
import type { ChannelBalance, Ledger } from './ledger-types.ts'
import { servedUpTo } from './position.ts'
import { type ChannelName, channelName } from './records.ts'

export interface ChannelWork {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  /** The sender. */
  readonly own: Address
  readonly confirmations: number
}

/**
 * At what the receiver has served for or shown; what it has besides, it can show in the challenge period.
 * `given` is the balance, only where a crash hides the true one.
 * @throws UraidenError `channel_not_open`, `balance_unknown`, and those of the chain
 */
export async function requestClose(
  work: ChannelWork,
  name: ChannelName,
  given?: TokenAmount,
): Promise<Hex> {
  const { ledger, chain, own: sender } = work
  const { receiver, openBlock, certain, signed, free, doubtful = [] } = openChannel(ledger, name)
  const served = servedUpTo({ signed, free, doubtful })
  if (!certain && given === undefined) throw balanceUnknown(receiver)
  const channel = { sender, receiver, openBlock }
  const { client } = await chain()
  const withdrawn = (await client.channelInfo(channel))?.withdrawn ?? 0n
  const balance = largest(given ?? served, withdrawn)
  const call = client.calls.uncooperativeClose(channel, balance)
  return (await sendOnce(work, name, { what: 'request the close of', call })).transaction
}

/** Ends every channel whose challenge period is over. Resolves with those that it ended. */
export async function settleDue(work: ChannelWork): Promise<readonly ChannelName[]> {
  const { ledger, chain } = work
  // Connecting books what an earlier process has begun.
  if (unfinishedWork(ledger.notes).length > 0) await chain()
  const settled: ChannelName[] = []
  for (const { state, receiver, openBlock } of ledger.channels()) {
    const name = channelName(receiver, openBlock)
    if (state === 'closing' && (await settleOne(work, name))) settled.push(name)
  }
  return settled
}

async function settleOne(work: ChannelWork, name: ChannelName): Promise<boolean> {
  const { ledger, chain, own: sender } = work
  const { receiver, openBlock, settleBlock = 0 } = ledger.get(name)
  const { client } = await chain()
  if (!isPeriodOver(await client.head(), settleBlock)) return !(await isOnChain(work, name))
  const channel = { sender, receiver, openBlock }
  const info = await client.channelInfo(channel)
  if (info === undefined) return !(await isOnChain(work, name))
  await sendOnce(work, name, { what: 'settle', call: client.calls.settle(channel) })
  return true
}

interface ChannelCall {
  /** With the channel's name, the name of the operation. */
  readonly what: string
  readonly call: Call
}

/** Sends once, also over a crash, and books what it did. */
export async function sendOnce(
  work: ChannelWork,
  name: ChannelName,
  { what, call }: ChannelCall,
): Promise<Receipt> {
  const { sender, book } = await work.chain()
  const operation = `${what} ${name}`
  try {
    const receipt = await sender.send(call, work.confirmations, operation)
    await book(receipt, transactionIntent(operation))
    return receipt
  } catch (error) {
    // Somebody else may have ended it, the receiver for one.
    if (isUraidenError(error, 'transaction_reverts')) await isOnChain(work, name)
    throw error
  }
}

/** Asks the chain; a channel that was settled there is over. */
export async function isOnChain(
  { ledger, chain, own: sender }: ChannelWork,
  name: ChannelName,
): Promise<boolean> {
  const { receiver, openBlock, balance } = ledger.get(name)
  const { client } = await chain()
  const isOver = await isChannelOver(client, { sender, receiver, openBlock })
  if (isOver) await ledger.end(name, balance)
  return !isOver
}

/** @throws UraidenError `channel_not_open` */
export function openChannel(ledger: Ledger, name: ChannelName): ChannelBalance {
  const channel = ledger.get(name)
  if (channel.state === 'open') return channel
  throw agentError({
    code: 'channel_not_open',
    message: `The channel ${name} is ${channel.state}.`,
    hint: channel.state === 'closing' ? 'Settle it after the challenge period.' : 'It is over.',
  })
}

export function balanceUnknown(receiver: Address): UraidenError {
  return agentError({
    code: 'balance_unknown',
    message: `It is not known how much of the channel to ${receiver} is spent.`,
  })
}
