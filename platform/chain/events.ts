// Decodes the channels contract's logs into typed events.
import type { Interface, Result } from 'ethers'
import { type Address, type ChannelId, type Hex, parseAddress } from '../../protocol/index.ts'
import type { ChannelEvent, RawLog } from './types.ts'

/** The events of `contract` among the logs, in the logs' order; others are passed over. */
export function decodeChannelLogs(
  contract: Address,
  channels: Interface,
  logs: readonly RawLog[],
): readonly ChannelEvent[] {
  return logs.flatMap((log) => {
    if (log.address.toLowerCase() !== contract.toLowerCase()) return []
    const parsed = channels.parseLog({ topics: [...log.topics], data: log.data })
    const event = parsed && decode(parsed.name, parsed.args, log)
    return event ? [event] : []
  })
}

function decode(name: string, args: Result, log: RawLog): ChannelEvent | undefined {
  const block = Number(log.blockNumber)
  const place = {
    block,
    blockHash: log.blockHash as Hex,
    transaction: log.transactionHash as Hex,
    logIndex: Number(log.logIndex),
  }
  const of = (openBlock: unknown): ChannelId => ({
    sender: parseAddress(String(args[0])),
    receiver: parseAddress(String(args[1])),
    openBlock: Number(openBlock),
  })
  switch (name) {
    case 'ChannelCreated':
      return { ...place, channel: of(block), kind: 'created', deposit: args[2] }
    case 'ChannelToppedUp':
      return { ...place, channel: of(args[2]), kind: 'toppedUp', added: args[3] }
    case 'ChannelCloseRequested':
      return { ...place, channel: of(args[2]), kind: 'closeRequested', balance: args[3] }
    case 'ChannelChallenged':
      return { ...place, channel: of(args[2]), kind: 'challenged', balance: args[3] }
    case 'ChannelWithdraw':
      return { ...place, channel: of(args[2]), kind: 'withdrawn', amount: args[3] }
    case 'ChannelSettled': {
      const [, , openBlock, balance, receiverTokens] = args
      return { ...place, channel: of(openBlock), kind: 'settled', balance, receiverTokens }
    }
    default:
      return undefined
  }
}
