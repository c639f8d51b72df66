// All channels of this receiver, in memory as on disk. The one place that changes a record.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { Address, BlockNumber, TokenAmount } from '../../protocol/index.ts'
import {
  confirmEvents,
  type FactsByName,
  type History,
  type SyncPosition,
  trim,
  undoAfter,
} from './history.ts'
import {
  type ChainFacts,
  type Channel,
  type ChannelName,
  channelName,
  dueOf,
  emptyLedger,
  type PaymentLedger,
  type UnansweredChange,
} from './records.ts'
import type { ChannelStore } from './store.ts'

export interface ChannelBook {
  readonly get: (sender: Address, openBlock: BlockNumber) => Channel | undefined
  readonly all: () => Iterable<Channel>
  readonly inState: (state: ChainFacts['state']) => Iterable<Channel>
  /** What was paid on a channel, also while the chain is read again and says nothing of it. */
  readonly ledger: (sender: Address, openBlock: BlockNumber) => PaymentLedger
  /** What all channels together still owe: their balances without what was taken out. */
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
    change?: UnansweredChange,
  ) => Promise<void>
  /** Channels with something paid, known to the chain or not. */
  readonly ledgerCount: () => number
  /** Forgets what was paid on a channel that is over; resolves when that is durable. */
  readonly dropLedger: (sender: Address, openBlock: BlockNumber) => Promise<void>
  /** Applies confirmed events up to and with `position`: durable first, then in memory. */
  readonly confirm: (events: readonly ChannelEvent[], position: SyncPosition) => Promise<void>
  /** Replaces what is known of blocks that are not confirmed. */
  readonly setUnconfirmed: (events: readonly ChannelEvent[]) => void
  /** Confirmed blocks that can be gone back to, in the order of the chain. */
  readonly history: () => History
  /**
   * Takes back what was confirmed after `ancestor`, which is in the history. Resolves with the
   * channels that this changes.
   */
  readonly rollBack: (ancestor: SyncPosition) => Promise<readonly ChannelName[]>
  /** Forgets what the chain said, never what was paid; nobody pays until it is read again. */
  readonly forgetChain: (position: SyncPosition) => Promise<void>
}

export async function openBook(store: ChannelStore): Promise<ChannelBook> {
  const loaded = await store.load()
  const facts = new Map<ChannelName, ChainFacts>(loaded.facts)
  const ledgers = new Map<ChannelName, PaymentLedger>(loaded.ledgers)
  let { position, history } = loaded
  let unconfirmed: ReadonlySet<ChannelName> = new Set()
  let closeSeen: ReadonlySet<ChannelName> = new Set()
  let unsettled = 0n

  const nameOf = ({ channel }: ChannelEvent) => channelName(channel.sender, channel.openBlock)
  const joined = (name: ChannelName, known: ChainFacts): Channel => ({
    ...known,
    ...(ledgers.get(name) ?? emptyLedger),
  })

  function due(name: ChannelName): TokenAmount {
    const known = facts.get(name)
    return known === undefined ? 0n : dueOf(known, ledgers.get(name)?.claims.highest ?? 0n)
  }

  /** Does a change to one channel and carries it over to the sum. */
  function changing(name: ChannelName, change: () => void): void {
    unsettled -= due(name)
    change()
    unsettled += due(name)
  }

  function* inState(state: ChainFacts['state']): Iterable<Channel> {
    for (const [name, known] of facts) if (known.state === state) yield joined(name, known)
  }

  /** Durable first, then in memory. */
  async function step(changed: FactsByName, reached: SyncPosition, next: History): Promise<void> {
    const [were, are] = [new Set(history), new Set(next)]
    await store.saveStep({
      facts: changed,
      position: reached,
      added: next.filter((past) => !were.has(past)),
      dropped: history.filter((past) => !are.has(past)).map(({ block }) => block),
    })
    for (const [name, known] of changed) {
      changing(name, () => (known === undefined ? facts.delete(name) : facts.set(name, known)))
    }
    position = reached
    history = next
  }

  function* all(): Iterable<Channel> {
    for (const [name, known] of facts) yield joined(name, known)
  }

  for (const name of facts.keys()) unsettled += due(name)
  return {
    get: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      const known = facts.get(name)
      if (known === undefined) return undefined
      // Whoever asks for a close pays no more on the channel, confirmed or not.
      const closing = known.state === 'open' && closeSeen.has(name)
      return joined(name, closing ? { ...known, state: 'closing' } : known)
    },
    all,
    inState,
    ledger: (sender, openBlock) => ledgers.get(channelName(sender, openBlock)) ?? emptyLedger,
    unsettled: () => unsettled,
    isUnconfirmed: (sender, openBlock) => unconfirmed.has(channelName(sender, openBlock)),
    position: () => position,
    putLedger: (sender, openBlock, ledger, change) => {
      const name = channelName(sender, openBlock)
      changing(name, () => ledgers.set(name, ledger))
      return store.saveLedger(name, ledger, change)
    },
    ledgerCount: () => ledgers.size,
    dropLedger: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      changing(name, () => ledgers.delete(name))
      return store.dropLedger(name)
    },
    confirm: async (events, reached) => {
      const { facts: changed, blocks } = confirmEvents(facts, events, reached)
      await step(changed, reached, trim([...history, ...blocks]))
    },
    setUnconfirmed: (events) => {
      const namesOf = (kind: ChannelEvent['kind']) =>
        new Set(events.filter((event) => event.kind === kind).map(nameOf))
      unconfirmed = namesOf('created')
      closeSeen = namesOf('closeRequested')
    },
    history: () => history,
    rollBack: async ({ block, hash }) => {
      const changed = undoAfter(history, block)
      await step(
        changed,
        { block, hash },
        history.filter((past) => past.block <= block),
      )
      return [...changed.keys()]
    },
    forgetChain: async (start) => {
      facts.clear()
      unsettled = 0n
      position = start
      history = []
      await store.dropFacts(start)
    },
  }
}
