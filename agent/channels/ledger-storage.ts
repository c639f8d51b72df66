// Where the ledger's records lie: LevelDB, or in tests something that fails when it should.
import {
  keysUnder,
  openState,
  readOwner,
  readState,
  type StateDatabase,
  type StateOwner,
} from '../../platform/state/state.ts'
import type { ProvenClock } from '../../platform/time/clock.ts'
import { type Address, parseUint192, type TokenUnit } from '../../protocol/index.ts'
import type { Spending } from '../budget/accounts.ts'
import type { BudgetScope } from '../budget/caps.ts'
import type { NoteChanges } from './notes.ts'
import {
  type ChannelEntry,
  type ChannelName,
  channelName,
  decodeEntry,
  encodeRecord,
} from './records.ts'

/** What the chain said about contract and token: kept, so that paying goes on while it is away. */
export interface LedgerFacts {
  readonly token: TokenUnit & { readonly address: Address }
  readonly contractVersion: string
}

export interface StoredLedger {
  readonly channels: ReadonlyMap<ChannelName, ChannelEntry>
  readonly spent: ReadonlyMap<BudgetScope, Spending>
  readonly clock: ProvenClock | undefined
  readonly facts: LedgerFacts | undefined
  readonly notes: ReadonlyMap<string, string>
}

/** Records that become durable together or not at all. */
export interface LedgerWrite {
  readonly channels?: ReadonlyMap<ChannelName, ChannelEntry>
  readonly spent?: ReadonlyMap<BudgetScope, Spending>
  readonly clock?: ProvenClock
  readonly facts?: LedgerFacts
  readonly notes?: NoteChanges
}

export interface LedgerStorage {
  /** That of the channels which name none. */
  readonly contract?: Address
  readonly load: () => Promise<StoredLedger>
  /** Resolves when everything is durable. */
  readonly write: (write: LedgerWrite) => Promise<void>
  readonly close: () => Promise<void>
}

const channelPrefix = 'channel/'
const spentPrefix = 'spent/'
const clockKey = 'clock'
const factsKey = 'facts'
const notePrefix = 'note/'

/** @throws UraidenError those of `openState` */
export async function openStorage(folder: string, owner: StateOwner): Promise<LedgerStorage> {
  const db = await openState({ folder, owner, program: 'agent', format: 2 })
  const { contract } = (await readOwner(db)) ?? owner
  return {
    contract,
    load: () => readState(folder, () => load(db)),
    write: (write) => db.batch(operations(write), { sync: true }),
    close: () => db.close(),
  }
}

async function load(db: StateDatabase): Promise<StoredLedger> {
  const channels = new Map<ChannelName, ChannelEntry>()
  for await (const text of db.values(keysUnder(channelPrefix))) {
    const entry = decodeEntry(text)
    channels.set(channelName(entry.receiver, entry.openBlock), entry)
  }
  const spent = new Map<BudgetScope, Spending>()
  for await (const [key, text] of db.iterator(keysUnder(spentPrefix))) {
    spent.set(key.slice(spentPrefix.length) as BudgetScope, decodeSpending(text))
  }
  const notes = new Map<string, string>()
  for await (const [key, text] of db.iterator(keysUnder(notePrefix))) {
    notes.set(key.slice(notePrefix.length), text)
  }
  const [clock, facts] = await db.getMany([clockKey, factsKey])
  return {
    channels,
    spent,
    clock: clock === undefined ? undefined : JSON.parse(clock),
    facts: facts === undefined ? undefined : JSON.parse(facts),
    notes,
  }
}

function operations({ channels, spent, clock, facts, notes }: LedgerWrite) {
  const put = (key: string, record: object) => ({
    type: 'put' as const,
    key,
    value: encodeRecord(record),
  })
  return [
    ...[...(channels ?? [])].map(([name, entry]) => put(`${channelPrefix}${name}`, entry)),
    ...[...(spent ?? [])].map(([scope, each]) => put(`${spentPrefix}${scope}`, each)),
    ...(clock === undefined ? [] : [put(clockKey, clock)]),
    ...(facts === undefined ? [] : [put(factsKey, facts)]),
    ...[...(notes ?? [])].map(([name, value]) => {
      const key = `${notePrefix}${name}`
      return value === undefined
        ? { type: 'del' as const, key }
        : { type: 'put' as const, key, value }
    }),
  ]
}

function decodeSpending(text: string): Spending {
  const { total, month, day, lastDay, slots } = JSON.parse(text)
  return {
    total: parseUint192(total),
    month: { key: String(month.key), amount: parseUint192(month.amount) },
    day: { key: String(day.key), amount: parseUint192(day.amount) },
    ...(lastDay !== undefined && { lastDay: parseUint192(lastDay) }),
    slots: slots.map((slot: { readonly from: number; readonly amount: string }) => ({
      from: slot.from,
      amount: parseUint192(slot.amount),
    })),
  }
}
