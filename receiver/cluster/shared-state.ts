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
import type { Database } from '../postgres/connection.ts'
import { openDatabase } from '../postgres/schema.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import { noteRound } from './chain-facts.ts'
import type { Cluster } from './cluster.ts'
import type { Term } from './election.ts'
import { askLeader, serveErrands } from './errands.ts'
import { createOutageShare, type OutageShare } from './outage-share.ts'
import { type PutBack, restoring } from './promotion.ts'
import type { Rounds } from './rounds.ts'
import { serveShared } from './serving.ts'
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
  const { settings, owner, folder, started, longestOutage, onCommit, onWait } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const database = await openDatabase(settings, owner)
  started(database.close)
  const taken: Taken = { term: undefined, elected: () => undefined, begin: [], errands: {} }
  const term = () => (taken.term?.over.aborted === false ? taken.term : undefined)
  const { limits, keepSettled } = options
  const shared = await openSharedBook({ database, term, limits, keepSettled })
  const { mostInAll } = options
  const share = mostInAll < maxTokenAmount ? createOutageShare(mostInAll) : undefined
  const { cluster, queue, ledgers } = await serveShared({
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
      sayPutBack(options, put)
    },
    onMissing: (processes) => options.log?.warn({ processes }, missingText),
    onError: (err) => options.log?.warn({ err }, 'the shared state could not be reached'),
  })
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
  return {
    ...{ book: shared.book, ledgers },
    replies: sharedReplies(database, seat),
    allowances: sharedAllowances(database),
    gasPrices: sharedGasPrices(database, isLeading),
    firstBlock: sharedFirstBlock(database),
    authorizations: undefined,
    journal: (account) => createSharedJournal({ database, term, account }),
    readLedgers: () => readLedgers(database),
    probe: async () => {
      const why = silence()
      if (why !== undefined) throw why
    },
    askKey: async (channel) => (await ledgers.look(channel, () => false)).channel?.requestKey,
    seenKey: ledgers.seenKey,
    sharing: sharingOf(options, { database, cluster, shared, share, taken, term, silence }),
  }
}

const missingText =
  'receivers that served when the database was lost did not come back in time: what they alone had acknowledged in its last moments can be paid with again'

function sayPutBack({ log }: SharedStateOptions, { channels, isLate, seat }: PutBack): void {
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
}

/** Milliseconds in which another one leads when the leader has ended. */
const takeover = 5000

/** Milliseconds to wait for what the leader does: a transaction may have to be mined. */
const longestErrand = 600_000

function sharingOf(options: SharedStateOptions, parts: SharedParts): Sharing {
  const { database, cluster, shared, share, taken, term, silence } = parts
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
