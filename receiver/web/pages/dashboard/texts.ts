// What the dashboard says of the chain and of channels that are closing. Pure functions.
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import { afterBlock, type BlockClock } from '../../../../protocol/block-time.ts'
import type { Channel, Stats } from './api.ts'

export function tokenOf(stats: Stats): TokenUnit {
  return { symbol: stats.token_symbol, decimals: stats.token_decimals }
}

/** Undefined before the chain was read. */
export function clockOf(stats: Stats): BlockClock | undefined {
  const { contract_head: head, seconds_per_block: seconds } = stats
  return head === null ? undefined : { head, secondsPerBlock: seconds ?? undefined }
}

/** `kitchen (0x7099…79C8)`, where the owner has a name for it. */
export function buyerText({ sender_name: name, sender_address: address }: Buyer): string {
  const short = shortAddress(address)
  return name === null ? short : `${name} (${short})`
}

type Buyer = Pick<Channel, 'sender_address' | 'sender_name'>

/** `1 channel`, `2 channels` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** One line of the list of disputes. */
export function disputeText(close: Stats['dishonest_closes'][number], stats: Stats): string {
  const stake = formatAmount(BigInt(close.stake), tokenOf(stats))
  const settles = afterBlock(close.settle_block, clockOf(stats))
  return `${buyerText(close)}, block ${close.open_block}: ${stake}, answer ${close.answer}, settles ${settles}`
}

/** What stands under the state of a channel; empty where there is nothing to wait for. */
export function settlesText(
  { settle_block: block }: Channel,
  clock: BlockClock | undefined,
): string {
  return block === null ? '' : `settles ${afterBlock(block, clock)}`
}
