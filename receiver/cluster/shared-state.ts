// The state of a receiver that shares it with others, in a PostgreSQL: one of its processes, ready to serve.
import { mkdir } from 'node:fs/promises'
import { maxTokenAmount, type TokenAmount, type UraidenError } from '../../protocol/index.ts'
import type {
  Errands,
  ReceiverState,
  SeenElsewhere,
  Sharing,
  StateOptions,
} from '../channels/state.ts'
import { receiverError } from '../errors/index.ts'
import type { Database, Sql } from '../postgres/connection.ts'
import { createPatience, type Patience } from '../postgres/patience.ts'
import { openDatabase } from '../postgres/schema.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import { noteRound } from './chain-facts.ts'
import type { Cluster } from './cluster.ts'
import type { Term } from './election.ts'
import { askLeader, serveErrands } from './errands.ts'
import { createOutageShare, type OutageShare } from './outage-share.ts'
import { type PutBack, restoring } from './promotion.ts'
import type { Rounds } from './rounds.ts'
import { type ServingOptions, serveShared } from './serving.ts'
import { openSharedBook, type SharedBook } from './shared-book.ts'
import { createSharedJournal } from './shared-journal.ts'
import { sharedAllowances, sharedFirstBlock, sharedGasPrices } from './shared-records.ts'
import { sharedReplies } from './shared-requests.ts'
import { readLedgers } from './stored-ledgers.ts'

export interface SharedStateOptions extends StateOptions {
  readonly settings: PostgresSettings
  /** Milliseconds since the leader's last good look at the chain after which nobody pays. */
  readonly longestOutage: number
  /** What all channels may owe in such an outage. */
  readonly mostInAll: TokenAmount
  /** Milliseconds between two looks of the leader. */
  readonly pollInterval: number
  readonly log?: {
    readonly info: (facts: object, message: string) => void
    readonly warn: (facts: object, message: string) => void
  }
}

/** @throws UraidenError those of `openDatabase` and `joinCluster` */
export async function openSharedState(options: SharedStateOptions): Promise<ReceiverState> {
  const { settings, owner, folder, started, log } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const patience = createPatience({
    onWait: (err) => log?.warn({ err }, 'waiting for the database'),
  })
  const database = await openDatabase(settings, owner, { patience })
  started(database.close)
  const taken: Taken = { term: undefined, elected: () => undefined, begin: [], errands: {} }
  const term = () => (taken.term?.over.aborted === false ? taken.term : undefined)
  const { limits, keepSettled, mostInAll } = options
  const shared = await patience.through(() =>
    openSharedBook({ database, term, limits, keepSettled }),
  )
  const share = mostInAll < maxTokenAmount ? createOutageShare(mostInAll) : undefined
  const serving = servingOf(options, { database, shared, share, taken, term })
  // When it fails, nothing of it has begun.
  const { cluster, queue, ledgers } = await patience.through(() => serveShared(serving))
  const { membership: seat } = cluster
  started(async () => {
    await taken.serving?.stop()
    await cluster.leave()
  })
  started(queue.close)
  const isLeading = () => term() !== undefined
  const silence = () => {
    if (cluster.isHeard()) return undefined
    return cluster.beat().isServing ? notHeard(database) : restoring()
  }
  const parts = { database, cluster, shared, share, taken, term, silence, patience }
  // What is read when a receiver starts, or written down the same each time.
  const starting: Sql = {
    query: (text, values) => patience.through(() => database.query(text, values)),
  }
  return {
    ...{ book: shared.book, ledgers },
    replies: sharedReplies(database, seat),
    allowances: sharedAllowances(starting),
    gasPrices: sharedGasPrices(starting, isLeading),
    firstBlock: sharedFirstBlock(starting),
    authorizations: undefined,
    journal: (account) => createSharedJournal({ database, term, account }),
    readLedgers: () => readLedgers(database),
    probe: async () => {
      const why = silence()
      if (why !== undefined) throw why
    },
    askKey: async (channel) => (await ledgers.look(channel, () => false)).channel?.requestKey,
    seenKey: ledgers.seenKey,
    sharing: sharingOf(options, parts),
  }
}

function servingOf(
  { longestOutage, onCommit, onWait, log }: SharedStateOptions,
  { database, shared, share, taken, term }: Omit<SharedParts, 'cluster' | 'silence' | 'patience'>,
): ServingOptions {
  return {
    ...{ database, longestOutage, fence: shared.fence, onCommit, onWait },
    ...(share && { share }),
    onBeat: ({ due }, asked) => {
      if (due !== undefined) share?.heard({ ...due, due: due.sum, at: asked - due.age })
    },
    onElected: () => taken.elected(),
    onChanged: async () => {
      if (term() === undefined) await shared.refresh()
    },
    onPutBack: (put) => {
      shared.startOver()
      sayPutBack(log, put)
    },
    onMissing: (processes) => log?.warn({ processes }, missingText),
    onError: (err) => log?.warn({ err }, 'the shared state could not be reached'),
  }
}

const missingText =
  'receivers that served when the database was lost did not come back in time: what they alone had acknowledged in its last moments can be paid with again'

function sayPutBack(log: SharedStateOptions['log'], { channels, isLate, seat }: PutBack): void {
  const facts = { channels, timeline: `${seat.timeline}` }
  log?.info(
    facts,
    'a standby of the database was promoted; what it lacked of this receiver is back',
  )
  if (isLate && channels > 0) {
    log?.warn(facts, 'this receiver came late: what it put back may have been sold once more')
  }
}

/** The term of which everything that the leader before knew was taken over. */
interface Taken {
  term: Term | undefined
  serving?: Rounds
  elected: () => void
  readonly begin: (() => Promise<void>)[]
  errands: Errands
}

interface SharedParts {
  readonly database: Database
  readonly cluster: Cluster
  readonly shared: SharedBook
  readonly share: OutageShare | undefined
  readonly taken: Taken
  readonly term: () => Term | undefined
  readonly silence: Sharing['silence']
  /** Of the start. */
  readonly patience: Patience
}

/** Milliseconds in which another one leads when the leader has ended. */
const takeover = 5000

/** Milliseconds to wait for what the leader does: a transaction may have to be mined. */
const longestErrand = 600_000

function sharingOf(options: SharedStateOptions, parts: SharedParts): Sharing {
  const { database, cluster, shared, share, taken, term, silence, patience } = parts
  const write: Term['write'] = async (work) => {
    const current = term()
    if (current === undefined) throw notLeading()
    return current.write(work)
  }
  return {
    seenElsewhere: async () => {
      const current = cluster.term()
      if (current !== undefined) {
        if (current !== taken.term) await takeOver(options, parts, current)
        await shared.makeSure()
        return undefined
      }
      await shared.refresh()
      return seenBy(cluster, options)
    },
    chainWasRead: async () => {
      await shared.writeLimits()
      await shared.refresh()
    },
    roundWentWell: async (seen) => {
      const due = shared.due()
      const counted = await write((sql) => noteRound(sql, { ...seen, due }))
      if (due === undefined) return
      const isCounted = counted.includes(cluster.membership().id)
      share?.heard({ due: due.sum, at: due.asked, processes: counted.length, isCounted })
    },
    outage: share,
    isLeading: () => term() !== undefined,
    onTerm: (begin) => void taken.begin.push(begin),
    onElected: (elected) => {
      taken.elected = elected
    },
    serve: (errands) => {
      // What it follows from here on it looks at again and again.
      patience.end()
      taken.errands = errands
    },
    ask: (kind, asked) => askLeader(database, { kind, asked }, { timeout: longestErrand }),
    silence,
  }
}

async function takeOver(options: SharedStateOptions, parts: SharedParts, term: Term) {
  const { database, shared, taken } = parts
  const { head, log } = options
  await shared.takeOver()
  taken.term = term
  try {
    await shared.book.fence(head)
    for (const begin of taken.begin) await begin()
  } catch (error) {
    taken.term = undefined
    throw error
  }
  const { epoch, over } = term
  const facts = { term: `${epoch}` }
  log?.info(facts, 'this receiver leads: it follows the chain for all')
  over.addEventListener('abort', () => log?.info(facts, 'this receiver leads no more'))
  taken.serving = serveErrands(
    database,
    { term, errands: taken.errands },
    { onError: (err) => log?.warn({ err }, 'what another receiver asked for could not be done') },
  )
}

function seenBy(cluster: Cluster, { pollInterval }: SharedStateOptions): SeenElsewhere {
  const { chainAge: age, head, contractHead } = cluster.beat()
  return { age, head, contractHead, answers: age <= takeover + 2 * pollInterval }
}

function notHeard({ place }: Database): UraidenError {
  return receiverError({
    code: 'postgres_unavailable',
    message: `The database ${place} was not reached for some seconds.`,
  })
}

function notLeading(): UraidenError {
  return receiverError({
    code: 'not_the_leader',
    message: 'Another receiver follows the chain, not this one.',
  })
}
