// Follows the contract's events for one receiver (wire-protocol.md section 6): confirmed blocks into
// the book, block by block to disk; the rest is looked at anew each time.

import type { BlockRef, ChainClient, ChannelEvent } from '../../platform/chain/index.ts'
import type { Address, ChainBlock } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { History, SyncPosition } from '../channels/history.ts'
import { type ChannelName, channelName } from '../channels/records.ts'
import { receiverError } from '../errors/index.ts'

export interface SyncOptions {
  readonly chain: Pick<ChainClient, 'head' | 'block' | 'events'>
  readonly book: ChannelBook
  readonly receiver: Address
  /** The contract was deployed in this block or later. */
  readonly startBlock: ChainBlock
  /** A block counts when this many blocks, itself among them, are on top of the chain. At least 1. */
  readonly confirmations: number
  /** Blocks read with one request. */
  readonly chunk?: number
  /** Told of the newest block, before anything else is asked. */
  readonly onHead?: (head: BlockRef) => void
  /** Told of events: all that are not confirmed each time, and of each once when it is. */
  readonly onEvents?: ((events: readonly ChannelEvent[], depth: Depth) => void) | undefined
}

export type Depth = 'seen' | 'confirmed'

export type SyncOutcome =
  /** Read up to the head. */
  | { readonly kind: 'synced' }
  /** The node knows fewer blocks than were read already: it is behind, wait for it. */
  | { readonly kind: 'node_behind' }
  /** Confirmed blocks were replaced: what they said was taken back and is to be read again. */
  | {
      readonly kind: 'reorganised'
      /** The last block that is still there; read again from the one after it. */
      readonly common: ChainBlock
      /** No block that is remembered is still there: all was forgotten. */
      readonly forgotten: boolean
      /** Take no payments until they are read again. */
      readonly channels: readonly ChannelName[]
    }

/** One round: reads what is new. Throws what the chain client throws. */
export async function syncOnce(options: SyncOptions): Promise<SyncOutcome> {
  const { chain, book, confirmations } = options
  const head = await chain.head()
  options.onHead?.(head)
  const known = book.position()
  if (known !== undefined) {
    const now = await chain.block(known.block)
    if (now === undefined) return { kind: 'node_behind' }
    if (now.hash !== known.hash) return goBack(options)
  }
  const start = known ?? (await startPosition(options))
  const confirmedTo = head.number - confirmations + 1
  const reached = await readConfirmed(options, start, { to: confirmedTo, head })
  await readUnconfirmed(options, reached.block + 1, head.number)
  return { kind: 'synced' }
}

/** To the last block that both the book and the chain know. */
async function goBack(options: SyncOptions): Promise<SyncOutcome> {
  const { chain, book } = options
  const common = await lastCommon(chain, book.history())
  if (common !== undefined) {
    const channels = await book.rollBack(common)
    return { kind: 'reorganised', common: common.block, forgotten: false, channels }
  }
  const channels = [...book.all()].map(({ sender, openBlock }) => channelName(sender, openBlock))
  const start = await startPosition(options)
  await book.forgetChain(start)
  return { kind: 'reorganised', common: start.block, forgotten: true, channels }
}

/** The newest first: a block's hash covers all blocks before it. */
async function lastCommon(
  chain: Pick<ChainClient, 'block'>,
  history: History,
): Promise<SyncPosition | undefined> {
  for (const past of [...history].reverse()) {
    const now = await chain.block(past.block)
    if (now?.hash === past.hash) return past
  }
  return undefined
}

/** The block before the first one that is read. */
async function startPosition({ chain, startBlock }: SyncOptions): Promise<SyncPosition> {
  const before = Math.max(startBlock - 1, 0)
  const block = await chain.block(before)
  return { block: before, hash: block?.hash ?? '0x' }
}

async function readConfirmed(
  { chain, book, receiver, chunk = 2000, onEvents }: SyncOptions,
  start: SyncPosition,
  { to: last, head }: { readonly to: ChainBlock; readonly head: BlockRef },
): Promise<SyncPosition> {
  let reached = start
  while (reached.block < last) {
    const from = reached.block + 1
    const to = Math.min(reached.block + chunk, last)
    const before = to === head.number ? head : await chain.block(to)
    const events = checked(await chain.events({ from, to, receiver }), { from, to, receiver })
    const after = await chain.block(to)
    // The chain changed while it was read; the next round sees what it has become.
    if (before === undefined || before.hash !== after?.hash) break
    reached = { block: to, hash: after.hash }
    await book.confirm(events, reached)
    onEvents?.(events, 'confirmed')
  }
  return reached
}

async function readUnconfirmed(
  { chain, book, receiver, onEvents }: SyncOptions,
  from: ChainBlock,
  to: ChainBlock,
): Promise<void> {
  const query = { from, to, receiver }
  const events = from > to ? [] : checked(await chain.events(query), query)
  book.setUnconfirmed(events, to)
  onEvents?.(events, 'seen')
}

/**
 * A node that answers with what was not asked for must not open a channel here.
 * @throws UraidenError `node_wrong`
 */
function checked(
  events: readonly ChannelEvent[],
  {
    from,
    to,
    receiver,
  }: { readonly from: number; readonly to: number; readonly receiver: Address },
): readonly ChannelEvent[] {
  const foreign = events.find(
    ({ block, channel }) => block < from || block > to || channel.receiver !== receiver,
  )
  if (foreign === undefined) return events
  throw receiverError({
    code: 'node_wrong',
    message: `Asked for events to ${receiver} in blocks ${from} to ${to}, the node told of one to ${foreign.channel.receiver} in block ${foreign.block}.`,
  })
}
