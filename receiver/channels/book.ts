// All channels of this receiver, in memory as on disk. The one place that changes a record.
import { inPieces } from '../../platform/async/pieces.ts'
import type { ChannelEvent } from '../../platform/chain/index.ts'
import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  largest,
  maxTokenAmount,
  type SignatureForm,
  smallest,
  type TokenAmount,
} from '../../protocol/index.ts'
import { createSending, type Sending } from './answers.ts'
import {
  type CeilingCase,
  confirmedAfter,
  type DepositLimits,
  mostBalance,
  owedEarly,
} from './ceiling.ts'
import { type EarlierDeposits, earlierDeposits } from './deposits.ts'
import { type Forgetting, type Forgotten, forget, forgetDepth } from './forgetting.ts'
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
  channelOfName,
  dueOf,
  emptyLedger,
  type PaymentLedger,
  type UnansweredChange,
} from './records.ts'
import type { ChannelStore, Fence } from './store.ts'

/**
 * Called once memory has a channel's new ledger, before the disk does. It must be quick, must not
 * throw, and reads the book for what it wants to know: several changes may be told as one.
 */
export type BookListener = (sender: Address, openBlock: ContractBlock) => void

/** Of one receiver's channels. */
export interface ChannelId {
  readonly sender: Address
  readonly openBlock: ContractBlock
}

export interface ChannelBook {
  readonly get: (sender: Address, openBlock: ContractBlock) => Channel | undefined
  readonly all: () => Iterable<Channel>
  /** As far as it is confirmed. */
  readonly inState: (state: ChainFacts['state']) => Iterable<Channel>
  /** As the newest block shows them: what is to be done about a close does not wait for more. */
  readonly asSeen: (state?: 'closing') => Iterable<Channel>
  /** As far as it is confirmed. */
  readonly facts: (name: ChannelName) => ChainFacts | undefined
  /**
   * Channels that something happened to in the last blocks, confirmed or not, some of them twice: only theirs may
   * pay less than their deposit.
   */
  readonly recent: () => Iterable<ChannelName>
  /** The newest block that was read, confirmed or not. */
  readonly seenTo: () => ChainBlock
  /** What was paid on a channel, also while the chain is read again and says nothing of it. */
  readonly ledger: (sender: Address, openBlock: ContractBlock) => PaymentLedger
  /** The sums of settled channels that are remembered no more; none of them is in `all`. */
  readonly forgotten: () => Forgotten
  /** How many channels are settled, forgotten ones among them. */
  readonly ended: () => number
  /** What all channels together still owe: their balances without what was taken out. */
  readonly unsettled: () => TokenAmount
  /** True when the opening was seen in a block that is not confirmed yet. */
  readonly isUnconfirmed: (sender: Address, openBlock: ContractBlock) => boolean
  /** Deposits that an open channel had before blocks that can be gone back behind. */
  readonly earlierDeposits: (sender: Address, openBlock: ContractBlock) => readonly TokenAmount[]
  /** The highest balance that a payment may have, as deep as the channel's deposit is now. */
  readonly mostBalance: (sender: Address, openBlock: ContractBlock) => TokenAmount
  /** What the chain will not take back any more; undefined while nobody says. */
  readonly setFinalised: (block: ChainBlock | undefined) => void
  /** How far the chain was read and confirmed. */
  readonly position: () => SyncPosition | undefined
  /** Memory at once; resolves when durable. On a failed write memory keeps it: see the caller. */
  readonly putLedger: (
    channel: ChannelId,
    ledger: PaymentLedger,
    unanswered?: UnansweredChange,
  ) => Promise<void>
  /** Memory only: to disk with the channel's next write, or with `flush`. For what a crash may forget. */
  readonly noteLedger: (channel: ChannelId, ledger: PaymentLedger) => void
  /** Resolves when what was only noted is durable. */
  readonly flush: () => Promise<void>
  /** Of bound requests. */
  readonly sending: Sending
  /**
   * Whether a channel takes nothing that is not bound: it is bound, or may have been before a state was lost
   * or restored. The form that the original's clients sign they sign on channels that were never bound.
   */
  readonly isBoundOnly: (channel: ChannelId, form: SignatureForm | undefined) => boolean
  /** At the start: after a restore, and where nothing is on disk, the fence is `head`; durable when it resolves. */
  readonly fence: (head: () => Promise<ContractBlock>) => Promise<void>
  /** Whoever keeps copies of the proofs, or counts them, is told of every ledger that is put. */
  readonly listen: (listener: BookListener) => void
  /** Channels with something paid, known to the chain or not. */
  readonly ledgerCount: () => number
  /** Forgets what was paid on a channel that is over; resolves when that is durable. */
  readonly dropLedger: (sender: Address, openBlock: ContractBlock) => Promise<void>
  /** Applies confirmed events up to and with `position`: durable first, then in memory. */
  readonly confirm: (events: readonly ChannelEvent[], position: SyncPosition) => Promise<void>
  /** Replaces what is known of blocks that are not confirmed, up to and with the newest, `to`. */
  readonly setUnconfirmed: (events: readonly ChannelEvent[], to: ChainBlock) => void
  /** Confirmed blocks that can be gone back to, in the order of the chain. */
  readonly history: () => History
  /**
   * Takes back what was confirmed after `ancestor`, which is in the history. Resolves with the
   * channels that this changes.
   */
  readonly rollBack: (ancestor: SyncPosition) => Promise<readonly ChannelName[]>
  /** Forgets what the chain said, never what was paid; nobody pays until it is read again. */
  readonly forgetChain: (position: SyncPosition) => Promise<void>
  /** What other processes have written to the same store: in memory only. Whoever listens is told of ledgers. */
  readonly hear: (news: BookNews) => void
  /** Takes everything from the store once more, as it is now. */
  readonly reload: () => Promise<void>
}

export interface BookNews {
  readonly position: SyncPosition | undefined
  /** Undefined: the chain says nothing of it any more, or it was forgotten. */
  readonly channels: ReadonlyMap<ChannelName, HeardChannel | undefined>
  readonly ledgers: ReadonlyMap<ChannelName, PaymentLedger>
}

export interface HeardChannel {
  readonly facts: ChainFacts
  /** A close request is in a block that is not confirmed. */
  readonly closeSeen: boolean
}

/** Where a book is kept. */
export type BookStore = Pick<
  ChannelStore,
  'load' | 'saveLedger' | 'saveLedgers' | 'saveFence' | 'dropLedger' | 'saveStep' | 'dropFacts'
>

interface BookState {
  readonly store: BookStore
  readonly facts: Map<ChannelName, ChainFacts>
  /** Names of settled channels: most that there are may be open, and each step looks for what is over. */
  readonly settled: Set<ChannelName>
  /** The same of those that are closing, for which each look at the chain asks. */
  readonly closing: Set<ChannelName>
  readonly ledgers: Map<ChannelName, PaymentLedger>
  readonly listeners: BookListener[]
  readonly sending: Sending
  /** With a ledger that is not on disk as it is in memory. */
  readonly noted: Set<ChannelName>
  position: SyncPosition | undefined
  history: History
  fence: Fence | undefined
  forgotten: Forgotten
  /** Settled channels that stay. */
  readonly keep: number
  earlier: EarlierDeposits
  /** Of channels that something happened to in blocks that are not confirmed yet: what they are after it. */
  seen: FactsByName
  seenTo: ChainBlock
  unsettled: TokenAmount
  readonly limits: DepositLimits
  finalised: ChainBlock | undefined
  /** What is owed on deposits that have not reached the last of the limits' steps. */
  early: EarlySums
}

interface EarlySums {
  inAll: TokenAmount
  readonly bySender: Map<Address, TokenAmount>
}

export interface BookOptions {
  readonly limits?: DepositLimits | undefined
  /** Settled channels that are remembered, at least. All when not given. */
  readonly keepSettled?: number | undefined
}

export async function openBook(store: BookStore, options: BookOptions = {}): Promise<ChannelBook> {
  return bookOn(await readBook(store, options), options)
}

async function readBook(
  store: BookStore,
  { limits = confirmedAfter(1), keepSettled = Number.POSITIVE_INFINITY }: BookOptions,
): Promise<BookState> {
  const { facts, ledgers, position, history, fence, forgotten } = await store.load()
  const book: BookState = {
    store,
    facts: new Map(),
    settled: new Set(),
    closing: new Set(),
    ledgers: new Map(ledgers),
    listeners: [],
    sending: createSending(),
    noted: new Set(),
    position,
    history,
    fence,
    ...{ forgotten, keep: keepSettled },
    earlier: new Map(),
    seen: new Map(),
    seenTo: 0,
    unsettled: 0n,
    limits,
    finalised: undefined,
    early: { inAll: 0n, bySender: new Map() },
  }
  await inPieces(facts, ([name, known]) => {
    setFacts(book, name, known)
    book.unsettled += due(book, name)
  })
  lookBack(book)
  return book
}

function bookOn(book: BookState, options: BookOptions): ChannelBook {
  return {
    get: (sender, openBlock) => get(book, channelName(sender, openBlock)),
    all: () => inState(book, undefined),
    inState: (state) => inState(book, state),
    asSeen: (state) => asSeen(book, state),
    facts: (name) => book.facts.get(name),
    recent: () => recent(book),
    seenTo: () => book.seenTo,
    ledger: (sender, openBlock) => book.ledgers.get(channelName(sender, openBlock)) ?? emptyLedger,
    forgotten: () => book.forgotten,
    ended: () => book.settled.size + book.forgotten.channels,
    unsettled: () => book.unsettled,
    isUnconfirmed: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      return book.seen.has(name) && !book.facts.has(name)
    },
    earlierDeposits: (sender, openBlock) => {
      const earlier = book.earlier.get(channelName(sender, openBlock)) ?? []
      return earlier.map(({ deposit }) => deposit).filter((deposit) => deposit > 0n)
    },
    mostBalance: (sender, openBlock) => mostBalanceOf(book, channelName(sender, openBlock)),
    setFinalised: (block) => {
      if (book.finalised === block) return
      book.finalised = block
      lookBack(book)
    },
    position: () => book.position,
    putLedger: (channel, ledger, unanswered) => putLedger(book, channel, { ledger, unanswered }),
    noteLedger: ({ sender, openBlock }, ledger) => {
      const name = channelName(sender, openBlock)
      book.ledgers.set(name, ledger)
      book.noted.add(name)
    },
    flush: () => flush(book),
    sending: book.sending,
    isBoundOnly: (channel, form) => isBoundOnly(book, channel, form),
    fence: (head) => fence(book, head),
    listen: (listener) => void book.listeners.push(listener),
    ledgerCount: () => book.ledgers.size,
    dropLedger: (sender, openBlock) => {
      const name = channelName(sender, openBlock)
      changing(book, name, () => book.ledgers.delete(name))
      return book.store.dropLedger(name)
    },
    confirm: async (events, reached) => {
      const { facts: changed, blocks } = confirmEvents(book.facts, events, reached)
      const history = trim([...book.history, ...blocks])
      await step(book, changed, { reached, history, forgetting: forgetSettled(book) })
    },
    setUnconfirmed: (events, to) => {
      // The position is of no interest here: nothing is undone but all at once.
      book.seen = confirmEvents(book.facts, events, { block: to, hash: '0x' }).facts
      book.seenTo = to
    },
    history: () => book.history,
    rollBack: ({ block, hash }) => rollBack(book, { block, hash }),
    forgetChain: (start) => forgetChain(book, start),
    hear: (news) => hear(book, news),
    reload: () => reload(book, options),
  }
}

async function reload(book: BookState, options: BookOptions): Promise<void> {
  const { listeners, sending, finalised, ledgers: before } = book
  Object.assign(book, await readBook(book.store, options), { listeners, sending, finalised })
  lookBack(book)
  for (const [name, { claims }] of book.ledgers) {
    if (claims.highest !== before.get(name)?.claims.highest) tell(book, name)
  }
}

function hear(book: BookState, { position, channels, ledgers }: BookNews): void {
  const seen = new Map(book.seen)
  for (const [name, heard] of channels) {
    changing(book, name, () => setFacts(book, name, heard?.facts))
    if (heard?.closeSeen) seen.set(name, { ...heard.facts, state: 'closing' })
    else seen.delete(name)
  }
  book.seen = seen
  book.position = position
  lookBack(book)
  for (const [name, ledger] of ledgers) {
    changing(book, name, () => book.ledgers.set(name, ledger))
    tell(book, name)
  }
}

function tell({ listeners }: BookState, name: ChannelName): void {
  const { sender, openBlock } = channelOfName(name)
  for (const listener of listeners) listener(sender, openBlock)
}

async function fence(book: BookState, head: () => Promise<ContractBlock>): Promise<void> {
  // Where nothing was ever read or paid, a state may have been lost.
  const isNew = book.position === undefined && book.ledgers.size === 0
  if (book.fence !== 'next' && !(book.fence === undefined && isNew)) return
  const block = await head()
  await book.store.saveFence(block)
  book.fence = block
}

function setFacts(
  { facts, settled, closing }: BookState,
  name: ChannelName,
  known: ChainFacts | undefined,
) {
  if (known === undefined) facts.delete(name)
  else facts.set(name, known)
  if (known?.state === 'settled') settled.add(name)
  else settled.delete(name)
  if (known?.state === 'closing') closing.add(name)
  else closing.delete(name)
}

function get(book: BookState, name: ChannelName): Channel | undefined {
  const known = book.facts.get(name)
  // While the chain is read again nobody can say yet which of its channels were forgotten.
  if (known === undefined || readTo(book) < book.forgotten.upTo) return undefined
  const seen = book.seen.get(name)
  // Whoever asks for a close pays no more on the channel, confirmed or not.
  const isEnding = known.state === 'open' && seen !== undefined && seen.state !== 'open'
  return joined(book, name, isEnding ? { ...known, state: 'closing' } : known)
}

function* inState(
  book: BookState,
  state: ChainFacts['state'] | undefined,
): Generator<Channel, void> {
  for (const name of namesIn(book, state)) {
    const known = book.facts.get(name)
    if (known === undefined) continue
    if (state === undefined || known.state === state) yield joined(book, name, known)
  }
}

function namesIn(
  { facts, settled, closing }: BookState,
  state: ChainFacts['state'] | undefined,
): Iterable<ChannelName> {
  if (state === 'settled') return settled
  return state === 'closing' ? closing : facts.keys()
}

function* asSeen(book: BookState, state: 'closing' | undefined): Generator<Channel, void> {
  const { facts, seen } = book
  const isAsked = (shown: ChainFacts) => state === undefined || shown.state === state
  for (const name of namesIn(book, state)) {
    const shown = seen.get(name) ?? facts.get(name)
    if (shown !== undefined && isAsked(shown)) yield joined(book, name, shown)
  }
  for (const [name, shown] of seen) {
    const isDone = facts.has(name) && (state === undefined || book.closing.has(name))
    if (shown !== undefined && !isDone && isAsked(shown)) yield joined(book, name, shown)
  }
}

function* recent({ earlier, seen }: BookState): Generator<ChannelName, void> {
  yield* earlier.keys()
  yield* seen.keys()
}

/** What an old backup has of a channel that was forgotten counts no more. */
function joined(book: BookState, name: ChannelName, known: ChainFacts): Channel {
  const isForgotten = known.state === 'settled' && (known.end?.block ?? 0) <= book.forgotten.upTo
  return { ...known, ...((isForgotten ? undefined : book.ledgers.get(name)) ?? emptyLedger) }
}

function readTo({ position }: BookState): ChainBlock {
  return position?.block ?? 0
}

/** What the next step forgets: nothing that a step back could change, nor a chain that is read again. */
function forgetSettled(book: BookState): Forgetting | undefined {
  const { settled, keep, forgotten: before, limits, finalised = 0 } = book
  if (settled.size <= keep) return undefined
  const waitsForFinality = limits.steps.at(-1)?.blocks === 'finalised'
  const deep = readTo(book) - forgetDepth
  const final = waitsForFinality ? Math.min(deep, finalised) : deep
  return forget([...inState(book, 'settled')], { keep, final, before })
}

function putLedger(
  book: BookState,
  { sender, openBlock }: ChannelId,
  written: {
    readonly ledger: PaymentLedger
    readonly unanswered: UnansweredChange | undefined
  },
): Promise<void> {
  const name = channelName(sender, openBlock)
  changing(book, name, () => book.ledgers.set(name, written.ledger))
  book.noted.delete(name)
  const saved = book.store.saveLedger(name, written.ledger, written.unanswered)
  for (const listener of book.listeners) listener(sender, openBlock)
  return saved
}

function isBoundOnly(
  { ledgers, fence }: BookState,
  { sender, openBlock }: ChannelId,
  form: SignatureForm | undefined,
): boolean {
  if (ledgers.get(channelName(sender, openBlock))?.requestKey !== undefined) return true
  if (form !== 'eip712' || fence === undefined) return false
  return fence === 'next' || openBlock <= fence
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

/** Does a change to one channel and carries it over to the sums. */
function changing(book: BookState, name: ChannelName, change: () => void): void {
  book.unsettled -= due(book, name)
  addEarly(book, name, -1n)
  change()
  book.unsettled += due(book, name)
  addEarly(book, name, 1n)
}

/** Undefined: all that the channel may pay is covered by a deposit that is as deep as it should be. */
function ceilingCase(book: BookState, name: ChannelName): CeilingCase | undefined {
  const { limits, position, finalised } = book
  const earlier = limits.steps.length > 1 ? book.earlier.get(name) : undefined
  const known = earlier && book.facts.get(name)
  if (known === undefined || earlier === undefined || position === undefined) return undefined
  const channel = joined(book, name, known)
  return { channel, earlier, position: position.block, finalised, limits }
}

function mostBalanceOf(book: BookState, name: ChannelName): TokenAmount {
  const found = ceilingCase(book, name)
  if (found === undefined) return maxTokenAmount
  const { limits, early } = book
  const own = owedEarly(found)
  const left = (most: TokenAmount | undefined, sum: TokenAmount) =>
    most === undefined ? maxTokenAmount : largest(most - (sum - own), 0n)
  const ofSender = early.bySender.get(found.channel.sender) ?? 0n
  const room = smallest(left(limits.mostPerSender, ofSender), left(limits.mostInAll, early.inAll))
  return mostBalance(found, room)
}

function addEarly(book: BookState, name: ChannelName, sign: 1n | -1n): void {
  const found = ceilingCase(book, name)
  if (found === undefined) return
  const { bySender } = book.early
  const { sender } = found.channel
  const owed = sign * owedEarly(found)
  book.early.inAll += owed
  bySender.set(sender, (bySender.get(sender) ?? 0n) + owed)
}

/** Durable first, then in memory. */
async function step(
  book: BookState,
  changed: FactsByName,
  next: {
    readonly reached: SyncPosition
    readonly history: History
    readonly forgetting?: Forgetting | undefined
  },
): Promise<void> {
  const [were, are] = [new Set(book.history), new Set(next.history)]
  await book.store.saveStep({
    facts: changed,
    position: next.reached,
    added: next.history.filter((past) => !were.has(past)),
    dropped: book.history.filter((past) => !are.has(past)).map(({ block }) => block),
    forgetting: next.forgetting,
  })
  for (const [name, known] of changed) {
    changing(book, name, () => setFacts(book, name, known))
  }
  if (next.forgetting !== undefined) drop(book, next.forgetting)
  book.position = next.reached
  book.history = next.history
  lookBack(book)
}

function drop(book: BookState, { names, after }: Forgetting): void {
  for (const name of names) {
    changing(book, name, () => {
      setFacts(book, name, undefined)
      book.ledgers.delete(name)
    })
    book.noted.delete(name)
  }
  book.forgotten = after
}

/** What is known of the last blocks, and all that depends on how deep they are. */
function lookBack(book: BookState): void {
  book.earlier = earlierDeposits(book.history, (name) => book.facts.get(name)?.deposit ?? 0n)
  book.early = { inAll: 0n, bySender: new Map() }
  for (const name of book.earlier.keys()) addEarly(book, name, 1n)
}

async function rollBack(book: BookState, reached: SyncPosition): Promise<readonly ChannelName[]> {
  const changed = undoAfter(book.history, reached.block)
  const history = book.history.filter(({ block }) => block <= reached.block)
  await step(book, changed, { reached, history })
  return [...changed.keys()]
}

/** Durable first, as a step: whoever went on from what is still written would keep channels of another chain. */
async function forgetChain(book: BookState, start: SyncPosition): Promise<void> {
  await book.store.dropFacts(start)
  book.facts.clear()
  book.settled.clear()
  book.closing.clear()
  book.unsettled = 0n
  book.position = start
  book.history = []
  lookBack(book)
}
