// One job: when it runs, and what it remembers.

import type { Timetable } from '../../platform/config/schedule.ts'
import { withoutKeys } from '../../platform/text/printed.ts'
import { day, hour, type Milliseconds } from '../../platform/time/clock.ts'
import { defined } from '../../protocol/index.ts'
import { left } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import { startTicker, type Ticker, tolerance } from './clock.ts'
import { decide } from './decide.ts'
import { eventsOf, type History, historyAfter, notBefore, type Slowness } from './history.ts'
import { type JobRecord, type OpenRun, putJob } from './records.ts'
import { createReclaimer, type Reclaimer, type RunParts, runJob } from './run.ts'
import type { StorageOperation } from './sinks/storage.ts'
import type {
  Job,
  JobEvent,
  JobStatus,
  RunCause,
  RunFailed,
  RunOutcome,
  SpentBudget,
} from './types.ts'

export interface RunnerOptions {
  readonly job: Job
  readonly parts: RunParts
  readonly timetable: Timetable
  readonly record: JobRecord | undefined
  /** A digest of the job, its budgets and its receiver: another one than the record's sets it going at once. */
  readonly settings: string
  /** Payments of earlier runs whose answers are in no queue. */
  readonly open: readonly OpenRun[]
  readonly slow: Slowness
  /** From 0 to below 1. */
  readonly random: () => number
  readonly onEvent: (event: JobEvent) => void
}

export class JobRunner {
  readonly #options: RunnerOptions
  readonly #abort = new AbortController()
  readonly #running = new Set<Promise<void>>()
  readonly #delayed = new Set<() => void>()
  readonly #reclaimer: Reclaimer
  #ticker: Ticker | undefined
  #queued = false
  #history: History
  #paused: boolean
  /** By `passed` of the clock. */
  #notBefore: Milliseconds
  /** When it was said last that the budget is spent, by `passed`. */
  #said = Number.NEGATIVE_INFINITY

  constructor(options: RunnerOptions) {
    const { job, parts, record, open, slow } = options
    this.#options = options
    this.#history = isChanged(options)
      ? { failures: 0, ...defined({ last: record?.last, values: record?.values }) }
      : historyIn(record)
    this.#paused = record?.paused ?? false
    this.#notBefore = notBefore(this.#history, slow, parts.clock)
    const { signal } = this.#abort
    this.#reclaimer = createReclaimer(parts, { job, signal, record: this.#recordAfter }, open)
  }

  start(): void {
    const { timetable, parts } = this.#options
    this.#ticker = startTicker({
      clock: parts.clock,
      timetable,
      onDue: (when) => (when === 'late' ? this.#missed() : this.#due('schedule')),
    })
  }

  /** One try for what a crash cut off; when there was nothing, what was missed meanwhile. */
  async catchUp(): Promise<void> {
    const { parts, record, job } = this.#options
    if (await this.#recover()) return
    // Somebody has raised it, perhaps: the run that found it spent begins anew.
    if (record?.spent !== undefined && isChanged(this.#options)) return this.#begin('schedule')
    // What was due by another schedule, or by a clock that ran ahead, was not missed.
    const due = record?.every === job.every ? record.due : Number.POSITIVE_INFINITY
    if (parts.clock.now() - due > tolerance) this.#missed()
  }

  status(): JobStatus {
    const { job, parts } = this.#options
    const { failures, last, values } = this.#history
    const spent = this.#spent()
    return {
      name: job.name,
      target: withoutKeys(job.target),
      every: job.every,
      state: this.#state(),
      next: this.#paused ? undefined : this.#next(spent),
      spent,
      last,
      values,
      failures,
      sinks: parts.outbox.status(job.name),
    }
  }

  /** @throws UraidenError `job_running` */
  async runNow(): Promise<RunOutcome> {
    const { job } = this.#options
    if (this.#running.size > 0 && job.overlap !== 'allow') {
      throw agentError({
        code: 'job_running',
        message: `The job ${job.name} is running.`,
      })
    }
    return this.#track(this.#run('command'))
  }

  /** @throws UraidenError `state_unwritable` */
  async setPaused(state: 'paused' | 'active'): Promise<void> {
    this.#paused = state === 'paused'
    await this.#options.parts.storage.write([this.#put(this.#history)], 'soon')
  }

  /** No run begins any more. */
  stopTicking(): void {
    this.#ticker?.stop()
    for (const cancel of this.#delayed) cancel()
    this.#delayed.clear()
    this.#queued = false
    this.#options.timetable.close()
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  abort(): void {
    const reason = agentError({
      code: 'aborted',
      message: 'The agent stops.',
      hint: 'What was paid and not answered is asked for after the next start.',
    })
    this.#abort.abort(reason)
  }

  /** The first moment that is not passed over. */
  #next(spent: SpentBudget | undefined): Milliseconds | undefined {
    const { timetable, parts } = this.#options
    const { now, passed } = parts.clock
    const due = this.#ticker?.due()
    if (due === undefined || (spent !== undefined && spent.until === undefined)) return undefined
    const until = spent?.until ?? due
    const next = until <= due ? due : timetable.next(until - 1)
    return Math.max(next, now() + this.#notBefore - passed())
  }

  /** The budget that has no room now. The ledger knows before its time is over whether there is some again. */
  #spent(): SpentBudget | undefined {
    const { clock, buyer } = this.#options.parts
    const { spent } = this.#history
    if (spent === undefined || clock.now() >= (spent.until ?? Number.POSITIVE_INFINITY)) return
    const limits = buyer.limits?.()
    if (limits === undefined) return spent
    const limit = limits.find((each) => each.scope === spent.scope && each.window === spent.window)
    return limit !== undefined && left(limit) < BigInt(spent.needed) ? spent : undefined
  }

  #state(): JobStatus['state'] {
    if (this.#paused) return 'paused'
    if (this.#running.size > 0) return 'running'
    if (this.#spent() !== undefined) return 'budgetSpent'
    return this.#options.parts.clock.passed() < this.#notBefore ? 'slowed' : 'waiting'
  }

  async #recover(): Promise<boolean> {
    if (this.#reclaimer.next() === undefined) return false
    try {
      await this.#track(this.#reclaimer.all((outcome) => this.#take(outcome)))
      return true
    } catch {
      // The first run tries again, and says what is wrong.
      return false
    }
  }

  #missed(): void {
    const { job, onEvent } = this.#options
    if (job.missed === 'run') this.#due('missed')
    else onEvent({ kind: 'skipped', job: job.name, reason: 'missed' })
  }

  #due(cause: RunCause): void {
    const { job, random } = this.#options
    const delay = Math.floor(job.jitter * random())
    if (delay === 0) {
      this.#begin(cause)
      return
    }
    this.#later(delay, cause)
  }

  #later(delay: Milliseconds, cause: RunCause): void {
    const cancel = this.#options.parts.clock.after(delay, () => {
      this.#delayed.delete(cancel)
      this.#begin(cause)
    })
    this.#delayed.add(cancel)
  }

  #begin(cause: RunCause): void {
    const { job, parts, onEvent } = this.#options
    const decision = decide({
      paused: this.#paused,
      full: parts.outbox.isFull(job.name),
      running: this.#running.size,
      queued: this.#queued,
      overlap: job.overlap,
      now: parts.clock.passed(),
      notBefore: this.#notBefore,
      spent: this.#spent() !== undefined,
    })
    if ('skip' in decision) {
      onEvent({ kind: 'skipped', job: job.name, reason: decision.skip })
      if (decision.skip === 'budgetSpent') this.#untilFree(cause)
    } else if (decision.begin === 'afterThis') this.#queued = true
    else void this.#track(this.#run(cause))
  }

  #track<Value>(work: Promise<Value>): Promise<Value> {
    const ended = (): void => {
      this.#running.delete(settled)
      if (!this.#queued || this.#running.size > 0) return
      this.#queued = false
      this.#begin('schedule')
    }
    const settled: Promise<void> = work.then(ended, ended)
    this.#running.add(settled)
    return work
  }

  async #run(cause: RunCause): Promise<RunOutcome> {
    const { job, parts } = this.#options
    const began = parts.clock.now()
    try {
      await this.#reclaimer.all((outcome) => this.#take(outcome))
    } catch (error) {
      const id = this.#reclaimer.next()?.id ?? ''
      const told = error instanceof Error ? error : new Error(String(error))
      const facts = { id, job: job.name, cause, began, ended: parts.clock.now() }
      const outcome: RunFailed = { ...facts, kind: 'failed', error: told, payment: 'open' }
      this.#take(outcome)
      return outcome
    }
    const { signal } = this.#abort
    const timesPerDay = this.#timesPerDay()
    const order = { job, cause, signal, timesPerDay, record: this.#recordAfter }
    const { outcome, open } = await runJob(parts, order)
    if (open !== undefined) this.#reclaimer.add(open)
    this.#take(outcome)
    return outcome
  }

  #timesPerDay(): number | undefined {
    const gap = this.#ticker?.gap()
    return gap === undefined ? undefined : Math.max(1, Math.round(day / gap))
  }

  #take(outcome: RunOutcome): void {
    const { slow, parts, onEvent } = this.#options
    const before = this.#history
    this.#history = this.#after(outcome)
    this.#notBefore = notBefore(this.#history, slow, parts.clock)
    for (const event of eventsOf(before, outcome, slow)) {
      if (event.kind !== 'budgetSpent' || this.#mayAgain()) onEvent(event)
    }
    this.#untilFree(outcome.cause)
  }

  /** A budget of an hour is free bit by bit. */
  #mayAgain(): boolean {
    const now = this.#options.parts.clock.passed()
    if (now - this.#said < hour) return false
    this.#said = now
    return true
  }

  /** The ledger's day begins a moment after the clock's: a run that was due there waits for it. */
  #untilFree(cause: RunCause): void {
    const { until } = this.#history.spent ?? {}
    const due = this.#ticker?.due()
    if (until === undefined || due === undefined || cause === 'command') return
    const wait = until - this.#options.parts.clock.now()
    if (wait > 0 && wait <= tolerance && until < due) this.#later(wait, cause)
  }

  readonly #recordAfter = (outcome: RunOutcome): StorageOperation => this.#put(this.#after(outcome))

  /** That we stop is no failure of the job. */
  #after(outcome: RunOutcome): History {
    return this.#abort.signal.aborted && outcome.kind === 'failed'
      ? this.#history
      : historyAfter(this.#history, outcome)
  }

  #put({ failures, last, spent, values, notBefore: asked }: History): StorageOperation {
    const { job, timetable, settings } = this.#options
    const due = this.#ticker?.due() ?? timetable.next()
    const record = { every: job.every, due, paused: this.#paused, failures, settings }
    return putJob(job.name, { ...record, ...defined({ last, spent, values, notBefore: asked }) })
  }
}

/** Since the record was written. One of an earlier version does not say. */
function isChanged({ record, settings }: RunnerOptions): boolean {
  return record?.settings !== undefined && record.settings !== settings
}

function historyIn(record: JobRecord | undefined): History {
  const { failures = 0, last, notBefore: asked, spent, values } = record ?? {}
  return { failures, ...defined({ last, notBefore: asked, spent, values }) }
}
