// What events of the chain make of a channel's facts, and what confirmed blocks replaced, so that they
// can be taken back when the chain takes them back. Pure functions on plain data.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { ChainBlock, Hex, TokenAmount } from '../../protocol/index.ts'
import { type ChainFacts, type ChannelEnd, type ChannelName, channelName } from './records.ts'

/** Everything up to this block has been read and confirmed. */
export interface SyncPosition {
  readonly block: ChainBlock
  readonly hash: Hex
}

/** Undefined: the chain said nothing of this channel. */
export type FactsByName = ReadonlyMap<ChannelName, ChainFacts | undefined>

/** A block as it was confirmed, and the facts that its events replaced. */
export interface PastBlock extends SyncPosition {
  readonly before: FactsByName
}

/** In the order of the chain. */
export type History = readonly PastBlock[]

/**
 * A reorganisation deeper than this below the confirmed head makes everything be read again. Two
 * epochs, 64 blocks, are final on Ethereum; the rest is for other chains.
 */
export const historyDepth = 256

/** Undefined when the event is about a channel whose opening was never seen. */
export function applyEvent(
  facts: ChainFacts | undefined,
  event: ChannelEvent,
): ChainFacts | undefined {
  if (event.kind === 'created') {
    const { sender, openBlock } = event.channel
    return { sender, openBlock, deposit: event.deposit, withdrawn: 0n, state: 'open' }
  }
  if (facts === undefined) return undefined
  switch (event.kind) {
    case 'toppedUp':
      return { ...facts, deposit: facts.deposit + event.added }
    case 'withdrawn':
      return { ...facts, withdrawn: facts.withdrawn + event.amount }
    case 'closeRequested':
      return { ...facts, state: 'closing', end: endOf(event) }
    case 'challenged':
      // The challenge period goes on from the request.
      return { ...facts, end: { ...endOf(event), ...placeOf(facts.end ?? event) } }
    case 'settled':
      return { ...facts, state: 'settled', end: endOf(event) }
  }
}

function endOf(event: ChannelEvent & { readonly balance: TokenAmount }): ChannelEnd {
  return { balance: event.balance, ...placeOf(event) }
}

function placeOf({ block, contractBlock }: Omit<ChannelEnd, 'balance'>) {
  return { block, contractBlock }
}

export interface Confirmed {
  readonly facts: FactsByName
  /** One for each block that has events, and one for the position. */
  readonly blocks: History
}

/** What events make of `known`, with what is needed to undo them block by block. */
export function confirmEvents(
  known: FactsByName,
  events: readonly ChannelEvent[],
  position: SyncPosition,
): Confirmed {
  const facts = new Map<ChannelName, ChainFacts | undefined>()
  const blocks = new Map<
    ChainBlock,
    SyncPosition & { before: Map<ChannelName, ChainFacts | undefined> }
  >()
  for (const event of events) {
    const name = channelName(event.channel.sender, event.channel.openBlock)
    const now = facts.has(name) ? facts.get(name) : known.get(name)
    const next = applyEvent(now, event)
    if (next === undefined) continue
    const block = blocks.get(event.block) ?? {
      block: event.block,
      hash: event.blockHash,
      before: new Map(),
    }
    if (!block.before.has(name)) block.before.set(name, now)
    blocks.set(event.block, block)
    facts.set(name, next)
  }
  const end = blocks.get(position.block) ?? { ...position, before: new Map() }
  blocks.delete(position.block)
  return { facts, blocks: [...blocks.values(), end] }
}

/** The facts as they were right after `block`. */
export function undoAfter(history: History, block: ChainBlock): FactsByName {
  const facts = new Map<ChannelName, ChainFacts | undefined>()
  for (const past of [...history].reverse()) {
    if (past.block <= block) break
    for (const [name, before] of past.before) facts.set(name, before)
  }
  return facts
}

/** Without what no reorganisation is expected to reach; one block below the depth stays to go back to. */
export function trim(history: History): History {
  const newest = history.at(-1)?.block ?? 0
  const firstWithin = history.findIndex(({ block }) => block > newest - historyDepth)
  return firstWithin > 1 ? history.slice(firstWithin - 1) : history
}
