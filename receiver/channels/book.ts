// All channels of this receiver, in memory as on disk. The one place that changes a record.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { Address, BlockNumber, TokenAmount } from '../../protocol/index.ts'
import { applyEvent } from '../chain-sync/view.ts'
import {
  type ChainFacts,
  type Channel,
  type ChannelName,
  channelName,
  emptyLedger,
  type PaymentLedger,
} from '../store/records.ts'
import type { ChannelStore, SyncPosition } from '../store/store.ts'

export interface ChannelBook {
  readonly get: (sender: Address, openBlock: BlockNumber) => Channel | undefined
  readonly all: () => Iterable<Channel>
  /** What was paid on a channel, also while the chain is read again and says nothing of it. */
  readonly ledger: (sender: Address, openBlock: BlockNumber) => PaymentLedger
  /** Balances of all channels that are not settled: what the receiver still has to collect. */
  readonly unsettled: () => TokenAmount
  /** True when the opening was seen in a block that is not confirmed yet. */
  readonly isUnconfirmed: (sender: Address, openBlock: BlockNumber) => boolean
  /** How far the chain was read and confirmed. */
  readonly position: () => SyncPosition | undefined
  /** Memory at once; resolves when durable. On a failed write memory keeps it: see the caller. */
  readonly putLedger: (
    sender: Address,
    openBlock: BlockNumber,
    ledger: PaymentLedger,
  ) => Promise<void>
  /** Applies confirmed events up to and with `position`: durable first, then in memory. */
  readonly confirm: (events: readonly ChannelEvent[], position: SyncPosition) => Promise<void>
  /** Replaces what is known of blocks that are not confirmed. */
  readonly setUnconfirmed: (events: readonly ChannelEvent[]) => void
  /** Forgets what the chain said, never what was paid; nobody pays until it is read again. */
  readonly forgetChain: (position: SyncPosition) => Promise<void>
}

export async function openBook(store: ChannelStore): Promise<ChannelBook> {
  const loaded = await store.load()
  const facts = new Map<ChannelName, ChainFacts>(loaded.facts)
  const ledgers = new Map<ChannelName, PaymentLedger>(loaded.ledgers)
  let position = loaded.position
  let unconfirmed: ReadonlySet<ChannelName> = new Set()
  let unsettled = 0n
  for (const name of facts.keys()) unsettled += due(name)

  const nameOf = ({ channel }: ChannelEvent) => channelName(channel.sender, channel.openBlock)
  const joined = (name: ChannelName, known: ChainFacts): Channel => ({
    ...known,
    ...(ledgers.get(name) ?? emptyLedger),
  })

  function due(name: ChannelName): TokenAmount {
    const known = facts.get(name)
    if (known === undefined || known.state === 'settled') return 0n
    return ledgers.get(name)?.claims.highest ?? 0n
  }

  /** Does a change to one channel and carries it over to the sum. */
  function changing(name: ChannelName, change: () => void): void {
    unsettled -= due(name)
    change()
    unsettled += due(name)
  }

  function* all(): Iterable<Channel> {
    for (const [name, known] of facts) yield joined(name, known)
  }

  return {
    get: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      const known = facts.get(name)
      return known && joined(name, known)
    },
    all,
    ledger: (sender, openBlock) => ledgers.get(channelName(sender, openBlock)) ?? emptyLedger,
    unsettled: () => unsettled,
    isUnconfirmed: (sender, openBlock) => unconfirmed.has(channelName(sender, openBlock)),
    position: () => position,
    putLedger: (sender, openBlock, ledger) => {
      const name = channelName(sender, openBlock)
      changing(name, () => ledgers.set(name, ledger))
      return store.saveLedger(name, ledger)
    },
    confirm: async (events, reached) => {
      const changed = new Map<ChannelName, ChainFacts>()
      for (const event of events) {
        const name = nameOf(event)
        const next = applyEvent(changed.get(name) ?? facts.get(name), event)
        if (next !== undefined) changed.set(name, next)
      }
      await store.saveFacts(changed, reached)
      for (const [name, next] of changed) changing(name, () => facts.set(name, next))
      position = reached
    },
    setUnconfirmed: (events) => {
      unconfirmed = new Set(events.filter(({ kind }) => kind === 'created').map(nameOf))
    },
    forgetChain: async (start) => {
      facts.clear()
      unsettled = 0n
      position = start
      await store.dropFacts(start)
    },
  }
}
