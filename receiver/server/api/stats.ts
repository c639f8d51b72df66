// GET /stats (wire-protocol.md section 5).
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { tokenAbi } from '../../../contracts/abi/token.ts'
import type { TokenAmount } from '../../../protocol/index.ts'
import { acceptsPayments, type Channel } from '../../channels/records.ts'
import type { Receiver } from '../../core/receiver.ts'

export function stats({ book, token, contract, address, startBlock, liquidBalance }: Receiver) {
  const channels = [...book.all()].filter(({ state }) => state !== 'settled')
  const open = channels.filter(acceptsPayments)
  const sum = (of: (channel: Channel) => TokenAmount, over: readonly Channel[]): string =>
    over.reduce((total, channel) => total + of(channel), 0n).toString()
  return {
    deposit_sum: sum(({ deposit }) => deposit, open),
    open_channels: open.length,
    pending_channels: channels.length - open.length,
    balance_sum: sum(({ claims }) => claims.highest, channels),
    unique_senders: new Set(open.map(({ sender }) => sender)).size,
    liquid_balance: liquidBalance().toString(),
    token_address: token.address,
    contract_address: contract,
    receiver_address: address,
    manager_abi: channelsAbi,
    token_abi: tokenAbi,
    // The original's pages look for their channels from here on.
    sync_block: startBlock,
  }
}
