// Where the ledger's records lie: LevelDB, or in tests something that fails when it should.
import { openSpooledState, type SpooledState } from '../../platform/state/spool.ts'
import {
  formatKey,
  keysUnder,
  littleMemory,
  openState,
  readOwner,
  readState,
  type StateOperation,
  type StateOwner,
  withMark,
  withoutMark,
} from '../../platform/state/state.ts'
import type { ProvenClock } from '../../platform/time/clock.ts'
import { type Address, parseUint192, type TokenUnit } from '../../protocol/index.ts'
import type { Spending } from '../budget/accounts.ts'
import type { BudgetScope } from '../budget/caps.ts'
import type { NoteChanges } from './notes.ts'
import type { Position } from './position.ts'
import {
  type ChannelEntry,
  type ChannelName,
  channelName,
  decodeEntry,
  decodePosition,
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
  /** Where channels stand exactly, of a process that was killed and had a spool. */
  readonly positions?: ReadonlyMap<ChannelName, Position>
}

/** Records that become durable together or not at all. */
export interface LedgerWrite {
  readonly channels?: ReadonlyMap<ChannelName, ChannelEntry>
  readonly spent?: ReadonlyMap<BudgetScope, Spending>
  readonly clock?: ProvenClock
  readonly facts?: LedgerFacts
  readonly notes?: NoteChanges
  /** For a spool alone: an older one on the card would be below what is signed after it. */
  readonly positions?: ReadonlyMap<ChannelName, Position>
}

export interface LedgerStorage {
  /** That of the channels which name none. */
  readonly contract?: Address
  readonly load: () => Promise<StoredLedger>
  /** Resolves when everything is durable. */
  readonly write: (write: LedgerWrite) => Promise<void>
  /**
   * Resolves when a killed process would not lose it; a power cut may take it back. Undefined where everything
   * goes to the card.
   */
  readonly spool?: ((write: LedgerWrite) => Promise<void>) | undefined
  readonly close: () => Promise<void>
}

const channelPrefix = 'channel/'
const spentPrefix = 'spent/'
const clockKey = 'clock'
const factsKey = 'facts'
const notePrefix = 'note/'
const positionPrefix = 'position/'

export interface LedgerPlace {
  readonly folder: string
  readonly owner: StateOwner
  /** The file in memory that spares the card; undefined without one. */
  readonly spool?: string | undefined
}

/** @throws UraidenError those of `openState` */
export async function openStorage({ folder, owner, spool }: LedgerPlace): Promise<LedgerStorage> {
  const options = {
    ...({ folder, owner, program: 'agent', format: 2, marks: [ticksMark] } as const),
    memory: littleMemory,
  }
  if (spool !== undefined) {
    const state = await openSpooledState({ ...options, spool, fleeting: positionPrefix })
    const marked = await readState(folder, () => marker(state))
    return {
      contract: state.owner.contract,
      load: () => readState(folder, () => load(state)),
      write: (write) => marked(write, (batch) => state.write(batch)),
      spool: (write) => marked(write, (batch) => state.spool(batch)),
      close: () => state.close(),
    }
  }
  const db = await openState(options)
  const { contract } = (await readOwner(db)) ?? owner
  const records = (prefix: string) => db.iterator(keysUnder(prefix))
  const getMany = (keys: readonly string[]) => db.getMany([...keys])
  const marked = await readState(folder, () => marker({ records, getMany }))
  return {
    contract,
    load: () => readState(folder, () => load({ records, getMany })),
    write: (write) => marked(write, (batch) => db.batch([...batch], { sync: true })),
    close: () => db.close(),
  }
}

/** Of state that holds commitments to ticks: a program that knows none would lose what proves payments. */
const ticksMark = 'ticks'

/**
 * Writes the operations of a write, with the mark before the first commitment is there. The state is read now: while
 * a disk fails it may be closed.
 */
async function marker(state: Pick<SpooledState, 'records' | 'getMany'>) {
  let holds = await holdsCommitments(state)
  let format = (await state.getMany([formatKey]))[0]
  return async (
    write: LedgerWrite,
    put: (batch: readonly StateOperation[]) => Promise<void>,
  ): Promise<void> => {
    const written = [...(write.channels?.values() ?? [])]
    holds ||= written.some(({ commitment }) => commitment !== undefined)
    const wanted = (holds ? withMark : withoutMark)(format, ticksMark)
    const mark = { type: 'put' as const, key: formatKey, value: wanted }
    await put(wanted === format ? operations(write) : [...operations(write), mark])
    // Where the write fails, the next one says it again.
    format = wanted
  }
}

async function holdsCommitments(state: Pick<SpooledState, 'records'>): Promise<boolean> {
  for await (const [, text] of state.records(channelPrefix)) {
    if (decodeEntry(text).commitment !== undefined) return true
  }
  return false
}

async function load(state: Pick<SpooledState, 'records' | 'getMany'>): Promise<StoredLedger> {
  const channels = new Map<ChannelName, ChannelEntry>()
  for await (const [, text] of state.records(channelPrefix)) {
    const entry = decodeEntry(text)
    channels.set(channelName(entry.receiver, entry.openBlock), entry)
  }
  const spent = new Map<BudgetScope, Spending>()
  for await (const [key, text] of state.records(spentPrefix)) {
    spent.set(key.slice(spentPrefix.length) as BudgetScope, decodeSpending(text))
  }
  const notes = new Map<string, string>()
  for await (const [key, text] of state.records(notePrefix)) {
    notes.set(key.slice(notePrefix.length), text)
  }
  const positions = new Map<ChannelName, Position>()
  for await (const [key, text] of state.records(positionPrefix)) {
    positions.set(key.slice(positionPrefix.length) as ChannelName, decodePosition(text))
  }
  const [clock, facts] = await state.getMany([clockKey, factsKey])
  return {
    channels,
    spent,
    clock: clock === undefined ? undefined : JSON.parse(clock),
    facts: facts === undefined ? undefined : JSON.parse(facts),
    notes,
    positions,
  }
}

function operations({ channels, spent, clock, facts, notes, positions }: LedgerWrite) {
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
    ...[...(positions ?? [])].map(([name, each]) => put(`${positionPrefix}${name}`, each)),
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
