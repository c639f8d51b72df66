// Payments on their way to a shared state: one call at a time, without a timer. Who comes while a call is under way
// shares the next one. Nobody is answered before it is certain what became of a call.
import { setTimeout } from 'node:timers/promises'
import { isUraidenError } from '../../protocol/index.ts'
import type { CommitObserver, WaitObserver } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import { type Connection, type Database, type Sql, sqlStateOf } from '../postgres/connection.ts'
import {
  askCommitted,
  type Credit,
  claimMany,
  type EndedAnswer,
  type RefusedRuns,
  type Run,
  type WantedClaim,
} from './claim-call.ts'
import type { Seat } from './membership.ts'
import { promoted, restoring } from './promotion.ts'

export interface ClaimQueueOptions {
  readonly database: Database
  /** As it is now; others raise the epoch, and so does who asks what became of a call. */
  readonly seat: () => Seat
  readonly onEpoch: (epoch: bigint) => void
  /** See `ClaimCall`. */
  readonly longestOutage?: number | undefined
  /** Of the last batch, for one that goes on with the seat of another. Default 0. */
  readonly lastBatch?: bigint
  /** Of each call with payments, and what is given back; how long each of them has waited until it was sent. */
  readonly onCommit?: CommitObserver | undefined
  readonly onWait?: WaitObserver | undefined
  /** Milliseconds between two tries to reach a database that is away. Default 200. */
  readonly pause?: number
}

/** Within a transaction. It throws nothing of its own, and counts `batch` in its process's row. */
export type LoneWork<Value> = (sql: Sql, batch: bigint) => Promise<Value>

export interface ClaimQueue {
  /**
   * Resolves when it is durable, undefined, or with the reason of the refusal: a code, or one of `known`, `apart`,
   * `stale` and `key_changed`; see `claim_many`.
   * @throws UraidenError `postgres_unavailable` when nothing was claimed
   */
  readonly claim: (claim: WantedClaim) => Promise<string | undefined>
  /** Resolves when it is durable. It is tried until the database is back. */
  readonly giveBack: (credit: Credit) => Promise<void>
  /** With the next call; one that was broken off makes one. */
  readonly ended: (answer: EndedAnswer) => void
  /** A call of its own, in turn with the others. */
  readonly alone: <Value>(work: LoneWork<Value>) => Promise<Value>
  /**
   * Nothing is on its way while `work` is done, and all that waits is refused with `state_restoring`: the numbers of
   * channels that it names may be those of others afterwards.
   */
  readonly startOver: (work: () => Promise<void>) => Promise<void>
  /** Resolves when nothing is on its way. */
  readonly idle: () => Promise<void>
  /** Sends what is left to be sent. */
  readonly close: () => Promise<void>
}

interface Waiting<Asked, Value> {
  readonly asked: Asked
  readonly since: number
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

interface QueueState {
  readonly options: ClaimQueueOptions
  readonly pause: number
  claims: Waiting<WantedClaim, string | undefined>[]
  /** Refused together with others: to be asked singly. */
  singly: Waiting<WantedClaim, string | undefined>[]
  credits: Waiting<Credit, void>[]
  ended: EndedAnswer[]
  lone: Waiting<LoneWork<unknown>, unknown>[]
  anew: Waiting<() => Promise<void>, void>[]
  running: Promise<void> | undefined
  connection: Connection | undefined
  batch: bigint
  /** Nobody says what became of the last call. */
  isUnknown: boolean
  /** See `startOver`. */
  isRestoring: boolean
  isClosed: boolean
}

export function createClaimQueue(options: ClaimQueueOptions): ClaimQueue {
  const queue: QueueState = {
    ...{ options, pause: options.pause ?? 200, batch: options.lastBatch ?? 0n },
    ...{ claims: [], singly: [], credits: [], ended: [], lone: [], anew: [] },
    ...{
      running: undefined,
      connection: undefined,
      isUnknown: false,
      isRestoring: false,
      isClosed: false,
    },
  }
  const put = <Asked, Value>(list: () => Waiting<Asked, Value>[], asked: Asked) =>
    new Promise<Value>((resolve, reject) => {
      list().push({ asked, since: performance.now(), resolve, reject })
      queue.running ??= run(queue)
    })
  return {
    claim: (claim) => {
      if (queue.isUnknown) return Promise.reject(away())
      if (queue.isRestoring) return Promise.reject(restoring())
      return put(() => queue.claims, claim)
    },
    giveBack: (credit) => put(() => queue.credits, credit),
    ended: (answer) => {
      queue.ended.push(answer)
      if (!answer.isWhole) queue.running ??= run(queue)
    },
    alone: <Value>(work: LoneWork<Value>) =>
      put(() => queue.lone, work as LoneWork<unknown>) as Promise<Value>,
    startOver: (work) => put(() => queue.anew, work),
    idle: () => idle(queue),
    close: async () => {
      if (queue.ended.length > 0) queue.running ??= run(queue)
      queue.isClosed = true
      await idle(queue)
      await queue.connection?.close()
    },
  }
}

async function idle(queue: QueueState): Promise<void> {
  while (queue.running !== undefined) await queue.running
}

async function run(queue: QueueState): Promise<void> {
  // What comes in the same turn shares the first call.
  await Promise.resolve()
  do {
    const [anew] = queue.anew.splice(0, 1)
    const [lone] = anew === undefined ? queue.lone.splice(0, 1) : []
    if (anew !== undefined) await startOver(queue, anew)
    else if (lone !== undefined) await doAlone(queue, lone)
    else await callOnce(queue)
  } while (hasWork(queue))
  queue.running = undefined
}

function hasWork({ claims, singly, credits, lone, anew }: QueueState): boolean {
  return [claims, singly, credits, lone, anew].some(({ length }) => length > 0)
}

/** What one call carries at most: a channel's ring of bound requests has 64 places. */
const mostClaims = 1024

async function callOnce(queue: QueueState): Promise<void> {
  const singles = queue.singly.splice(0, mostClaims)
  const together = queue.claims.splice(0, mostClaims - singles.length)
  const [credits, ended] = [queue.credits.splice(0), queue.ended.splice(0)]
  const runs = runsOf(singles, together)
  const { longestOutage } = queue.options
  const tell = observed(queue, {
    together,
    records: singles.length + together.length + credits.length,
  })
  try {
    const refused = await certain(queue, (sql, batch) =>
      claimMany(sql, {
        ...{ process: queue.options.seat(), batch, longestOutage, runs: runs.map(asRun) },
        ...{ credits: credits.map(({ asked }) => asked), ended },
      }),
    )
    tell('ok')
    for (const [at, run] of runs.entries()) answer(queue, run, codeOf(refused, at))
    for (const { resolve } of credits) resolve()
  } catch (error) {
    tell('failed')
    for (const { reject } of [...singles, ...together]) reject(error)
    await keepCredits(queue, { credits, ended, error })
  }
}

/** Whoever is refused together with others has waited before. */
function observed(
  { options: { onCommit, onWait } }: QueueState,
  sent: { readonly together: readonly { readonly since: number }[]; readonly records: number },
): (outcome: 'ok' | 'failed') => void {
  const begun = performance.now()
  for (const { since } of sent.together) onWait?.((begun - since) / 1000)
  return (outcome) => onCommit?.(sent.records, (performance.now() - begun) / 1000, outcome)
}

/** What cannot be lost waits until the database is back; what it refuses for good is told. */
async function keepCredits(
  queue: QueueState,
  given: {
    readonly credits: readonly Waiting<Credit, void>[]
    readonly ended: readonly EndedAnswer[]
    readonly error: unknown
  },
): Promise<void> {
  const { credits, ended, error } = given
  const passes = ['postgres_unavailable', 'process_fenced'].some((code) =>
    isUraidenError(error, code),
  )
  if (queue.isClosed || !passes) {
    for (const { reject } of credits) reject(error)
    return
  }
  queue.credits.unshift(...credits)
  queue.ended.unshift(...ended)
  if (credits.length > 0) await setTimeout(queue.pause)
}

type WaitingRun = readonly [
  Waiting<WantedClaim, string | undefined>,
  ...Waiting<WantedClaim, string | undefined>[],
]

function asRun([first, ...rest]: WaitingRun): Run {
  return [first.asked, ...rest.map(({ asked }) => asked)]
}

function codeOf(refused: RefusedRuns | undefined, at: number): string | undefined {
  return refused?.get(at)
}

function answer(queue: QueueState, run: WaitingRun, code: string | undefined): void {
  const isOne = run.length === 1
  for (const each of run) {
    if (code === undefined) each.resolve(undefined)
    else if (isOne && code !== unsaid) each.resolve(code)
    else queue.singly.push(each)
  }
}

/** Refused, and the answer that said why is lost. */
const unsaid = 'unsaid'

/** In the order of channels, so that all processes lock in the same order; neighbours of one channel are one run. */
function runsOf(
  singles: readonly Waiting<WantedClaim, string | undefined>[],
  together: readonly Waiting<WantedClaim, string | undefined>[],
): readonly WaitingRun[] {
  const rising = [...together].sort(
    ({ asked: a }, { asked: b }) =>
      order(a.channel, b.channel) || order(a.paid.from, b.paid.from) || order(a.paid.to, b.paid.to),
  )
  const runs: [WaitingRun[0], ...WaitingRun[0][]][] = []
  for (const next of rising) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run && last && run.length < mostInRun && follows(last.asked, next.asked)) run.push(next)
    else runs.push([next])
  }
  const alone = singles.map((each) => [each] as const)
  return [...alone, ...runs].sort(([a], [b]) => order(a.asked.channel, b.asked.channel))
}

/** As many as a channel's ring has places. */
const mostInRun = 64

/** The proof of the later one must prove both: without one of its own it is another case. */
function follows(a: WantedClaim, b: WantedClaim): boolean {
  return (
    a.channel === b.channel &&
    a.paid.to === b.paid.from &&
    a.keyNumber === b.keyNumber &&
    a.proof !== undefined &&
    b.proof !== undefined
  )
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function startOver(
  queue: QueueState,
  { asked, resolve, reject }: Waiting<() => Promise<void>, void>,
): Promise<void> {
  queue.isRestoring = true
  refuseWaiting(queue)
  try {
    await queue.connection?.close()
    queue.connection = undefined
    await asked()
    refuseWaiting(queue)
    resolve()
  } catch (error) {
    reject(error)
  } finally {
    queue.isRestoring = false
  }
}

function refuseWaiting(queue: QueueState): void {
  const { claims, singly, credits, lone } = queue
  for (const list of [claims, singly, credits, lone]) {
    for (const { reject } of list.splice(0)) reject(restoring())
  }
  queue.ended = []
}

async function doAlone(
  queue: QueueState,
  { asked, resolve, reject }: Waiting<LoneWork<unknown>, unknown>,
): Promise<void> {
  let value: unknown
  const work: LoneWork<RefusedRuns> = async (sql, batch) => {
    await sql.query('BEGIN')
    try {
      value = await asked(sql, batch)
      await sql.query('COMMIT')
    } catch (error) {
      await sql.query('ROLLBACK').catch(() => undefined)
      throw error
    }
    return new Map()
  }
  const tell = observed(queue, { together: [], records: 1 })
  try {
    await certain(queue, work)
    tell('ok')
    resolve(value)
  } catch (error) {
    tell('failed')
    reject(error)
  }
}

/** Two processes waited for each other; nothing was done. */
const again = new Set(['40P01', '40001'])
const fenced = 'UR001'

/**
 * Calls under the next number, and resolves when it is certain that it was done.
 * @throws what the server has refused, or `postgres_unavailable`: nothing was done
 */
async function certain(
  queue: QueueState,
  call: (sql: Sql, batch: bigint) => Promise<RefusedRuns>,
): Promise<RefusedRuns> {
  const batch = queue.batch + 1n
  for (;;) {
    const connection = await connected(queue)
    try {
      const refused = await call(connection, batch)
      queue.batch = batch
      return refused
    } catch (error) {
      const state = sqlStateOf(error)
      if (state !== undefined && again.has(state)) continue
      if (state === fenced) throw takenForDead(error)
      if (state === promoted) throw restoring(error)
      const isSaid = state !== undefined && !endsSession.test(state)
      const isOpen = connection.isLost() || isUraidenError(error, 'postgres_commit_unknown')
      if (isSaid && !isOpen) throw error
      const refused = await became(queue, batch)
      if (refused !== undefined) return refused
    }
  }
}

/** A server that ends, or has lost its disk: whether a commit went before is not said. */
const endsSession = /^(08|57P0|58|XX)/

/** Undefined: the call of this number was not done, and never will be. */
async function became(queue: QueueState, batch: bigint): Promise<RefusedRuns | undefined> {
  const { options, pause } = queue
  queue.isUnknown = true
  for (const waiting of queue.claims.splice(0)) waiting.reject(away())
  try {
    for (;;) {
      await queue.connection?.close()
      queue.connection = undefined
      try {
        const connection = await connected(queue)
        const committed = await askCommitted(connection, options.seat())
        if (committed === undefined) throw takenForDead(undefined)
        options.onEpoch(committed.epoch)
        if (committed.batch !== batch) return undefined
        queue.batch = batch
        return new Map(committed.refused.map((run) => [run, unsaid]))
      } catch (error) {
        if (isUraidenError(error, 'process_fenced')) throw error
        await setTimeout(pause)
      }
    }
  } finally {
    queue.isUnknown = false
  }
}

async function connected(queue: QueueState): Promise<Connection> {
  if (queue.connection?.isLost()) {
    await queue.connection.close()
    queue.connection = undefined
  }
  queue.connection ??= await queue.options.database.connect()
  return queue.connection
}

function away() {
  return receiverError({
    code: 'postgres_unavailable',
    message: 'The database has lost a call; until it says what became of it nobody pays.',
  })
}

function takenForDead(cause: unknown) {
  return receiverError({
    code: 'process_fenced',
    message: 'The other receivers have taken this one for dead: what it sends has no effect.',
    cause,
  })
}
