// All channels of this receiver, in memory as on disk. The one place that changes a record.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { Address, BlockNumber, TokenAmount } from '../../protocol/index.ts'
import { createOpenAnswers, type OpenAnswers } from './answers.ts'
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
  type LedgerChanges,
  type PaymentLedger,
} from './records.ts'
import type { ChannelStore } from './store.ts'

/**
 * Called once memory has a channel's new ledger, before the disk does. It must be quick, must not
 * throw, and reads the book for what it wants to know: several changes may be told as one.
 */
export type BookListener = (sender: Address, openBlock: BlockNumber) => void

/** Of one receiver's channels. */
export interface ChannelId {
  readonly sender: Address
  readonly openBlock: BlockNumber
}

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
    channel: ChannelId,
    ledger: PaymentLedger,
    changes?: LedgerChanges,
  ) => Promise<void>
  /** Memory only: to disk with the channel's next write, or with `flush`. For what a crash may forget. */
  readonly noteLedger: (channel: ChannelId, ledger: PaymentLedger) => void
  /** Resolves when what was only noted is durable. */
  readonly flush: () => Promise<void>
  /** Bound requests whose answers have not left whole. */
  readonly answers: OpenAnswers
  /** Whoever keeps copies of the proofs, or counts them, is told of every ledger that is put. */
  readonly listen: (listener: BookListener) => void
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

interface BookState {
  readonly store: ChannelStore
  readonly facts: Map<ChannelName, ChainFacts>
  readonly ledgers: Map<ChannelName, PaymentLedger>
  readonly listeners: BookListener[]
  readonly answers: OpenAnswers
  /** With a ledger that is not on disk as it is in memory. */
  readonly noted: Set<ChannelName>
  position: SyncPosition | undefined
  history: History
  /** Opened in a block that is not confirmed yet. */
  unconfirmed: ReadonlySet<ChannelName>
  /** Their close was requested in a block that is not confirmed yet. */
  closeSeen: ReadonlySet<ChannelName>
  unsettled: TokenAmount
}

export async function openBook(store: ChannelStore): Promise<ChannelBook> {
  const { facts, ledgers, answers, position, history } = await store.load()
  const book: BookState = {
    store,
    facts: new Map(facts),
    ledgers: new Map(ledgers),
    listeners: [],
    answers: createOpenAnswers(answers),
    noted: new Set(),
    position,
    history,
    unconfirmed: new Set(),
    closeSeen: new Set(),
    unsettled: 0n,
  }
  for (const name of facts.keys()) book.unsettled += due(book, name)
  return {
    get: (sender, openBlock) => get(book, channelName(sender, openBlock)),
    all: () => channels(book, () => true),
    inState: (state) => channels(book, (known) => known.state === state),
    ledger: (sender, openBlock) => book.ledgers.get(channelName(sender, openBlock)) ?? emptyLedger,
    unsettled: () => book.unsettled,
    isUnconfirmed: (sender, openBlock) => book.unconfirmed.has(channelName(sender, openBlock)),
    position: () => book.position,
    putLedger: (channel, ledger, changes) => putLedger(book, channel, { ledger, changes }),
    noteLedger: ({ sender, openBlock }, ledger) => {
      const name = channelName(sender, openBlock)
      book.ledgers.set(name, ledger)
      book.noted.add(name)
    },
    flush: () => flush(book),
    answers: book.answers,
    listen: (listener) => void book.listeners.push(listener),
    ledgerCount: () => book.ledgers.size,
    dropLedger: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      changing(book, name, () => book.ledgers.delete(name))
      return store.dropLedger(name)
    },
    confirm: async (events, reached) => {
      const { facts: changed, blocks } = confirmEvents(book.facts, events, reached)
      await step(book, changed, { reached, history: trim([...book.history, ...blocks]) })
    },
    setUnconfirmed: (events) => {
      book.unconfirmed = namesOf(events, 'created')
      book.closeSeen = namesOf(events, 'closeRequested')
    },
    history: () => book.history,
    rollBack: ({ block, hash }) => rollBack(book, { block, hash }),
    forgetChain: async (start) => {
      book.facts.clear()
      book.unsettled = 0n
      book.position = start
      book.history = []
      await store.dropFacts(start)
    },
  }
}

function get(book: BookState, name: ChannelName): Channel | undefined {
  const known = book.facts.get(name)
  if (known === undefined) return undefined
  // Whoever asks for a close pays no more on the channel, confirmed or not.
  const closing = known.state === 'open' && book.closeSeen.has(name)
  return joined(book, name, closing ? { ...known, state: 'closing' } : known)
}

function* channels(
  book: BookState,
  isWanted: (known: ChainFacts) => boolean,
): Generator<Channel, void> {
  for (const [name, known] of book.facts) if (isWanted(known)) yield joined(book, name, known)
}

function joined(book: BookState, name: ChannelName, known: ChainFacts): Channel {
  return { ...known, ...(book.ledgers.get(name) ?? emptyLedger) }
}

function putLedger(
  book: BookState,
  { sender, openBlock }: ChannelId,
  written: { readonly ledger: PaymentLedger; readonly changes: LedgerChanges | undefined },
): Promise<void> {
  const name = channelName(sender, openBlock)
  changing(book, name, () => book.ledgers.set(name, written.ledger))
  book.noted.delete(name)
  const saved = book.store.saveLedger(name, written.ledger, written.changes)
  for (const listener of book.listeners) listener(sender, openBlock)
  return saved
}

async function flush({ store, ledgers, noted }: BookState): Promise<void> {
  const names = [...noted].filter((name) => ledgers.has(name))
  noted.clear()
  if (names.length === 0) return
  await store.saveLedgers(new Map(names.map((name) => [name, ledgers.get(name) ?? emptyLedger])))
}

function due({ facts, ledgers }: BookState, name: ChannelName): TokenAmount {
  const known = facts.get(name)
  return known === undefined ? 0n : dueOf(known, ledgers.get(name)?.claims.highest ?? 0n)
}

/** Does a change to one channel and carries it over to the sum. */
function changing(book: BookState, name: ChannelName, change: () => void): void {
  book.unsettled -= due(book, name)
  change()
  book.unsettled += due(book, name)
}

/** Durable first, then in memory. */
async function step(
  book: BookState,
  changed: FactsByName,
  next: { readonly reached: SyncPosition; readonly history: History },
): Promise<void> {
  const [were, are] = [new Set(book.history), new Set(next.history)]
  await book.store.saveStep({
    facts: changed,
    position: next.reached,
    added: next.history.filter((past) => !were.has(past)),
    dropped: book.history.filter((past) => !are.has(past)).map(({ block }) => block),
  })
  for (const [name, known] of changed) {
    changing(book, name, () => {
      if (known === undefined) book.facts.delete(name)
      else book.facts.set(name, known)
    })
  }
  book.position = next.reached
  book.history = next.history
}

async function rollBack(book: BookState, reached: SyncPosition): Promise<readonly ChannelName[]> {
  const changed = undoAfter(book.history, reached.block)
  const history = book.history.filter(({ block }) => block <= reached.block)
  await step(book, changed, { reached, history })
  return [...changed.keys()]
}

function namesOf(
  events: readonly ChannelEvent[],
  kind: ChannelEvent['kind'],
): ReadonlySet<ChannelName> {
  const wanted = events.filter((event) => event.kind === kind)
  return new Set(wanted.map(({ channel }) => channelName(channel.sender, channel.openBlock)))
}
