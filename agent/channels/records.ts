// What the agent keeps of one of its channels, and how it is written to disk.

import {
  type Address,
  type ContractBlock,
  type Hex,
  type Interval,
  parseAddress,
  parseUint192,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { decodeCommitment, type OwnCommitment } from './commitment.ts'
import type { Position } from './position.ts'

/**
 * open      can pay
 * closing   a close was requested on the chain; to be settled after the challenge period
 * closed    over
 */
export type AgentChannelState = 'open' | 'closing' | 'closed'

export interface ChannelEntry {
  readonly receiver: Address
  readonly openBlock: ContractBlock
  /** Undefined: that of the store, which it was begun with. */
  readonly contract?: Address | undefined
  /** Confirmed by the chain. */
  readonly deposit: TokenAmount
  /**
   * Upper bound of every balance whose signature may have left this machine. Written before the
   * signature is made; counts against the budget.
   */
  readonly bound: TokenAmount
  /** Balance that was reached for certain when this was written. */
  readonly signed: TokenAmount
  /**
   * True at a clean stop and when a channel is closed: nothing above `signed` is on its way. False
   * while payments run: after a crash the balance lies somewhere up to the bound.
   */
  readonly exact: boolean
  /** Up to `signed`, not taken by the receiver, and not counted as spent. It pays for something only while `exact`. */
  readonly free: readonly Interval[]
  /** Below `signed`: nobody knows whether the receiver took them. Right only while `exact`. */
  readonly doubtful?: readonly Interval[] | undefined
  /** What the receiver has not shown yet that it knows; undefined when it knows all. */
  readonly unseen?: readonly UnseenDeposit[] | undefined
  /**
   * It was taken on trust once that the receiver had a payment before we asked for it: our books may have been
   * an old copy. Not again until a payment was accepted.
   */
  readonly excused?: boolean | undefined
  /** How often in a row the receiver has refused payments on it for good. */
  readonly refusals?: number | undefined
  readonly state: AgentChannelState
  /** While closing: the last block of the challenge period. */
  readonly settleBlock?: ContractBlock
  readonly openTransaction: Hex
  /** The one that ticks are paid of. What proves them is a secret: it goes nowhere but to the disk. */
  readonly commitment?: OwnCommitment | undefined
  /**
   * The receiver's channel API that was asked to agree to a close, and may have agreed: from then on it
   * takes no payment on the channel, and the close is to be finished there.
   */
  readonly closeApi?: string | undefined
}

/** A deposit that was raised, and that the receiver may still take for what it was before. */
export interface UnseenDeposit {
  /** Before that: 0 for the opening. */
  readonly before: TokenAmount
  /** In which it was raised. */
  readonly block: ContractBlock
}

/** The receiver may refuse this balance only because it has not seen the chain. */
export function isAhead({ unseen }: Pick<ChannelEntry, 'unseen'>, balance: TokenAmount): boolean {
  return unseen?.some(({ before }) => balance > before) === true
}

/** The receiver may not know the channel at all. */
export function isNew(channel: Pick<ChannelEntry, 'unseen'>): boolean {
  return channel.unseen?.some(({ before }) => before === 0n) === true
}

/** What stays unseen where only these count; undefined for nothing. */
export function unseenWhere(
  { unseen = [] }: Pick<ChannelEntry, 'unseen'>,
  counts: (deposit: UnseenDeposit) => boolean,
): ChannelEntry['unseen'] {
  const left = unseen.filter(counts)
  return left.length > 0 ? left : undefined
}

/**
 * Blocks in which a receiver has to have seen a deposit, whatever confirmations it wants: what it refuses later
 * it refuses for good.
 */
export const seenWithin = 256

/** After so many refusals nothing more is offered on a channel. */
const mostRefusals = 3

type Payability = Pick<ChannelEntry, 'state' | 'closeApi' | 'refusals'>

/** Whether new payments may be made on it. */
export function canPay(channel: Payability): boolean {
  return channel.state === 'open' && channel.closeApi === undefined && !isRetired(channel)
}

/** Open, and of no use any more: to be closed at what the receiver has served. */
export function isRetired({ state, refusals = 0 }: Payability): boolean {
  return state === 'open' && refusals >= mostRefusals
}

/** The receiver and the open block; the sender is the store's owner. No two contracts have one of the same name. */
export type ChannelName = `${Address}/${number}`

/** What a payment was made through: a channel, or an authorization to this receiver by x402. */
export type PaidThrough = ChannelName | `${Address}/x402`

/** Undefined for what was not paid on a channel. */
export function channelOf(name: PaidThrough): ChannelName | undefined {
  return name.endsWith('/x402') ? undefined : (name as ChannelName)
}

export function channelName(receiver: Address, openBlock: ContractBlock): ChannelName {
  return `${receiver}/${openBlock}`
}

/** Amounts are decimal strings on disk: JSON numbers would lose digits. */
export function encodeRecord(record: object): string {
  return JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}

/** @throws UraidenError when a field is not what it should be: the file was damaged */
export function decodeEntry(text: string): ChannelEntry {
  const raw = JSON.parse(text)
  const entry: ChannelEntry = {
    receiver: parseAddress(raw.receiver),
    openBlock: raw.openBlock,
    ...(raw.contract !== undefined && { contract: parseAddress(raw.contract) }),
    deposit: parseUint192(raw.deposit),
    bound: parseUint192(raw.bound),
    signed: parseUint192(raw.signed),
    exact: raw.exact === true,
    free: decodeIntervals(raw.free),
    ...(raw.doubtful !== undefined && { doubtful: decodeIntervals(raw.doubtful) }),
    ...(raw.unseen !== undefined && { unseen: decodeUnseen(raw.unseen) }),
    ...(raw.excused === true && { excused: true }),
    ...(raw.refusals !== undefined && { refusals: Number(raw.refusals) }),
    state: raw.state,
    openTransaction: raw.openTransaction,
    ...(raw.settleBlock !== undefined && { settleBlock: raw.settleBlock }),
    ...(raw.closeApi !== undefined && { closeApi: String(raw.closeApi) }),
    ...(raw.commitment !== undefined && { commitment: decodeCommitment(raw.commitment) }),
  }
  if (entry.signed > entry.bound || entry.bound > entry.deposit) throw damaged(entry)
  return entry
}

/** @throws UraidenError when a field is not what it should be */
export function decodePosition(text: string): Position {
  const { signed, top, free, doubtful, certain } = JSON.parse(text)
  return {
    signed: parseUint192(signed),
    top: parseUint192(top),
    free: decodeIntervals(free),
    doubtful: decodeIntervals(doubtful),
    certain: certain === true,
  }
}

function decodeIntervals(raw: readonly { readonly from: string; readonly to: string }[]) {
  return raw.map(({ from, to }) => ({ from: parseUint192(from), to: parseUint192(to) }))
}

function decodeUnseen(raw: readonly { readonly before: string; readonly block: number }[]) {
  return raw.map(({ before, block }) => ({ before: parseUint192(before), block }))
}

function damaged({ commitment: _, ...entry }: ChannelEntry): UraidenError {
  return agentError({
    code: 'ledger_damaged',
    message: `The ledger holds a channel that cannot be: ${encodeRecord(entry)}`,
  })
}
