// What the agent keeps of one of its channels, and how it is written to disk.
import {
  type Address,
  type BlockNumber,
  type Hex,
  parseAddress,
  parseUint192,
  type TokenAmount,
} from '../../protocol/index.ts'

/**
 * open      can pay
 * closing   a close was requested on the chain; to be settled after the challenge period
 * closed    over
 */
export type AgentChannelState = 'open' | 'closing' | 'closed'

export interface ChannelEntry {
  readonly receiver: Address
  readonly openBlock: BlockNumber
  /** Confirmed by the chain. */
  readonly deposit: TokenAmount
  /**
   * Upper bound of every balance whose signature may have left this machine. Written before the
   * signature is made; counts against the budget.
   */
  readonly bound: TokenAmount
  /**
   * True when `bound` is the balance itself: written at a clean stop, and when a channel is closed.
   * False while payments run: after a crash the balance lies somewhere up to the bound.
   */
  readonly exact: boolean
  readonly state: AgentChannelState
  readonly openTransaction: Hex
}

/** The receiver and the open block; sender and contract are the store's owner. */
export type ChannelName = `${Address}/${BlockNumber}`

export function channelName(receiver: Address, openBlock: BlockNumber): ChannelName {
  return `${receiver}/${openBlock}`
}

/** Amounts are decimal strings on disk: JSON numbers would lose digits. */
export function encodeEntry(entry: ChannelEntry): string {
  return JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}

/** @throws UraidenError when a field is not what it should be: the file was damaged */
export function decodeEntry(text: string): ChannelEntry {
  const { receiver, openBlock, deposit, bound, exact, state, openTransaction } = JSON.parse(text)
  return {
    receiver: parseAddress(receiver),
    openBlock,
    deposit: parseUint192(deposit),
    bound: parseUint192(bound),
    exact,
    state,
    openTransaction,
  }
}
