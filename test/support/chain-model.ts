// A chain of plain data that can be rewritten at any depth: what a receiver's book is compared with.
import type { BlockRef, ChannelEvent, EventQuery } from '../../platform/chain/index.ts'
import { type Address, addressOfKey, fromHex, type Hex } from '../../protocol/index.ts'
import { applyEvent } from '../../receiver/channels/history.ts'
import { type ChainFacts, type ChannelName, channelName } from '../../receiver/channels/records.ts'

export const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
export const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const senders = ['44', '55', '66'].map((byte) => addressOfKey(fromHex(`0x${byte.repeat(32)}`)))

/** What happens in one block: to whom, and what. Numbers pick from what there is. */
export interface Happening {
  readonly kind: ChannelEvent['kind']
  readonly pick: number
}

interface Block extends BlockRef {
  readonly events: readonly ChannelEvent[]
}

export function createChainModel() {
  let blocks: readonly Block[] = [{ ...reference(0, 0), events: [] }]
  let branch = 0

  const opened = () =>
    blocks.flatMap(({ events }) => events.filter(({ kind }) => kind === 'created'))

  function mine(happenings: readonly Happening[]): void {
    const number = blocks.length
    const place = (logIndex: number) => ({
      block: number,
      contractBlock: number,
      blockHash: reference(number, branch).hash,
      transaction: '0x' as const,
      logIndex,
    })
    const known = opened().map(({ channel }) => channel)
    const events = happenings.flatMap(({ kind, pick }, index): readonly ChannelEvent[] => {
      const sender = senders[pick % senders.length] as Address
      const old = known[pick % Math.max(known.length, 1)]
      const amount = BigInt(pick + 1)
      if (kind === 'created') {
        const channel = { sender, receiver, openBlock: number }
        const twice = happenings
          .slice(0, index)
          .some(
            (each) =>
              each.kind === 'created' && each.pick % senders.length === pick % senders.length,
          )
        return twice ? [] : [{ ...place(index), channel, kind, deposit: amount }]
      }
      if (old === undefined) return []
      const event = { ...place(index), channel: old }
      switch (kind) {
        case 'toppedUp':
          return [{ ...event, kind, added: amount }]
        case 'withdrawn':
          return [{ ...event, kind, amount }]
        case 'settled':
          return [{ ...event, kind, balance: amount, receiverTokens: amount }]
        default:
          return [{ ...event, kind, balance: amount }]
      }
    })
    blocks = [...blocks, { ...reference(number, branch), events }]
  }

  return {
    mine,
    /** Replaces the last `depth` blocks; the new ones have other hashes. */
    rewind: (depth: number) => {
      branch++
      blocks = blocks.slice(0, Math.max(blocks.length - depth, 1))
    },
    height: () => blocks.length - 1,
    /** Channels that something happened to after `block`. */
    touchedAfter: (block: number): ReadonlySet<ChannelName> =>
      new Set(blocks.slice(block + 1).flatMap(({ events }) => events.map(nameOf))),
    /** What a receiver should know that reads the whole chain up to this block, at once. */
    factsAt: (block: number): ReadonlyMap<ChannelName, ChainFacts> => {
      const facts = new Map<ChannelName, ChainFacts>()
      for (const event of blocks.slice(0, block + 1).flatMap(({ events }) => events)) {
        const next = applyEvent(facts.get(nameOf(event)), event)
        if (next !== undefined) facts.set(nameOf(event), next)
      }
      return facts
    },
    client: {
      head: async (): Promise<BlockRef> => blocks.at(-1) ?? reference(0, 0),
      block: async (number: number): Promise<BlockRef | undefined> => blocks[number],
      events: async ({ from, to }: EventQuery) =>
        blocks.slice(from, to + 1).flatMap(({ events }) => events),
    },
  }
}

function nameOf({ channel }: ChannelEvent): ChannelName {
  return channelName(channel.sender, channel.openBlock)
}

function reference(number: number, branch: number): BlockRef {
  const hash = (block: number): Hex => `0x${branch}b${block}`
  const hashes = { hash: hash(number), parentHash: hash(number - 1) }
  return { number, contractBlock: number, ...hashes, timestamp: number }
}
