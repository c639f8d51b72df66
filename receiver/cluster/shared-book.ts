// The book of a process that shares its state: in memory as the database has it, a moment ago. It decides no payment.
// Whoever leads writes through it what the chain says, and that a channel is to be closed; what was paid is written by
// claims alone.
import { createTurns } from '../../platform/async/turns.ts'
import { monotonic } from '../../platform/time/monotonic.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { type BookOptions, type BookStore, type ChannelBook, openBook } from '../channels/book.ts'
import type { SyncPosition } from '../channels/history.ts'
import type { ChannelName, PaymentLedger } from '../channels/records.ts'
import type { Fence, LoadedState } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import {
  atOneMoment,
  dropFacts,
  type KnownDue,
  readChangesBy,
  readFactsBy,
  writeStep,
} from './chain-facts.ts'
import { nameColumns } from './channel-rows.ts'
import type { Term } from './election.ts'
import {
  type Moment,
  momentOf,
  readLedgers,
  readLedgersOf,
  readLedgersSince,
} from './stored-ledgers.ts'
import { readFence, writeFence } from './whole-state.ts'
import { createWrittenLimits, type WrittenLimits } from './written-limits.ts'

export interface SharedBookOptions extends BookOptions {
  readonly database: Database
  /** Undefined while another process leads. */
  readonly term: () => Term | undefined
}

export interface SharedBook {
  readonly book: ChannelBook
  /** As it was when something was read last. */
  readonly fence: () => Fence | undefined
  /** Takes what has changed in the database since the last time; what the chain says a leader knows itself. */
  readonly refresh: () => Promise<void>
  /** After an election: everything as it is now, with what is needed to go back on the chain. */
  readonly takeOver: () => Promise<void>
  /** Before the leader looks at the chain: the same where nobody knows whether its last step was written. */
  readonly makeSure: () => Promise<void>
  /** What all channels owed when they were read last by who leads. */
  readonly due: () => (KnownDue & { readonly asked: number }) | undefined
  /** The database is another one, which may have gone back: everything is read anew next time. */
  readonly startOver: () => void
  /** After a round of the leader: how much each channel may pay, where that is not written already. */
  readonly writeLimits: () => Promise<void>
}

interface Place {
  version: bigint
  position: SyncPosition | undefined
  moment: Moment
  fence: Fence | undefined
  /** What is in the book cannot be gone on from by changes, such as what this process has found on the chain itself. */
  led: boolean
  /** A step may have been written, and is not in the book: no other one could be written after it. */
  isUnsure: boolean
  due: ReturnType<SharedBook['due']>
}

export async function openSharedBook(options: SharedBookOptions): Promise<SharedBook> {
  const { database, term, ...bookOptions } = options
  const place: Place = {
    ...{ version: 0n, position: undefined, moment: '0', fence: undefined },
    ...{ led: false, isUnsure: false, due: undefined },
  }
  // What was read first is told first.
  const turns = createTurns()
  const write = <Value>(work: (sql: Sql) => Promise<Value>): Promise<Value> => {
    const current = term()
    if (current === undefined) throw notLeading()
    return current.write(work)
  }
  const refresh = () => turns.take(() => takeNews({ database, book, place, leads: isLeading() }))
  const isLeading = () => term() !== undefined
  const limits = createWrittenLimits({ database, book: () => book, write })
  const hear = (name: ChannelName) => turns.take(() => takeLedger({ database, book, name }))
  const store = storeOn({ database, place, write, hear, limits })
  const book = await openBook(store, bookOptions)
  const takeOver = () =>
    turns.take(async () => {
      await book.reload()
      Object.assign(place, { led: true, isUnsure: false })
      limits.forget()
    })
  return {
    ...{ book, refresh },
    fence: () => place.fence,
    due: () => place.due,
    takeOver,
    makeSure: async () => {
      if (place.isUnsure) await takeOver()
    },
    startOver: () => {
      place.led = true
      limits.forget()
    },
    writeLimits: limits.write,
  }
}

interface News {
  readonly database: Database
  readonly book: ChannelBook
  readonly place: Place
  readonly leads: boolean
}

async function takeNews({ database, book, place, leads }: News): Promise<void> {
  if (place.led && !leads) {
    await book.reload()
    place.led = false
    return
  }
  const asked = monotonic()
  await database.transaction(async (sql) => {
    const changes = leads ? undefined : await readChangesBy(sql, place.version)
    const { ledgers, moment } = await readLedgersSince(sql, place.moment)
    const { position, channels } = changes ?? { position: place.position, channels: new Map() }
    book.hear({ position, channels, ledgers })
    Object.assign(place, { position, moment, fence: await readFence(sql) })
    if (changes !== undefined) place.version = changes.version
    place.due = leads ? { sum: book.unsettled(), at: await beginOf(sql), asked } : undefined
  }, atOneMoment)
}

/** Nothing that the transaction does not see was written before. */
async function beginOf({ query }: Sql): Promise<string> {
  const [row] = await query<{ begun: string }>('SELECT now()::text AS begun')
  return row?.begun ?? ''
}

/** What was paid on one channel, as it is now. */
async function takeLedger({
  database,
  book,
  name,
}: Pick<News, 'database' | 'book'> & { readonly name: ChannelName }): Promise<void> {
  const ledgers = await readLedgersOf(database, [name])
  book.hear({ position: book.position(), channels: new Map(), ledgers })
}

function storeOn({
  database,
  place,
  write,
  hear,
  limits,
}: {
  readonly database: Database
  readonly place: Place
  readonly write: <Value>(work: (sql: Sql) => Promise<Value>) => Promise<Value>
  readonly hear: (name: ChannelName) => Promise<void>
  readonly limits: WrittenLimits
}): BookStore {
  return {
    load: () =>
      database.transaction(async (sql): Promise<LoadedState> => {
        const { version, ...facts } = await readFactsBy(sql)
        const fence = await readFence(sql)
        const moment = await momentOf(sql)
        Object.assign(place, { version, position: facts.position, moment, fence })
        return { ...facts, ledgers: await readLedgers(sql), fence }
      }, atOneMoment),
    saveLedger: async (name, ledger) => {
      await write((sql) => mark(sql, name, ledger))
      // A payment may have come just before the mark; after it none does.
      await hear(name)
    },
    // Of what a book only notes nothing is its own to write.
    saveLedgers: async () => undefined,
    saveFence: async (fence) => {
      await write((sql) => writeFence(sql, fence))
      place.fence = fence
    },
    dropLedger: async () => {
      throw new Error('a ledger of a shared state goes with its channel')
    },
    saveStep: async (step) => {
      limits.lowered(step.facts.keys())
      await moving(place, write, (sql) => writeStep(sql, step, place.position))
      Object.assign(place, { position: step.position, led: true })
    },
    dropFacts: async (position) => {
      await moving(place, write, (sql) => dropFacts(sql, position, place.position))
      Object.assign(place, { position, led: true })
      limits.forget()
    },
  }
}

/** A step whose answer was lost is found by the next one, too: the chain was read on from where the book stands. */
async function moving(
  place: Place,
  write: Term['write'],
  work: (sql: Sql) => Promise<void>,
): Promise<void> {
  const isUnsureAfter = (code: string) => (error: unknown) => {
    if (isUraidenError(error, code)) place.isUnsure = true
    throw error
  }
  const step = (sql: Sql) => work(sql).catch(isUnsureAfter('not_the_leader'))
  await write(step).catch(isUnsureAfter('postgres_commit_unknown'))
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

function notLeading() {
  return receiverError({
    code: 'not_the_leader',
    message: 'Another receiver follows the chain, not this one.',
  })
}
