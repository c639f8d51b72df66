// One purchase for a job: tries again what may succeed, and never pays a second time for an answer that
// may still come.
//
// A payment is written down before it leaves. From then on until the answer is in the queues, only that
// payment is sent again: by the next try, by the next run, or after a crash by the next process.

import pRetry from 'p-retry'
import type { Milliseconds } from '../../platform/time/clock.ts'
import { defined, isUraidenError, type UraidenError } from '../../protocol/index.ts'
import type { BudgetLimit } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import type { Agent, AgentResponse, RequestOptions } from '../options.ts'
import type { SentPayment } from '../purchase/types.ts'
import type { Clock } from './clock.ts'
import { deleteOpen, type OpenRun, putOpen } from './records.ts'
import type { OutboxStorage } from './sinks/storage.ts'
import type { Job } from './types.ts'

export interface Buyer extends Pick<Agent, 'request' | 'repeatPayment'> {
  /** Every cap, with what is used of it; undefined while nobody can say. */
  readonly limits?: () => readonly BudgetLimit[] | undefined
}

export interface PurchaseParts {
  readonly buyer: Buyer
  readonly storage: OutboxStorage
  readonly clock: Clock
}

export interface Order {
  readonly id: string
  readonly began: number
  readonly job: Job
  readonly url: URL
  readonly timesPerDay?: number | undefined
  readonly signal: AbortSignal
}

export type Purchase = {
  /** The payment that is written down: to be removed once the answer is kept, or to be asked for. */
  readonly open: OpenRun | undefined
} & (
  | { readonly kind: 'answered'; readonly answer: AgentResponse }
  | {
      readonly kind: 'failed'
      readonly error: Error
      /** What became of the payment; see `RunFailed`. */
      readonly payment: 'none' | 'open' | 'spent'
      /** The receiver wants no request before. Unix time. */
      readonly notBefore: Milliseconds | undefined
    }
)

/** Nothing was sent: the ledger has its money back. */
const neverSent = new Set(['receiver_unreachable', 'receiver_untrusted'])
/** It was sent and not taken. */
const notTaken = new Set(['payment_refused', 'payment_superseded'])
/** The answer may still be had for the same payment. */
const mayStillCome = new Set([
  'answer_lost',
  'aborted',
  'answer_malformed',
  'channel_unconfirmed',
  'payment_waits',
])
const retryable = new Set([
  'receiver_unreachable',
  'answer_lost',
  'answer_malformed',
  'payment_waits',
  'deposit_spent',
  'receiver_failing',
  // It has looked at what was in doubt, and refused that only.
  'payment_refused',
  // Another run's request was paid with it: this one is bought anew.
  'payment_superseded',
])

export async function purchase(parts: PurchaseParts, order: Order): Promise<Purchase> {
  const attempt = new Attempt(parts, order)
  const { times, delay } = order.job.retry
  try {
    const answer = await pRetry(() => attempt.once(), {
      retries: times,
      minTimeout: delay,
      maxTimeout: 60_000,
      factor: 2,
      randomize: true,
      signal: order.signal,
      shouldRetry: ({ error }) =>
        isUraidenError(error) && retryable.has(error.code) && attempt.mayRepeat(),
      onFailedAttempt: () => attempt.waited(),
    })
    return { kind: 'answered', answer, open: attempt.open }
  } catch (error) {
    const { payment, open, notBefore } = attempt
    return { kind: 'failed', error: asError(error), payment, open, notBefore }
  }
}

export type Reclaimed =
  | { readonly kind: 'answered'; readonly answer: AgentResponse }
  /** It cannot be had any more, or was never paid. */
  | { readonly kind: 'gone'; readonly payment: 'none' | 'spent' }

/**
 * Asks for the answer to a payment of an earlier run.
 * @throws UraidenError why not now
 */
export async function reclaim(
  { buyer, storage }: Omit<PurchaseParts, 'clock'>,
  run: OpenRun,
  limits: Pick<RequestOptions, 'signal' | 'authentic'> & Pick<Job, 'timeout' | 'mostBody'>,
): Promise<Reclaimed> {
  const { url, method, headers, body, payment } = run
  const options = { method, headers, ...limits, ...(body !== undefined && { body }) }
  try {
    const answer = await buyer.repeatPayment(url, payment, options)
    if (answer.status < 300) return { kind: 'answered', answer }
    // An answer all the same, but none that anybody wants.
    await storage.write([deleteOpen(run.id)], 'lazily')
    return { kind: 'gone', payment: 'spent' }
  } catch (error) {
    if (!isUraidenError(error) || mayStillCome.has(error.code) || neverSent.has(error.code)) {
      throw error
    }
    await storage.write([deleteOpen(run.id)], 'lazily')
    return { kind: 'gone', payment: notTaken.has(error.code) ? 'none' : 'spent' }
  }
}

class Attempt {
  readonly #parts: PurchaseParts
  readonly #order: Order
  open: OpenRun | undefined
  notBefore: Milliseconds | undefined
  #spent = false
  /** An answer was charged that is none: another one would be the second price of this run. */
  #charged = false

  constructor(parts: PurchaseParts, order: Order) {
    this.#parts = parts
    this.#order = order
  }

  async once(): Promise<AgentResponse> {
    const answer = await this.#send()
    if (answer.status < 300) return answer
    const free = (answer.payment?.cost ?? 0n) === 0n
    this.#charged ||= !free
    this.notBefore = momentIn(answer.answer.headers['retry-after'], this.#parts.clock.now())
    await this.#drop(free ? 'none' : 'spent')
    throw statusError(this.#order.url, answer.status)
  }

  mayRepeat(): boolean {
    return !this.#charged && this.#wait() <= longestWait
  }

  /** Until the receiver takes requests again. */
  async waited(): Promise<void> {
    const wait = this.#wait()
    if (!this.mayRepeat() || wait === 0) return
    const { clock } = this.#parts
    const { signal } = this.#order
    if (signal.aborted) return
    // The signal lives as long as the job: nothing of a wait that is over may stay on it.
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = clock.after(wait, end)
      signal.addEventListener('abort', end)
    })
  }

  #wait(): Milliseconds {
    return Math.max(0, (this.notBefore ?? 0) - this.#parts.clock.now())
  }

  async #send(): Promise<AgentResponse> {
    const { job, url, id, signal, timesPerDay } = this.#order
    const { buyer } = this.#parts
    const { name, method, headers, body, timeout, mostBody, authentic } = job
    const { mostPrice, mostPriceIn } = job
    const request = {
      ...{ method, headers, timeout, mostBody, signal },
      ...defined({ body, authentic }),
    }
    const earlier = this.open
    this.notBefore = undefined
    try {
      if (earlier !== undefined) return await buyer.repeatPayment(url, earlier.payment, request)
      return await buyer.request(url, {
        ...request,
        job: name,
        idempotencyKey: id,
        onPayment: (payment) => this.#write(payment),
        ...defined({ mostPrice, mostPriceIn, timesPerDay }),
      })
    } catch (error) {
      await this.#failed(error, earlier === undefined ? 'payment' : 'repeat')
      throw error
    }
  }

  async #write(payment: SentPayment): Promise<void> {
    const { id, began, job, url } = this.#order
    const { name, method, headers, body } = job
    const request = { url: url.href, method, headers, ...(body !== undefined && { body }) }
    const open = { id, began, job: name, ...request, payment }
    // Not synced: what a power cut takes stays counted, and costs one reading.
    await this.#parts.storage.write([putOpen(open)], 'lazily')
    this.open = open
  }

  async #failed(error: unknown, sent: 'payment' | 'repeat'): Promise<void> {
    const code = isUraidenError(error) ? error.code : undefined
    if (code === undefined || mayStillCome.has(code)) return
    const nothingLeft = neverSent.has(code)
    // The repeat did not leave, but the payment did before it.
    if (nothingLeft && sent === 'repeat') return
    await this.#drop(nothingLeft || notTaken.has(code) ? 'none' : 'spent')
  }

  async #drop(payment: 'none' | 'spent'): Promise<void> {
    if (this.open === undefined) return
    const { id } = this.open
    this.open = undefined
    this.#spent ||= payment === 'spent'
    await this.#parts.storage.write([deleteOpen(id)], 'lazily')
  }

  get payment(): 'none' | 'open' | 'spent' {
    if (this.open !== undefined) return 'open'
    return this.#spent ? 'spent' : 'none'
  }
}

/** A run waits no longer for a receiver that says when; the next one is due some time. */
const longestWait: Milliseconds = 60_000

/** RFC 9110 section 10.2.3: seconds, or a date. */
function momentIn(
  retryAfter: string | readonly string[] | undefined,
  now: Milliseconds,
): Milliseconds | undefined {
  const text = `${retryAfter ?? ''}`.trim()
  const moment = /^\d{1,9}$/.test(text) ? now + Number(text) * 1000 : Date.parse(text)
  return Number.isNaN(moment) || moment <= now ? undefined : moment
}

/** RFC 9110 section 15: statuses that say "not now". */
function statusError({ origin }: URL, status: number): UraidenError {
  return agentError({
    code: status >= 500 || status === 408 || status === 429 ? 'receiver_failing' : 'http_error',
    message: `${origin} answers with HTTP status ${status}.`,
  })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
