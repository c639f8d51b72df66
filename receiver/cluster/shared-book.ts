// The book of a process that shares its state: in memory as the database has it, a moment ago. It decides no payment.
// Whoever leads writes through it what the chain says, and that a channel is to be closed; what was paid is written by
// claims alone.
import { createTurns } from '../../platform/async/turns.ts'
import { smallest } from '../../protocol/index.ts'
import { type BookOptions, type BookStore, type ChannelBook, openBook } from '../channels/book.ts'
import type { SyncPosition } from '../channels/history.ts'
import { type ChannelName, channelName, type PaymentLedger } from '../channels/records.ts'
import type { LoadedState } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import {
  atOneMoment,
  type ChannelLimit,
  type Counting,
  dropFacts,
  readChangesBy,
  readFactsBy,
  readLimits,
  writeLimits,
  writeStep,
} from './chain-facts.ts'
import { nameColumns } from './channel-rows.ts'
import type { Term } from './election.ts'
import { type Moment, momentOf, readLedgers, readLedgersSince } from './stored-ledgers.ts'
import { readFence, writeFence } from './whole-state.ts'

export interface SharedBookOptions extends BookOptions {
  readonly database: Database
  /** Undefined while another process leads. */
  readonly term: () => Term | undefined
}

export interface SharedBook {
  readonly book: ChannelBook
  /** Takes what has changed in the database since the last time. */
  readonly refresh: () => Promise<void>
  /** After an election: everything as it is now, with what is needed to go back on the chain. */
  readonly takeOver: () => Promise<void>
  /** After a round of the leader: how much each channel may pay, where that is not written already. */
  readonly writeLimits: () => Promise<void>
}

interface Place {
  version: bigint
  position: SyncPosition | undefined
  moment: Moment
}

export async function openSharedBook(options: SharedBookOptions): Promise<SharedBook> {
  const { database, term, ...bookOptions } = options
  const place: Place = { version: 0n, position: undefined, moment: '0' }
  // What was read first is told first.
  const turns = createTurns()
  const write = <Value>(work: (sql: Sql) => Promise<Value>): Promise<Value> => {
    const current = term()
    if (current === undefined) throw notLeading()
    return current.write(work)
  }
  const steps = bookOptions.limits?.steps.length ?? 1
  const counting: Counting = steps > 1 ? 'step by step' : 'at once'
  const store = storeOn({ database, place, write, counting, refresh: () => refresh() })
  const book = await openBook(store, bookOptions)
  const refresh = () =>
    turns.take(() =>
      database.transaction(async (sql) => {
        const { version, position, channels } = await readChangesBy(sql, place.version)
        const { ledgers, moment } = await readLedgersSince(sql, place.moment)
        book.hear({ position, channels, ledgers })
        Object.assign(place, { version, position, moment })
      }, atOneMoment),
    )
  let written: ReadonlyMap<ChannelName, ChannelLimit> | undefined
  return {
    ...{ book, refresh },
    takeOver: () =>
      turns.take(async () => {
        await book.reload()
        written = undefined
      }),
    writeLimits: async () => {
      const known = written ?? (await readLimits(database))
      const wanted = limitsOf(book)
      const changed = new Map(
        [...wanted].filter(([name, limit]) => !isSame(limit, known.get(name))),
      )
      if (changed.size > 0) await write((sql) => writeLimits(sql, changed))
      written = wanted
    },
  }
}

function storeOn({
  database,
  place,
  write,
  counting,
  refresh,
}: {
  readonly database: Database
  readonly place: Place
  readonly write: <Value>(work: (sql: Sql) => Promise<Value>) => Promise<Value>
  readonly counting: Counting
  readonly refresh: () => Promise<void>
}): BookStore {
  return {
    load: () =>
      database.transaction(async (sql): Promise<LoadedState> => {
        const { version, ...facts } = await readFactsBy(sql)
        Object.assign(place, { version, position: facts.position, moment: await momentOf(sql) })
        return { ...facts, ledgers: await readLedgers(sql), fence: await readFence(sql) }
      }, atOneMoment),
    saveLedger: async (name, ledger) => {
      await write((sql) => mark(sql, name, ledger))
      // A payment may have come just before the mark; after it none does.
      await refresh()
    },
    // Of what a book only notes nothing is its own to write.
    saveLedgers: async () => undefined,
    saveFence: async (fence) => write((sql) => writeFence(sql, fence)),
    dropLedger: async () => {
      throw new Error('a ledger of a shared state goes with its channel')
    },
    saveStep: async (step) => {
      await write((sql) => writeStep(sql, step, { from: place.position, counting }))
      place.position = step.position
    },
    dropFacts: async (position) => {
      await write((sql) => dropFacts(sql, position, place.position))
      place.position = position
    },
  }
}

/** That we want to close it, or do not any more: all else that was paid is as the row has it. */
async function mark({ query }: Sql, name: ChannelName, ledger: PaymentLedger): Promise<void> {
  await query(
    `UPDATE ledger SET collecting = $3 FROM channel
       JOIN unnest($1::bytea[], $2::bigint[]) AS given (sender, open_block) USING (sender, open_block)
     WHERE ledger.id = channel.id`,
    [...nameColumns([name]), ledger.collecting === true],
  )
}

/** Of all channels that are open as far as it is confirmed. */
function limitsOf(book: ChannelBook): ReadonlyMap<ChannelName, ChannelLimit> {
  const limits = new Map<ChannelName, ChannelLimit>()
  for (const { sender, openBlock, deposit } of book.inState('open')) {
    limits.set(channelName(sender, openBlock), {
      ceiling: smallest(deposit, book.mostBalance(sender, openBlock)),
      closeSeen: book.get(sender, openBlock)?.state === 'closing',
      earlier: book.earlierDeposits(sender, openBlock),
    })
  }
  return limits
}

function isSame(a: ChannelLimit, b: ChannelLimit | undefined): boolean {
  return (
    b !== undefined &&
    a.ceiling === b.ceiling &&
    a.closeSeen === b.closeSeen &&
    a.earlier.join() === b.earlier.join()
  )
}

function notLeading() {
  return receiverError({
    code: 'not_the_leader',
    message: 'Another receiver follows the chain, not this one.',
  })
}
