// A run from its beginning to its outcome: what an earlier one left open, then the purchase, then the
// body into the queues of all sinks, in one write with the job's own record.

import { randomUUID } from 'node:crypto'
import { defined, type UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentResponse } from '../options.ts'
import type { Clock } from './clock.ts'
import { type Buyer, purchase, reclaim } from './purchase.ts'
import { deleteOpen, type OpenRun } from './records.ts'
import type { Outbox } from './sinks/outbox.ts'
import type { OutboxStorage, StorageOperation } from './sinks/storage.ts'
import type { Job, RunCause, RunOutcome } from './types.ts'
import { boughtValue } from './values.ts'

export interface RunParts {
  readonly buyer: Buyer
  readonly storage: OutboxStorage
  readonly outbox: Outbox
  readonly clock: Clock
  readonly resolve: (target: string) => URL | Promise<URL>
}

export interface RunOrder {
  readonly job: Job
  readonly cause: RunCause
  readonly signal: AbortSignal
  readonly timesPerDay?: number | undefined
  /** What to write of the job with the outcome. */
  readonly record: (outcome: RunOutcome) => StorageOperation
}

export interface EndedRun {
  readonly outcome: RunOutcome
  /** Paid, and the answer is in no queue yet. */
  readonly open: OpenRun | undefined
}

export async function runJob(parts: RunParts, order: RunOrder): Promise<EndedRun> {
  const { clock, resolve } = parts
  const { job, signal, cause, timesPerDay } = order
  const id = randomUUID()
  const began = clock.now()
  const facts = { id, job: job.name, cause, began }
  const failed = (error: unknown, payment: 'none' | 'open' | 'spent'): RunOutcome => {
    const told = error instanceof Error ? error : new Error(String(error))
    return { ...facts, kind: 'failed', ended: clock.now(), error: told, payment }
  }
  const end = async (outcome: RunOutcome, open: OpenRun | undefined): Promise<EndedRun> => {
    // A record that cannot be written is told by whatever comes next; the outcome is true all the same.
    await parts.storage.write([order.record(outcome)], 'lazily').catch(() => undefined)
    return { outcome, open }
  }
  let open: OpenRun | undefined
  try {
    const url = await resolve(job.target)
    const bought = await purchase(parts, { id, began, job, url, signal, timesPerDay })
    open = bought.open
    if (bought.kind === 'failed') {
      const { error, payment, notBefore } = bought
      return end({ ...failed(error, payment), ...defined({ notBefore }) }, open)
    }
    const outcome = await keep(parts, order, { ...facts, answer: bought.answer })
    return { outcome, open: undefined }
  } catch (error) {
    return end(failed(error, open === undefined ? 'none' : 'open'), open)
  }
}

/** Payments of earlier runs whose answers are in no queue yet: asked for before anything new is paid. */
export interface Reclaimer {
  readonly add: (run: OpenRun) => void
  readonly next: () => OpenRun | undefined
  /**
   * Asks for all of them, the oldest first. `onOutcome` hears of each that is settled.
   * @throws UraidenError why an answer cannot be had now
   */
  readonly all: (onOutcome: (outcome: RunOutcome) => void) => Promise<void>
}

export function createReclaimer(
  parts: RunParts,
  order: Omit<RunOrder, 'cause'>,
  known: readonly OpenRun[],
): Reclaimer {
  const open = [...known]
  let running: Promise<void> | undefined

  async function askAll(onOutcome: (outcome: RunOutcome) => void): Promise<void> {
    for (let run = open[0]; run !== undefined; run = open[0]) {
      const outcome = await reclaimRun(parts, order, run)
      open.shift()
      onOutcome(outcome)
    }
  }

  return {
    add: (run) => {
      open.push(run)
    },
    next: () => open[0],
    all: (onOutcome) => {
      // Runs that overlap wait for the same answers.
      running ??= askAll(onOutcome).finally(() => {
        running = undefined
      })
      return running
    },
  }
}

/**
 * Brings home the answer of an earlier run's payment.
 * @throws UraidenError why that is not possible now
 */
async function reclaimRun(
  parts: RunParts,
  order: Omit<RunOrder, 'cause'>,
  run: OpenRun,
): Promise<RunOutcome> {
  const { clock } = parts
  const { job, signal } = order
  const { timeout, mostBody, authentic } = job
  const limits = { signal, timeout, mostBody, ...(authentic !== undefined && { authentic }) }
  const found = await reclaim(parts, run, limits)
  const facts = { id: run.id, job: run.job, cause: 'crash', began: run.began } as const
  if (found.kind === 'answered') return keep(parts, order, { ...facts, answer: found.answer })
  const { payment } = found
  const error = payment === 'none' ? notTaken(run) : gone(run)
  return { ...facts, kind: 'failed', ended: clock.now(), error, payment }
}

interface Bought {
  readonly id: string
  readonly job: string
  readonly cause: RunCause
  readonly began: number
  readonly answer: AgentResponse
}

async function keep(
  { storage, outbox, clock }: RunParts,
  { record }: Pick<RunOrder, 'record'>,
  { answer, ...facts }: Bought,
): Promise<RunOutcome> {
  const { payment, status } = answer
  const { body, headers } = answer.answer
  const addition = outbox.add({
    id: facts.id,
    job: facts.job,
    time: clock.now(),
    cost: `${payment?.cost ?? 0n}`,
    ...(payment?.x402 !== undefined && { asset: payment.x402.unit.symbol }),
    authentic: payment?.authentic ?? false,
    contentType: String(headers['content-type'] ?? 'application/octet-stream'),
    payload: body,
  })
  const { unfit } = addition
  const ended = clock.now()
  const outcome: RunOutcome = addition.isLost
    ? {
        ...facts,
        kind: 'failed',
        ended,
        error: unfitError(unfit),
        payment: payment ? 'spent' : 'none',
      }
    : {
        ...facts,
        kind: 'done',
        ended,
        status,
        bytes: body.length,
        payment: payment && {
          price: payment.price,
          cost: payment.cost,
          ...(payment.x402 !== undefined && { x402: payment.x402 }),
        },
        authentic: payment?.authentic ?? false,
        unfit,
        value: boughtValue(addition.picked),
      }
  try {
    await storage.write([...addition.operations, deleteOpen(facts.id), record(outcome)], 'soon')
  } catch (error) {
    addition.failed()
    throw error
  }
  addition.written()
  return outcome
}

/** Of an answer that has nothing of what these sinks pick. */
export function unfitError(sinks: readonly string[]): UraidenError {
  return agentError({
    code: 'answer_unfit',
    message: `The answer has nothing for ${sinks.join(', ')}: it is no JSON, or \`select\` or \`template\` finds nothing in it.`,
  })
}

function notTaken({ url }: OpenRun): UraidenError {
  return agentError({
    code: 'payment_superseded',
    message: `${new URL(url).origin} did not take a payment of an earlier run.`,
    hint: 'Nothing was spent on it: what it offered has paid for another request.',
  })
}

function gone({ url }: OpenRun): UraidenError {
  return agentError({
    code: 'payment_spent',
    message: `The answer of ${new URL(url).origin} to a payment of an earlier run cannot be had any more.`,
    hint: 'The receiver keeps answers for a while only. The payment stays counted.',
  })
}
