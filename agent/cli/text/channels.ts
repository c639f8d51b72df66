// Channels, by the names that their owner gave to receivers.
import {
  type Address,
  afterBlock,
  type BlockClock,
  type TokenUnit,
} from '../../../protocol/index.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { bar, fitted, part, shortNumber } from './columns.ts'

export interface ChannelWords {
  readonly token: TokenUnit
  /** Where a channel is closing. */
  readonly clock: BlockClock | undefined
  readonly nameOf: (receiver: Address) => string
}

/** `living-room/1234`: commands take it as a channel’s name. */
export function shownName(
  { receiver, openBlock }: Pick<ChannelBalance, 'receiver' | 'openBlock'>,
  nameOf: ChannelWords['nameOf'],
): string {
  return `${nameOf(receiver)}/${openBlock}`
}

export function channelTable(
  known: readonly ChannelBalance[],
  { token, clock, nameOf }: ChannelWords,
): string {
  const lines = fitted({
    head: ['CHANNEL', 'SPENT', '', 'RESERVED', 'STATE'],
    flexible: [0],
    rows: known.map((channel) => {
      const { deposit, balance, bound, certain, state } = channel
      return [
        shownName(channel, nameOf),
        bar(balance, deposit),
        `${certain ? '' : '≤'}${part(balance, deposit, token)}`,
        bound > balance ? shortNumber(bound - balance, token.decimals) : '',
        state,
      ]
    }),
  }).split('\n')
  const [head = '', ...rows] = lines
  return [head, ...rows.flatMap((row, at) => [row, ...noteOn(known[at], clock)])].join('\n')
}

/** A line of its own: it takes most of one. */
function noteOn(channel: ChannelBalance | undefined, clock: BlockClock | undefined): string[] {
  if (channel === undefined) return []
  const { state, settleBlock = 0, closeApi } = channel
  if (state === 'closing') return [`  closing, settles ${afterBlock(settleBlock, clock)}`]
  return state === 'open' && closeApi !== undefined ? ['  its close is not finished'] : []
}
