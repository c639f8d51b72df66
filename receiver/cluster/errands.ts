// What only the leader can do, asked for by a process that does not lead: it is written down, the leader finds it and
// writes down what came of it. Nobody has to be told: both look.
import { setTimeout } from 'node:timers/promises'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import type { Errands, Plain } from '../channels/state.ts'
import { receiverError } from '../errors/index.ts'
import type { Database } from '../postgres/connection.ts'
import type { Term } from './election.ts'
import { type Rounds, repeat } from './rounds.ts'

type Answer = { readonly done: Plain } | { readonly failed: FailedFacts }

interface FailedFacts {
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface AskOptions {
  /** Milliseconds to wait for an answer; 60 000 by default. */
  readonly timeout?: number
  /** Milliseconds between two looks; 250 by default. */
  readonly interval?: number
}

/**
 * Resolves with what the leader has answered.
 * @throws UraidenError `leader_missing` when nobody began with it in time: then nobody will; `leader_slow` when
 * nobody knows; else what the leader's work has thrown, by its code
 */
export async function askLeader(
  database: Database,
  { kind, asked }: { readonly kind: string; readonly asked: Plain },
  { timeout = 60_000, interval = 250 }: AskOptions = {},
): Promise<Plain> {
  const [errand] = await database.query<{ id: bigint }>(
    'INSERT INTO errand (kind, asked) VALUES ($1, $2) RETURNING id',
    [kind, JSON.stringify(asked)],
  )
  if (errand === undefined) throw new Error('a row was written and is not there')
  for (let left = timeout; left > 0; left -= interval) {
    await setTimeout(interval)
    // Strangers may have a relay do something: what was heard is not kept.
    const [row] = await database.query<{ answer: Answer }>(
      'DELETE FROM errand WHERE id = $1 AND answer IS NOT NULL RETURNING answer',
      [errand.id],
    )
    if (row !== undefined) return answered(row.answer)
  }
  return giveUp(database, errand.id)
}

function answered(answer: Answer): Plain {
  // Of a catalogue, here or in the leader's version.
  if ('failed' in answer) throw receiverError(answer.failed as Parameters<typeof receiverError>[0])
  return answer.done
}

/** Takes it back, unless somebody has begun with it. */
async function giveUp({ query }: Database, id: bigint): Promise<Plain> {
  const taken = await query('DELETE FROM errand WHERE id = $1 AND NOT begun RETURNING id', [id])
  if (taken.length > 0) {
    throw receiverError({
      code: 'leader_missing',
      message: 'No receiver of those that share the state has done it in time.',
    })
  }
  throw receiverError({
    code: 'leader_slow',
    message: 'The receiver that leads has begun with it and has not said what came of it.',
  })
}

export interface ServeOptions {
  readonly interval?: number
  readonly onError: (error: unknown) => void
}

/** Does what others ask for until the term is over, without one waiting for the other. */
export function serveErrands(
  database: Database,
  { term, errands }: { readonly term: Term; readonly errands: Errands },
  { interval = 250, onError }: ServeOptions,
): Rounds {
  const underWay = new Map<bigint, Promise<void>>()
  const begin = (errand: OpenErrand) => {
    const done = answerOne(term, errands, errand)
      .catch(onError)
      .finally(() => underWay.delete(errand.id))
    underWay.set(errand.id, done)
  }
  const rounds = repeat(
    async () => {
      const open = await database.query<OpenErrand>(
        'SELECT id, kind, asked FROM errand WHERE answer IS NULL ORDER BY id',
      )
      if (term.over.aborted) return
      for (const errand of open) if (!underWay.has(errand.id)) begin(errand)
    },
    { interval, onError },
  )
  const stop = async () => {
    await rounds.stop()
    await Promise.all(underWay.values())
  }
  const end = () => void rounds.stop()
  // It may have ended while it was begun with.
  if (term.over.aborted) end()
  else term.over.addEventListener('abort', end)
  return { stop }
}

interface OpenErrand extends Record<string, unknown> {
  readonly id: bigint
  readonly kind: string
  readonly asked: Plain
}

/** An error that is none of ours leaves it for the next try. */
async function answerOne(term: Term, errands: Errands, errand: OpenErrand): Promise<void> {
  const begun = await term.write(({ query }) =>
    query('UPDATE errand SET begun = true WHERE id = $1 AND answer IS NULL RETURNING id', [
      errand.id,
    ]),
  )
  // Whoever asked waits no more, or it was answered since it was found.
  if (begun.length === 0) return
  const answer = await answerTo(errands, errand)
  await term.write(async ({ query }) => {
    await query('UPDATE errand SET answer = $2 WHERE id = $1', [errand.id, JSON.stringify(answer)])
    await query(
      `DELETE FROM errand WHERE answer IS NOT NULL AND at < clock_timestamp() - interval '1 hour'`,
    )
  })
}

async function answerTo(errands: Errands, { id, kind, asked }: OpenErrand): Promise<Answer> {
  const work = errands[kind]
  try {
    if (work === undefined) throw unknownErrand(kind)
    return { done: await work(asked, `errand/${id}`) }
  } catch (error) {
    if (!isUraidenError(error) || isOurEnd(error)) throw error
    const { code, message, hint } = error
    return { failed: { code, message, hint } }
  }
}

/** The next leader goes on with it. */
function isOurEnd(error: UraidenError): boolean {
  return ['not_the_leader', 'chain_closed'].includes(error.code)
}

function unknownErrand(kind: string): UraidenError {
  return receiverError({
    code: 'leader_missing',
    message: `The receiver that leads does not know how to do "${kind}".`,
    hint: 'Run all receivers that share a state in the same version.',
  })
}
