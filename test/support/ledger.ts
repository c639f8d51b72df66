// Ledgers for tests: on a clock that the test sets, and on a disk that fails when the test says so.
import type { Budget } from '../../agent/budget/caps.ts'
import { createLedger } from '../../agent/channels/ledger.ts'
import type {
  LedgerStorage,
  LedgerWrite,
  StoredLedger,
} from '../../agent/channels/ledger-storage.ts'
import type { Ledger, Purchase } from '../../agent/channels/ledger-types.ts'
import { type ChannelEntry, channelName } from '../../agent/channels/records.ts'
import type { ClockReading } from '../../platform/time/clock.ts'
import { addressOfKey, fromHex } from '../../protocol/index.ts'

const account = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
export const owner = { chainId: 31337n, contract, account }
export const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
export const otherReceiver = addressOfKey(fromHex(`0x${'44'.repeat(32)}`))
export const channel = channelName(receiver, 7)
export const otherChannel = channelName(otherReceiver, 7)

export function newChannel(deposit: bigint, to = receiver): ChannelEntry {
  return {
    receiver: to,
    openBlock: 7,
    deposit,
    bound: 0n,
    signed: 0n,
    exact: true,
    free: [],
    state: 'open',
    openTransaction: '0x00',
  }
}

export function buy(price: bigint, job?: string): Purchase {
  return { price, receiverKnows: 'intervals', ...(job !== undefined && { job }) }
}

/** Noon of a Saturday, synchronised, an hour after the machine started. */
export const noon: ClockReading = {
  wall: Date.UTC(2026, 10, 21, 12),
  uptime: 3_600_000,
  boot: 'first',
  synchronised: true,
}

/** A clock that stands still until it is moved. */
export function testClock() {
  let reading = noon
  return {
    read: () => reading,
    set: (change: Partial<ClockReading>) => {
      reading = { ...reading, ...change }
    },
    /** Time passes: on the wall as well as since the start. */
    pass: (milliseconds: number) => {
      const { wall, uptime } = reading
      reading = { ...reading, wall: wall + milliseconds, uptime: uptime + milliseconds }
    },
  }
}

export interface TestDisk extends LedgerStorage {
  /** The next write fails: before it reaches the disk, or after it did. */
  readonly failNext: (when: 'before' | 'after') => void
  readonly writes: () => number
  /** What a power cut leaves. */
  readonly card: () => StoredLedger
  /** Takes what is in the spool. */
  readonly cutPower: () => void
  /** The same disk for the next process: what this one writes from now on is written by nobody. */
  readonly killed: () => TestDisk
}

const nothing: StoredLedger = {
  channels: new Map(),
  spent: new Map(),
  clock: undefined,
  facts: undefined,
  notes: new Map(),
  positions: new Map(),
}

function merged(stored: StoredLedger, write: LedgerWrite): StoredLedger {
  const { channels, spent, clock, facts, notes = new Map(), positions } = write
  const kept = [...stored.notes, ...notes].filter(([key]) => !notes.has(key) || notes.get(key))
  return {
    channels: new Map([...stored.channels, ...(channels ?? [])]),
    spent: new Map([...stored.spent, ...(spent ?? [])]),
    clock: clock ?? stored.clock,
    facts: facts ?? stored.facts,
    notes: new Map(kept.map(([key, text]) => [key, text ?? ''])),
    positions: new Map([...(stored.positions ?? []), ...(positions ?? [])]),
  }
}

/** Keeps what was written over any number of ledgers; `gentle` has a spool. */
export function testDisk(kind: 'careful' | 'gentle' = 'careful'): TestDisk {
  let card = nothing
  /** As a process sees it: with the spool. */
  let all = nothing
  let fails: 'before' | 'after' | undefined
  let writes = 0
  let living = 0
  const keep = async (
    write: LedgerWrite,
    place: 'card' | 'spool',
    process: number,
  ): Promise<void> => {
    if (process !== living) return new Promise(() => undefined)
    const failing = fails
    fails = undefined
    if (failing === 'before') throw new Error('the disk is full')
    all = merged(all, write)
    if (place === 'card') {
      writes++
      card = { ...all, positions: new Map() }
    }
    if (failing === 'after') throw new Error('the disk has gone')
  }
  const openIn = (process: number): TestDisk => ({
    load: async () => all,
    write: (write) => keep(write, 'card', process),
    ...(kind === 'gentle' && { spool: (write: LedgerWrite) => keep(write, 'spool', process) }),
    close: async () => {
      card = { ...all, positions: new Map() }
      all = card
    },
    failNext: (when) => {
      fails = when
    },
    writes: () => writes,
    card: () => card,
    cutPower: () => {
      all = card
    },
    killed: () => openIn(++living),
  })
  return openIn(living)
}

export interface LedgerCase {
  readonly disk?: LedgerStorage
  readonly clock?: () => ClockReading
  readonly budget?: Budget
  readonly reservation?: number
  readonly timeZone?: string
}

export function ledgerOn(given: LedgerCase = {}): Promise<Ledger> {
  const { disk = testDisk(), clock = () => noon, budget = {}, reservation = 4, timeZone } = given
  return createLedger({
    storage: disk,
    readClock: clock,
    budget,
    reservation,
    ...(timeZone !== undefined && { timeZone }),
  })
}
