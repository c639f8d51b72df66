// The agent's books: which channels it has, and how much of each it may have signed away.
//
// For each channel an upper bound is on disk before any signature over a balance up to it is made, and
// the bound, not the balance, counts against the budget. One synced write covers many payments; a
// power cut costs at most what was reserved and not yet signed, and only until the receiver shows our
// own last signature.
import {
  keysUnder,
  openState,
  type StateDatabase,
  type StateOwner,
} from '../../platform/state/state.ts'
import type { Address, TokenAmount, TokenUnit } from '../../protocol/index.ts'
import {
  type ChannelEntry,
  type ChannelName,
  channelName,
  decodeEntry,
  encodeEntry,
} from './records.ts'
import { nextBound } from './reservation.ts'

/** A channel and what of it was signed. */
export interface ChannelBalance extends ChannelEntry {
  /** Signed so far. Where `certain` is false: at most this, a crash hid the true one. */
  readonly balance: TokenAmount
  readonly certain: boolean
}

/** How much more may be reserved in all, given what is; undefined when there is no limit. */
export type BudgetRoom = (reserved: TokenAmount) => TokenAmount | undefined

export interface Ledger {
  readonly channels: (receiver?: Address) => readonly ChannelBalance[]
  readonly get: (name: ChannelName) => ChannelBalance
  /** The sum of all bounds, of closed channels too: what the budget counts. */
  readonly reserved: () => TokenAmount
  readonly add: (entry: ChannelEntry) => Promise<void>
  /** Changes what the chain says about a channel. */
  readonly update: (
    name: ChannelName,
    change: Partial<Pick<ChannelEntry, 'deposit' | 'state'>>,
  ) => Promise<void>
  /**
   * Takes the next balance of a channel: durable before it resolves, and never given twice. Undefined
   * when deposit or budget have no room for the price.
   */
  readonly take: (
    name: ChannelName,
    price: TokenAmount,
    room: BudgetRoom,
  ) => Promise<TokenAmount | undefined>
  /** The receiver has shown our own signature over `balance`: that is where the channel stands. */
  readonly correct: (name: ChannelName, balance: TokenAmount) => Promise<void>
  /** Of the payment that made `balance`, `amount` was not charged and pays for the next request. */
  readonly giveBack: (name: ChannelName, balance: TokenAmount, amount: TokenAmount) => void
  /** What the chain said about contract and token; it never changes. */
  readonly facts: () => Promise<LedgerFacts | undefined>
  readonly rememberFacts: (facts: LedgerFacts) => Promise<void>
  /** Writes the exact balances, so that a clean stop reserves nothing. */
  readonly close: () => Promise<void>
}

/** Kept so that paying goes on, also after a restart, while the chain is away. */
export interface LedgerFacts {
  readonly token: TokenUnit
  readonly contractVersion: string
}

const channelPrefix = 'channel/'
const factsKey = 'facts'

export interface LedgerOptions {
  readonly folder: string
  readonly owner: StateOwner
  /** How many payments one synced write reserves. 1 syncs for each. */
  readonly reservation: number
}

/** @throws UraidenError those of `openState` */
export async function openLedger({ folder, owner, reservation }: LedgerOptions): Promise<Ledger> {
  const db = await openState({ folder, owner, program: 'agent', format: 1 })
  const entries = await loadEntries(db)
  const balances = new Map<ChannelName, { balance: TokenAmount; certain: boolean }>(
    [...entries].map(([name, { bound, exact }]) => [name, { balance: bound, certain: exact }]),
  )
  // One write after the other, so that two never spend the same room of the budget.
  let last: Promise<unknown> = Promise.resolve()

  const inOrder = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
  const entryOf = (name: ChannelName): ChannelEntry => known(entries, name)
  const balanceOf = (name: ChannelName) => known(balances, name)
  const view = (name: ChannelName): ChannelBalance => ({ ...entryOf(name), ...balanceOf(name) })
  const reserved = () => [...entries.values()].reduce((sum, { bound }) => sum + bound, 0n)

  async function write(name: ChannelName, entry: ChannelEntry): Promise<void> {
    await db.put(`${channelPrefix}${name}`, encodeEntry(entry), { sync: true })
    entries.set(name, entry)
  }

  /** Raises the bound so that `payments` more fit, or as many as deposit and budget allow. */
  function reserve(name: ChannelName, price: TokenAmount, room: BudgetRoom): Promise<void> {
    return inOrder(async () => {
      const entry = entryOf(name)
      const { balance } = balanceOf(name)
      const bound = nextBound({ ...entry, balance, price, reservation, room: room(reserved()) })
      if (bound > entry.bound) await write(name, { ...entry, bound, exact: false })
    })
  }

  return {
    channels: (receiver) =>
      [...entries]
        .filter(([, entry]) => receiver === undefined || entry.receiver === receiver)
        .map(([name]) => view(name)),
    get: view,
    reserved,
    add: (entry) =>
      inOrder(async () => {
        const name = channelName(entry.receiver, entry.openBlock)
        await write(name, entry)
        balances.set(name, { balance: entry.bound, certain: entry.exact })
      }),
    update: (name, change) => inOrder(() => write(name, { ...entryOf(name), ...change })),
    take: async (name, price, room) => {
      const slot = balanceOf(name)
      if (slot.balance + price > entryOf(name).bound) await reserve(name, price, room)
      const { bound } = entryOf(name)
      if (slot.balance + price > bound) return undefined
      slot.balance += price
      if (reservation > 1 && bound - slot.balance < (price * BigInt(reservation)) / 2n) {
        // In the background; if it fails, the payment that needs it sees the error.
        reserve(name, price, room).catch(() => undefined)
      }
      return slot.balance
    },
    correct: (name, balance) =>
      inOrder(async () => {
        const entry = entryOf(name)
        // Only an older copy of this store can be below our own signature.
        if (balance > entry.bound) await write(name, { ...entry, bound: balance, exact: false })
        Object.assign(balanceOf(name), { balance, certain: true })
      }),
    giveBack: (name, balance, amount) => {
      const slot = balanceOf(name)
      // Below a later balance it stays the sender's credit at the receiver, but cannot be signed for.
      if (slot.balance === balance) slot.balance -= amount
    },
    facts: async () => {
      const text = await db.get(factsKey)
      return text === undefined ? undefined : JSON.parse(text)
    },
    rememberFacts: (facts) => db.put(factsKey, JSON.stringify(facts), { sync: true }),
    close: async () => {
      await inOrder(async () => {
        for (const [name, entry] of entries) {
          const { balance, certain } = balanceOf(name)
          if (certain && !entry.exact) await write(name, { ...entry, bound: balance, exact: true })
        }
      })
      await db.close()
    },
  }
}

async function loadEntries(db: StateDatabase): Promise<Map<ChannelName, ChannelEntry>> {
  const entries = new Map<ChannelName, ChannelEntry>()
  for await (const text of db.values(keysUnder(channelPrefix))) {
    const entry = decodeEntry(text)
    entries.set(channelName(entry.receiver, entry.openBlock), entry)
  }
  return entries
}

function known<Value>(map: ReadonlyMap<ChannelName, Value>, name: ChannelName): Value {
  const value = map.get(name)
  if (value === undefined) throw new Error(`no channel ${name} in the ledger`)
  return value
}
