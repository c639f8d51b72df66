// How much each channel may pay, as the leader has it written for all. Most may pay their deposit, and stay as they are:
// a round looks only at those that something happened to of late, however many channels there are.
import { smallest } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { ChannelName } from '../channels/records.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import { type ChannelLimit, readLimits, writeLimits } from './chain-facts.ts'

export interface WrittenLimits {
  /** A step changes these: what they may owe is lower, and their limit is to be written. */
  readonly lowered: (names: Iterable<ChannelName>) => void
  /** Others may have written since. */
  readonly forget: () => void
  /** Writes what is not written already. */
  readonly write: () => Promise<void>
}

export interface WrittenLimitsOptions {
  readonly database: Database
  readonly book: () => LimitBook
  /** Does the work in a transaction of the leader. */
  readonly write: (work: (sql: Sql) => Promise<void>) => Promise<void>
}

type LimitBook = Pick<ChannelBook, 'get' | 'facts' | 'recent' | 'mostBalance' | 'earlierDeposits'>

type Limits = ReadonlyMap<ChannelName, ChannelLimit>

/** In one transaction. */
const atOnce = 10_000

export function createWrittenLimits({
  database,
  book,
  write,
}: WrittenLimitsOptions): WrittenLimits {
  /** As they are in the database, where it is not just the deposit; undefined: not known. */
  let unusual: Limits | undefined
  let lowered = new Set<ChannelName>()

  async function writeAll(unwritten: ReadonlySet<ChannelName>): Promise<void> {
    const known = unusual ?? (await readLimits(database))
    const names = new Set([...known.keys(), ...unwritten, ...book().recent()])
    const wanted = limitsOf(book(), names)
    const changed = [...wanted].filter(([name, limit]) => {
      const before = known.get(name)
      if (unwritten.has(name)) return true
      return before === undefined ? !isUsual(book(), name, limit) : !isSame(limit, before)
    })
    for (let from = 0; from < changed.length; from += atOnce) {
      const some = new Map(changed.slice(from, from + atOnce))
      await write((sql) => writeLimits(sql, some)).catch((error) => {
        // It may be written all the same: what was known of these is not so any more.
        for (const name of some.keys()) lowered.add(name)
        throw error
      })
    }
    unusual = new Map([...wanted].filter(([name, limit]) => !isUsual(book(), name, limit)))
  }

  return {
    lowered: (names) => {
      for (const name of names) lowered.add(name)
    },
    forget: () => {
      unusual = undefined
    },
    write: async () => {
      const unwritten = lowered
      lowered = new Set()
      try {
        await writeAll(unwritten)
      } catch (error) {
        for (const name of unwritten) lowered.add(name)
        throw error
      }
    },
  }
}

/** Of those that are open as far as it is confirmed. */
function limitsOf(book: LimitBook, names: Iterable<ChannelName>): Map<ChannelName, ChannelLimit> {
  const limits = new Map<ChannelName, ChannelLimit>()
  for (const name of names) {
    const facts = book.facts(name)
    if (facts?.state !== 'open') continue
    const { sender, openBlock, deposit } = facts
    limits.set(name, {
      ceiling: smallest(deposit, book.mostBalance(sender, openBlock)),
      closeSeen: book.get(sender, openBlock)?.state === 'closing',
      earlier: book.earlierDeposits(sender, openBlock),
    })
  }
  return limits
}

/** It may pay its deposit. */
function isUsual(
  book: LimitBook,
  name: ChannelName,
  { ceiling, closeSeen, earlier }: ChannelLimit,
): boolean {
  return ceiling === book.facts(name)?.deposit && !closeSeen && earlier.length === 0
}

function isSame(a: ChannelLimit, b: ChannelLimit): boolean {
  return (
    a.ceiling === b.ceiling && a.closeSeen === b.closeSeen && a.earlier.join() === b.earlier.join()
  )
}
