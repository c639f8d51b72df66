// The agent's books: which channels it has, how much of each it may have signed away, and what that
// leaves of the budget.
//
// For each channel an upper bound is on disk before any signature over a balance up to it is made, and
// the bound, not the balance, counts against the budget: what is below the bound and not signed yet
// counts in every window at every moment. One synced write covers many payments; a power cut costs at
// most what was reserved and not yet signed, and only until the receiver shows our own last signature.
//
// With a spool, all else goes there: where each channel stands is in it before a signature leaves, so that a
// killed process asks no receiver. The bound is on the card as ever.
import { createTurns } from '../../platform/async/turns.ts'
import { calendar } from '../../platform/time/calendar.ts'
import {
  type Address,
  type ContractBlock,
  type Interval,
  intervalLength,
  parseUint192,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { type Accounts, createAccounts, type DailyUse, scopesOf } from '../budget/accounts.ts'
import type { Budget, BudgetLimit, BudgetScope } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import type { OwnCommitment } from './commitment.ts'
import { createHourSums, type HourSums, partyOf, unknownBuyer } from './hours.ts'
import {
  type LedgerFacts,
  type LedgerPlace,
  type LedgerStorage,
  openStorage,
  type StoredLedger,
} from './ledger-storage.ts'
import type {
  ChainChange,
  ChannelBalance,
  ChannelUse,
  Ledger,
  LedgerOptions,
  PayableChannel,
  Purchase,
  Shortfall,
  Taken,
} from './ledger-types.ts'
import { createNoteBook, type NoteBook, type Notes } from './notes.ts'
import {
  doubt,
  freeSum,
  giveBack,
  isSettled,
  type Position,
  resolveDoubt,
  standAt,
  takeFrom,
} from './position.ts'
import { type ChannelEntry, type ChannelName, canPay, channelName, unseenWhere } from './records.ts'
import { createReserving, type Reserving } from './reserving.ts'
import {
  createWriter,
  type LedgerWriter,
  type Slot,
  slotOf,
  written,
  writtenExactly,
} from './slots.ts'

/** @throws UraidenError those of `openState`, `ledger_damaged` */
export async function openLedger(
  options: Omit<LedgerOptions, 'storage'> & LedgerPlace,
): Promise<Ledger> {
  const storage = await openStorage(options)
  try {
    return await createLedger({ ...options, storage })
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** A ledger on a storage that is open already. */
export async function createLedger(options: LedgerOptions): Promise<Ledger> {
  const { storage, budget, timeZone, readClock } = options
  const stored = await storage.load()
  const date = calendar(timeZone)
  const accounts = createAccounts({ budget, readClock, date, ...stored })
  return new ChannelLedger(options, accounts, stored)
}

/** Before a channel's name, of a note with the balance that its transfers reach. */
const transferPrefix = 'transfer/'

/** Of the note with what somebody else has kept in the same write as ours. */
const besideKey = 'beside'

/** What the receiver has shown. */
type Noted = 'refusals' | 'unseen' | 'excused'

class ChannelLedger implements Ledger {
  readonly hours: HourSums
  readonly #storage: LedgerStorage
  readonly #reservation: number
  readonly #budget: Budget
  readonly #accounts: Accounts
  readonly #slots: Map<ChannelName, Slot>
  readonly #noteBook: NoteBook
  readonly #write: LedgerWriter
  /** Undefined without a spool. */
  readonly #spool: LedgerWriter | undefined
  /** Of channels that have paid since the last flush, their last price. */
  readonly #prices = new Map<ChannelName, TokenAmount>()
  readonly #reserving: Reserving
  readonly #turns = createTurns()
  /** Channels of which a receiver has shown in this process where they stand. */
  readonly #heard = new Set<ChannelName>()
  #facts: LedgerFacts | undefined

  constructor(options: LedgerOptions, accounts: Accounts, stored: StoredLedger) {
    const { storage, reservation, budget } = options
    this.#storage = storage
    this.#reservation = reservation
    this.#budget = budget
    this.#accounts = accounts
    this.#facts = stored.facts
    this.#slots = new Map(
      [...stored.channels].map(([name, entry]) => [
        name,
        slotOf(entry, stored.positions?.get(name)),
      ]),
    )
    this.#noteBook = createNoteBook(stored.notes)
    this.hours = createHourSums(this.#noteBook, accounts.time)
    const parts = { slots: this.#slots, accounts }
    const keepsPositions = storage.spool !== undefined
    const writing = { ...parts, notes: this.#noteBook, keepsPositions }
    this.#write = createWriter({ ...writing, write: storage.write })
    this.#spool = storage.spool && createWriter({ ...writing, write: storage.spool })
    this.#reserving = createReserving({
      ...{ ...parts, reservation, write: this.#write, spool: this.#spool },
      lowWater: (price) => this.#lowWater(price),
    })
  }

  get contract(): Address | undefined {
    return this.#storage.contract
  }

  get notes(): Notes {
    const { get, keysUnder, set: later, beforeWrite } = this.#noteBook
    const now: Notes['now'] = (key, value) => this.#note(this.#write, key, value)
    const soon: Notes['soon'] = (key, value) => this.#note(this.#spool ?? this.#write, key, value)
    return { get, keysUnder, later, beforeWrite, now, soon }
  }

  channels(receiver?: Address): readonly ChannelBalance[] {
    return [...this.#slots]
      .filter(([, { entry }]) => receiver === undefined || entry.receiver === receiver)
      .map(([name]) => this.get(name))
  }

  get(name: ChannelName): ChannelBalance {
    const slot = this.#slot(name)
    const isHeard = this.#heard.has(name)
    const { seen } = slot
    if (seen?.entry === slot.entry && seen.position === slot.position && seen.isHeard === isHeard) {
      return seen.balance
    }
    const balance = balanceOf(slot, isHeard)
    slot.seen = { entry: slot.entry, position: slot.position, isHeard, balance }
    return balance
  }

  commitment(name: ChannelName): OwnCommitment | undefined {
    return this.#slot(name).entry.commitment
  }

  payable(receiver: Address, use: ChannelUse = 'requests'): readonly PayableChannel[] {
    return [...this.#slots].flatMap(([name, { entry }]) =>
      entry.receiver === receiver && canPay(entry) && this.#isFor(name, use)
        ? [{ ...this.get(name), name }]
        : [],
    )
  }

  withRoom(receiver: Address, price: TokenAmount, use?: ChannelUse): ChannelName | undefined {
    return leastRoom(this.payable(receiver, use), price)
  }

  transferred(name: ChannelName): TokenAmount | undefined {
    const noted = this.#noteBook.get(`${transferPrefix}${name}`)
    return noted === undefined
      ? undefined
      : parseUint192((noted as { readonly balance: string }).balance)
  }

  setTransferred(name: ChannelName, balance: TokenAmount): Promise<void> {
    return this.#note(this.#write, `${transferPrefix}${name}`, { balance })
  }

  reserved(): TokenAmount {
    return sum([...this.#slots.values()].map(({ entry }) => entry.bound))
  }

  limits(scopes: readonly BudgetScope[]): readonly BudgetLimit[] {
    return this.#reserving.limits(scopes)
  }

  freeAt(limit: BudgetLimit, needed: TokenAmount): number | undefined {
    return this.#accounts.freeAt(limit, needed)
  }

  spentToday(): TokenAmount {
    return this.#accounts.today('all')
  }

  perDay(receiver: Address): DailyUse {
    return this.#accounts.perDay(`receiver/${receiver}`)
  }

  spend(scopes: readonly BudgetScope[], amount: bigint): number {
    return this.#accounts.spend(scopes, amount)
  }

  refund(scopes: readonly BudgetScope[], amount: bigint, at: number): void {
    this.#accounts.refund(scopes, amount, at)
  }

  shortfall(receiver: Address, purchase: Purchase): Shortfall | undefined {
    return this.#reserving.shortfall(receiver, purchase)
  }

  add(entry: ChannelEntry, intent?: string): Promise<void> {
    return this.#fulfilling(intent, async () => {
      const name = channelName(entry.receiver, entry.openBlock)
      const known = this.#slots.get(name)?.entry
      if (known !== undefined && known.contract !== entry.contract) throw nameTaken(name)
      await this.#write(new Map([[name, entry]]))
      this.#slots.set(name, slotOf(entry))
    })
  }

  update(name: ChannelName, change: ChainChange, intent?: string): Promise<void> {
    return this.#fulfilling(intent, () => this.#writeEntry(name, change))
  }

  end(name: ChannelName, balance: TokenAmount, intent?: string): Promise<void> {
    return this.#fulfilling(intent, () => {
      this.#standAt(name, balance)
      const slot = this.#slot(name)
      // What the chain has paid out is over: nothing above it can ever be claimed.
      slot.position = { ...slot.position, top: balance }
      return this.#writeEntry(name, { state: 'closed', bound: balance, exact: true })
    })
  }

  async take(name: ChannelName, purchase: Purchase): Promise<Taken | Shortfall> {
    const { price, job, receiverKnows } = purchase
    let { commitment } = purchase
    for (;;) {
      const slot = this.#slot(name)
      const tooMuch = job === undefined ? undefined : this.#reserving.jobShortfall(price, job)
      if (tooMuch !== undefined) return tooMuch
      if (commitment !== undefined && slot.position.certain) {
        const committing = { name, price, commitment }
        const short = await this.#turns.take(() => this.#reserving.reserve(committing))
        if (short !== undefined) return short
        commitment = undefined
        continue
      }
      const { bound, exact } = slot.entry
      const taking = takeFrom(slot.position, { price, bound, receiverKnows })
      // A reservation says it in its own write.
      if (taking !== undefined && exact) {
        await this.#turns.take(() => this.#writeEntry(name, { exact: false }))
        continue
      }
      if (taking !== undefined) {
        const taken = { channel: name, interval: taking.interval, source: taking.source, job }
        this.#book(slot, taken, taking.position)
        await this.#keep(taken, price)
        return taken
      }
      const shortfall = await this.#turns.take(() => this.#reserving.reserve({ name, price }))
      if (shortfall !== undefined) return shortfall
    }
  }

  settle(taken: Taken, cost: TokenAmount): void {
    const { channel, interval, source, job } = taken
    if (source === 'probe') return
    const slot = this.#slot(channel)
    this.#isOver(slot, interval)
    if (cost >= intervalLength(interval)) return
    const returned = { from: interval.from + cost, to: interval.to }
    slot.position = giveBack(slot.position, returned)
    slot.dirty = true
    const { receiver } = slot.entry
    this.#accounts.refund(scopesOf(receiver, job), intervalLength(returned))
    this.hours.refund(partyOf(receiver, job), intervalLength(returned))
  }

  leaveInDoubt({ channel, interval, source }: Taken): void {
    if (source === 'probe') return
    const slot = this.#slot(channel)
    this.#isOver(slot, interval)
    slot.position = doubt(slot.position, interval)
    slot.dirty = true
  }

  settleAnew(taken: Taken, charged: TokenAmount | undefined): void {
    const slot = this.#slots.get(taken.channel)
    if (slot === undefined || !canPay(slot.entry) || !isSettled(slot.position, taken.interval))
      return
    if (charged === undefined) this.leaveInDoubt(taken)
    else this.settle(taken, charged)
  }

  takeBack(taken: Taken): void {
    if (taken.source === 'doubtful') this.leaveInDoubt(taken)
    else this.settle(taken, 0n)
  }

  offerAgain(taken: Taken): Taken {
    const slot = this.#slot(taken.channel)
    slot.position = resolveDoubt(slot.position, taken.interval)
    slot.underWay = [...slot.underWay, taken.interval]
    slot.dirty = true
    return { ...taken, source: 'doubtful' }
  }

  correct(name: ChannelName, balance: TokenAmount): Promise<void> {
    return this.#turns.take(async () => {
      const { bound } = this.#slot(name).entry
      // Only an older copy of this store can be below our own signature.
      if (balance > bound) await this.#writeEntry(name, { bound: balance })
      this.#standAt(name, balance)
      this.#heard.add(name)
      await this.#spool?.(new Map())
    })
  }

  assumeWorst(name: ChannelName): void {
    const { entry } = this.#slot(name)
    this.#standAt(name, entry.bound)
  }

  refused(name: ChannelName): void {
    this.#noted(name, { refusals: (this.#slot(name).entry.refusals ?? 0) + 1 })
  }

  accepted(name: ChannelName, balance: TokenAmount): void {
    this.#heard.add(name)
    const { refusals, unseen, excused } = this.#slot(name).entry
    if (refusals === undefined && unseen === undefined && excused === undefined) return
    const left = unseenWhere({ unseen }, ({ before }) => before >= balance)
    this.#noted(name, { refusals: undefined, excused: undefined, unseen: left })
  }

  forgetUnseen(name: ChannelName, until: ContractBlock): void {
    this.#noted(name, {
      unseen: unseenWhere(this.#slot(name).entry, ({ block }) => block > until),
    })
  }

  excuse(name: ChannelName): Promise<void> {
    return this.#turns.take(() => this.#writeEntry(name, { excused: true }))
  }

  facts(): LedgerFacts | undefined {
    return this.#facts
  }

  async rememberFacts(facts: LedgerFacts): Promise<void> {
    await this.#turns.take(() => this.#storage.write({ facts }))
    this.#facts = facts
  }

  flush(beside?: object): Promise<void> {
    return this.#turns.take(async () => {
      if (beside !== undefined) this.#noteBook.set(besideKey, beside)
      if (this.#spool === undefined && beside === undefined) return
      const prices = new Map(this.#prices)
      this.#prices.clear()
      const isDirty = [...this.#slots.values()].some(({ dirty }) => dirty)
      if (prices.size > 0 || isDirty || this.#noteBook.hasChanges()) {
        await this.#write(this.#reserving.refilled(prices))
      } else await this.#storage.write({})
    })
  }

  beside(): unknown {
    return this.#noteBook.get(besideKey)
  }

  async close(): Promise<void> {
    try {
      await this.#writeExact()
    } finally {
      await this.#storage.close()
    }
  }

  /** So that nothing is hidden at the next start. */
  #writeExact(): Promise<void> {
    return this.#turns.take(async () => {
      const exact = new Map(
        [...this.#slots]
          .filter(([, { entry, position, dirty }]) => position.certain && (dirty || !entry.exact))
          .map(([name, slot]) => [name, writtenExactly(slot)]),
      )
      // The storage brings its spool to the card when it is closed.
      const write = this.#spool ?? this.#write
      if (exact.size > 0 || this.#noteBook.hasChanges()) await write(exact)
    })
  }

  #isFor(name: ChannelName, use: ChannelUse): boolean {
    return (this.transferred(name) === undefined) === (use === 'requests')
  }

  #note(write: LedgerWriter, key: string, value: object | undefined): Promise<void> {
    return this.#turns.take(() => {
      this.#noteBook.set(key, value)
      return write(new Map())
    })
  }

  /** What was intended has happened: its note goes in the very write that says so. */
  #fulfilling(intent: string | undefined, write: () => Promise<void>): Promise<void> {
    return this.#turns.take(async () => {
      const note = intent === undefined ? undefined : this.#noteBook.get(intent)
      if (intent !== undefined) this.#noteBook.set(intent, undefined)
      try {
        await write()
      } catch (error) {
        if (intent !== undefined) this.#noteBook.set(intent, note as object | undefined)
        throw error
      }
    })
  }

  /** On disk with the next write. */
  #noted(name: ChannelName, change: Partial<Pick<ChannelEntry, Noted>>): void {
    const slot = this.#slot(name)
    slot.entry = { ...slot.entry, ...change }
    slot.dirty = true
  }

  #slot(name: ChannelName): Slot {
    const slot = this.#slots.get(name)
    if (slot === undefined) throw new Error(`no channel ${name} in the ledger`)
    return slot
  }

  /** Doubtful intervals and probes are spent already. */
  #book(slot: Slot, { interval, source, job }: Taken, position: Position): void {
    slot.position = position
    slot.dirty = true
    if (source !== 'probe') slot.underWay = [...slot.underWay, interval]
    if (source === 'fresh' || source === 'credit') {
      const { receiver } = slot.entry
      this.#accounts.spend(scopesOf(receiver, job), intervalLength(interval))
      this.hours.spend(partyOf(receiver, job), intervalLength(interval))
    }
  }

  /** Moves the position, and what is counted as spent with it. */
  #standAt(name: ChannelName, balance: TokenAmount): void {
    const slot = this.#slot(name)
    const before = slot.position.signed - freeSum(slot.position)
    slot.position = standAt(slot.position, balance)
    slot.dirty = true
    const change = slot.position.signed - freeSum(slot.position) - before
    const { receiver } = slot.entry
    const scopes = scopesOf(receiver, undefined)
    const party = partyOf(receiver, unknownBuyer)
    if (change < 0n) {
      this.#accounts.refund(scopes, -change)
      this.hours.refund(party, -change)
    }
    // Nobody knows which job it was: it counts for each.
    if (change > 0n) {
      this.#accounts.spend([...scopes, ...this.#jobScopes()], change)
      this.hours.spend(party, change)
    }
  }

  /** Where the channel stands is kept before the signature leaves; without a spool the bound says enough. */
  async #keep(taken: Taken, price: TokenAmount): Promise<void> {
    const { channel, source } = taken
    const spool = this.#spool
    if (spool === undefined) return this.#refillInBackground(channel, price)
    if (source === 'probe') return
    this.#prices.set(channel, price)
    try {
      await this.#turns.take(() => spool(new Map()))
    } catch (error) {
      this.takeBack(taken)
      throw error
    }
  }

  #isOver(slot: Slot, { from, to }: Interval): void {
    slot.underWay = slot.underWay.filter((each) => each.from !== from || each.to !== to)
    const spool = this.#spool
    if (spool === undefined) return
    slot.dirty = true
    // Where that fails it is in doubt after a kill, as any payment that a kill cuts off.
    this.#turns.take(() => spool(new Map())).catch(() => undefined)
  }

  #jobScopes(): readonly BudgetScope[] {
    return Object.keys(this.#budget.jobs ?? {}).map((job): BudgetScope => `job/${job}`)
  }

  /** Refilled when half of a reservation is left; never less than one payment. */
  #lowWater(price: TokenAmount): TokenAmount {
    // A flush refills it; before, only what is needed wears the card.
    return this.#reservation === 1 || this.#spool !== undefined
      ? price
      : (price * BigInt(this.#reservation)) / 2n
  }

  #refillInBackground(name: ChannelName, price: TokenAmount): void {
    if (this.#reservation === 1) return
    const { entry, position } = this.#slot(name)
    if (!position.certain) return
    if (entry.bound - position.signed >= this.#lowWater(price)) return
    if (entry.bound + price > entry.deposit) return
    // If it fails, the payment that needs it sees the error.
    this.#turns.take(() => this.#reserving.reserve({ name, price })).catch(() => undefined)
  }

  async #writeEntry(
    name: ChannelName,
    change: ChainChange & Partial<Pick<ChannelEntry, 'bound' | 'exact' | 'excused'>>,
  ): Promise<void> {
    const entry = { ...written(this.#slot(name)), ...change }
    // Nothing is paid with it any more.
    const { commitment: _, ...over } = entry
    await this.#write(new Map([[name, entry.state === 'open' ? entry : over]]))
  }
}

function balanceOf({ position, entry: stored }: Slot, isHeard: boolean): ChannelBalance {
  const { commitment: _, ...entry } = stored
  const { signed, top, certain, doubtful } = position
  const balance = certain ? signed : entry.bound
  const free = certain ? position.free : []
  const inDoubt = doubtful.length > 0
  const mayBeOld = !isHeard && entry.excused !== true
  return { ...entry, signed, free, doubtful, top, certain, balance, inDoubt, mayBeOld }
}

/** Of those with room for `price` the one with the least. */
export function leastRoom(
  channels: readonly PayableChannel[],
  price: TokenAmount,
): ChannelName | undefined {
  let least: PayableChannel | undefined
  for (const each of channels) {
    if (rest(each) >= price && (least === undefined || rest(each) < rest(least))) least = each
  }
  return least?.name
}

/** Two contracts, one receiver, one block: nobody opens both but on purpose. */
function nameTaken(name: ChannelName): UraidenError {
  return agentError({
    code: 'channel_name_taken',
    message: `There is a channel ${name} on another contract already.`,
  })
}

function rest({ deposit, balance }: ChannelBalance): TokenAmount {
  return deposit - balance
}

function sum(amounts: readonly TokenAmount[]): TokenAmount {
  return amounts.reduce((a, b) => a + b, 0n)
}
