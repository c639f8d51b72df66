// Finds one's own channels again from the chain's events, after the store was lost with the SD card.
import type { ChainClient, ChannelEvent } from '../../platform/chain/index.ts'
import { type Address, type ChainBlock, largest } from '../../protocol/index.ts'
import type { ChannelWork } from './closing-alone.ts'
import {
  type ChannelEntry,
  type ChannelName,
  channelName,
  seenWithin,
  unseenWhere,
} from './records.ts'

/** Enters own channels that the chain knows and the ledger does not. Resolves with those. */
export async function recoverChannels(
  { ledger, chain, own }: ChannelWork,
  from: ChainBlock,
): Promise<readonly ChannelName[]> {
  const { client } = await chain()
  const { challengePeriod } = await client.contractFacts()
  const events = await readOwnEvents(client, own, from)
  const { contractBlock: head } = await client.head()
  const known = new Set(
    ledger.channels().map(({ receiver, openBlock }) => channelName(receiver, openBlock)),
  )
  const found: ChannelName[] = []
  for (const entry of channelsFromEvents(events, challengePeriod)) {
    const name = channelName(entry.receiver, entry.openBlock)
    if (known.has(name)) continue
    const unseen = unseenWhere(entry, ({ block }) => block > head - seenWithin)
    await ledger.add({ ...entry, unseen })
    found.push(name)
  }
  return found
}

/** All events of the sender's channels from a block on, oldest first. */
export async function readOwnEvents(
  client: ChainClient,
  sender: Address,
  from: ChainBlock,
): Promise<readonly ChannelEvent[]> {
  const { number: to } = await client.head()
  return client.events({ from, to, sender })
}

/**
 * The channels that the events tell of: a pure function. What was signed on an open channel is not
 * known: at least what the receiver has withdrawn, at most the deposit. The receiver's proof tells.
 */
function channelsFromEvents(
  events: readonly ChannelEvent[],
  challengePeriod: number,
): readonly ChannelEntry[] {
  const found = new Map<ChannelName, ChannelEntry>()
  for (const event of events) {
    const { receiver, openBlock } = event.channel
    const name = channelName(receiver, openBlock)
    const next = after(found.get(name), event, challengePeriod)
    if (next !== undefined) found.set(name, next)
  }
  return [...found.values()]
}

function after(
  entry: ChannelEntry | undefined,
  event: ChannelEvent,
  challengePeriod: number,
): ChannelEntry | undefined {
  const { receiver, openBlock } = event.channel
  if (event.kind === 'created') {
    const { deposit, transaction } = event
    const unknown = { bound: deposit, signed: 0n, exact: false, free: [], state: 'open' } as const
    const unseen = [{ before: 0n, block: event.contractBlock }]
    return { receiver, openBlock, deposit, ...unknown, unseen, openTransaction: transaction }
  }
  // An event without its opening: the search began too late, and half a channel is none.
  if (entry === undefined) return undefined
  switch (event.kind) {
    case 'toppedUp': {
      const deposit = entry.deposit + event.added
      const unseen = [
        ...(entry.unseen ?? []),
        { before: entry.deposit, block: event.contractBlock },
      ]
      return { ...entry, deposit, bound: deposit, unseen }
    }
    case 'withdrawn':
      return { ...entry, signed: largest(entry.signed, event.amount) }
    case 'closeRequested':
      return { ...entry, state: 'closing', settleBlock: event.contractBlock + challengePeriod }
    case 'challenged':
      return { ...entry, signed: largest(entry.signed, event.balance) }
    case 'settled': {
      const { balance } = event
      return { ...entry, state: 'closed', bound: balance, signed: balance, exact: true }
    }
  }
}
