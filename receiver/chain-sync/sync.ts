// Follows the contract's events for one receiver (wire-protocol.md section 6): confirmed blocks into
// the book, block by block to disk; the rest is looked at anew each time.
import type { BlockRef, ChainClient, ChannelEvent } from '../../platform/chain/index.ts'
import { type Address, type BlockNumber, UraidenError } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { SyncPosition } from '../store/store.ts'

export interface SyncOptions {
  readonly chain: Pick<ChainClient, 'head' | 'block' | 'events'>
  readonly book: ChannelBook
  readonly receiver: Address
  /** The contract was deployed in this block or later. */
  readonly startBlock: BlockNumber
  /** A block counts when this many blocks, itself among them, are on top of the chain. At least 1. */
  readonly confirmations: number
  /** Blocks read with one request. */
  readonly chunk?: number
}

export type SyncOutcome =
  /** Read up to the head. */
  | 'synced'
  /** The node knows fewer blocks than were read already: it is behind, wait for it. */
  | 'node_behind'
  /** Confirmed blocks were replaced: everything was forgotten and is read again. */
  | 'reorganised'

/** One round: reads what is new. Throws what the chain client throws. */
export async function syncOnce(options: SyncOptions): Promise<SyncOutcome> {
  const { chain, book, confirmations } = options
  const head = await chain.head()
  const known = book.position()
  if (known !== undefined) {
    const now = await chain.block(known.block)
    if (now === undefined) return 'node_behind'
    if (now.hash !== known.hash) {
      await book.forgetChain(await startPosition(options))
      return 'reorganised'
    }
  }
  const start = known ?? (await startPosition(options))
  const confirmedTo = head.number - confirmations + 1
  const reached = await readConfirmed(options, start, confirmedTo, head)
  await readUnconfirmed(options, reached.block + 1, head.number)
  return 'synced'
}

/** The block before the first one that is read. */
async function startPosition({ chain, startBlock }: SyncOptions): Promise<SyncPosition> {
  const before = Math.max(startBlock - 1, 0)
  const block = await chain.block(before)
  return { block: before, hash: block?.hash ?? '0x' }
}

async function readConfirmed(
  { chain, book, receiver, chunk = 2000 }: SyncOptions,
  start: SyncPosition,
  confirmedTo: BlockNumber,
  head: BlockRef,
): Promise<SyncPosition> {
  let reached = start
  while (reached.block < confirmedTo) {
    const from = reached.block + 1
    const to = Math.min(reached.block + chunk, confirmedTo)
    const before = to === head.number ? head : await chain.block(to)
    const events = checked(await chain.events({ from, to, receiver }), { from, to, receiver })
    const after = await chain.block(to)
    // The chain changed while it was read; the next round sees what it has become.
    if (before === undefined || before.hash !== after?.hash) break
    reached = { block: to, hash: after.hash }
    await book.confirm(events, reached)
  }
  return reached
}

async function readUnconfirmed(
  { chain, book, receiver }: SyncOptions,
  from: BlockNumber,
  to: BlockNumber,
): Promise<void> {
  const query = { from, to, receiver }
  book.setUnconfirmed(from > to ? [] : checked(await chain.events(query), query))
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
  throw new UraidenError({
    code: 'node_wrong',
    message: `Asked for events to ${receiver} in blocks ${from} to ${to}, the node told of one to ${foreign.channel.receiver} in block ${foreign.block}.`,
    hint: 'Use another node: what this one says cannot be relied on.',
  })
}
