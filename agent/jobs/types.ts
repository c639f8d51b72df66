// Jobs: what is bought when, and what came of it. `createScheduler` runs them.

import type { Milliseconds } from '../../platform/time/clock.ts'
import type { HeaderFields, TokenAmount, TokenUnit } from '../../protocol/index.ts'
import type { BudgetScope, BudgetWindow } from '../budget/caps.ts'
import type { PaymentFacts } from '../purchase/types.ts'
import type { SinkEvent, SinkStatus } from './sinks/types.ts'
import type { BoughtValue, BoughtValues } from './values.ts'

/** When a run is due and the one before has not ended. `queue` remembers one run, not more. */
export type OverlapRule = 'skip' | 'queue' | 'allow'

/** When runs were due while nothing ran: none of them, or one for all. */
export type MissedRule = 'skip' | 'run'

export interface Retry {
  /** Beyond the first try. */
  readonly times: number
  /** Before the first repeat; doubled for each further one. */
  readonly delay: Milliseconds
}

/** As the scheduler needs it: the configuration with amounts in the token's smallest unit. */
export interface Job {
  /** Of the job's budget, too. */
  readonly name: string
  /** A URL, or a receiver's name and a path; see `JobsOptions.resolve`. */
  readonly target: string
  readonly method: string
  readonly headers: HeaderFields
  readonly body?: string
  /** An interval such as `5m`, or five or six fields; six begin with seconds. */
  readonly every: string
  /** IANA name. Default: the machine's. */
  readonly timeZone?: string
  /** Each run begins up to so much later, at random. */
  readonly jitter: Milliseconds
  readonly mostPrice?: TokenAmount
  /** As `RequestOptions.mostPriceIn`. */
  readonly mostPriceIn?: string
  /** Buy nothing whose origin is not proven. */
  readonly authentic?: 'require'
  /** For one answer. */
  readonly timeout: Milliseconds
  /** Most bytes of one answer, decoded. */
  readonly mostBody: number
  readonly retry: Retry
  readonly overlap: OverlapRule
  readonly missed: MissedRule
}

export type RunCause = 'schedule' | 'missed' | 'command' | 'crash'

interface RunFacts {
  /** Unique for ever; also the idempotency key of its payment. */
  readonly id: string
  readonly job: string
  readonly cause: RunCause
  readonly began: Milliseconds
  readonly ended: Milliseconds
}

/** The body is in the queue of every sink. */
export interface RunDone extends RunFacts {
  readonly kind: 'done'
  readonly status: number
  readonly bytes: number
  /** Undefined for an answer that was free. */
  readonly payment: Pick<PaymentFacts, 'price' | 'cost' | 'x402'> | undefined
  /** It is proven to be the receiver's own answer to this request. */
  readonly authentic: boolean
  /** Sinks for which the body had nothing of what they pick. */
  readonly unfit: readonly string[]
  readonly value: BoughtValue
}

export interface RunFailed extends RunFacts {
  readonly kind: 'failed'
  readonly error: Error
  /**
   * What became of a payment for it: `none` was made or all came back; `open`: it is on its way, and the
   * next run asks for its answer before it pays again; `spent`: it is gone and its answer cannot be had.
   */
  readonly payment: 'none' | 'open' | 'spent'
  /** The receiver wants no request before. Unix time. */
  readonly notBefore?: Milliseconds | undefined
}

export type RunOutcome = RunDone | RunFailed

export type SkipReason =
  /** The run before has not ended. */
  | 'overlap'
  /** The machine or the agent was off, or the clock jumped. */
  | 'missed'
  /** The job keeps failing and goes on slower. */
  | 'slowed'
  /** Its budget has no room yet. */
  | 'budgetSpent'
  /** A sink's queue is full, and its rule is to buy nothing then. */
  | 'sinkFull'
  | 'paused'

export type JobEvent =
  | { readonly kind: 'run'; readonly outcome: RunOutcome }
  | { readonly kind: 'skipped'; readonly job: string; readonly reason: SkipReason }
  /** After ten failures in a row; said once until it works again. */
  | {
      readonly kind: 'failing'
      readonly job: string
      readonly failures: number
      readonly error: Error
    }
  | { readonly kind: 'recovered'; readonly job: string; readonly failures: number }
  /** Its budget has no room; said once until it bought again, and within an hour. */
  | { readonly kind: 'budgetSpent'; readonly job: string; readonly spent: SpentBudget }
  | SinkEvent

export interface JobStatus {
  readonly name: string
  readonly target: string
  /** The schedule, as it is configured. */
  readonly every: string
  readonly state: 'waiting' | 'running' | 'paused' | 'slowed' | 'budgetSpent'
  /** Unix time in milliseconds, without jitter; undefined while paused, and where no budget is free by itself. */
  readonly next: Milliseconds | undefined
  /** The budget that it waits for; no failure. */
  readonly spent?: SpentBudget | undefined
  /** Kept over restarts. */
  readonly last: LastRun | undefined
  /** What it has bought last; undefined before it bought anything. Kept over restarts. */
  readonly values?: BoughtValues | undefined
  /** In a row. */
  readonly failures: number
  readonly sinks: readonly SinkStatus[]
}

/** Which budget has no room, and until when. Kept over restarts. */
export interface SpentBudget {
  readonly code: string
  readonly message: string
  readonly scope: BudgetScope
  readonly window: BudgetWindow
  /** What there was no room for, in what the scope counts, as a decimal. */
  readonly needed: string
  /** Unix time; undefined: until somebody raises it. */
  readonly until?: Milliseconds
}

/** Amounts as decimals of the smallest unit. */
export interface LastRun {
  readonly began: Milliseconds
  readonly ended: Milliseconds
  readonly kind: RunOutcome['kind']
  readonly cost?: string
  readonly price?: string
  /** What they are in; undefined for the channels' token. */
  readonly unit?: TokenUnit
  /** Of a run that went well, as `RunDone`. */
  readonly authentic?: boolean
  readonly unfit?: readonly string[]
  readonly error?: { readonly code: string; readonly message: string }
}

export interface Scheduler {
  /** Begins. Resolves when answers that a crash cut off were asked for once. */
  readonly start: () => Promise<void>
  readonly status: () => readonly JobStatus[]
  /**
   * Runs a job now, also a paused one.
   * @throws UraidenError `job_unknown`, `job_running`
   */
  readonly run: (name: string) => Promise<RunOutcome>
  /**
   * All jobs when no name is given. Runs that are under way go on. Kept over restarts.
   * @throws UraidenError `job_unknown`, `state_unwritable`
   */
  readonly pause: (name?: string) => Promise<void>
  /** @throws UraidenError `job_unknown`, `state_unwritable` */
  readonly resume: (name?: string) => Promise<void>
  /** What was last told to the owner; undefined before anything was. @throws UraidenError `state_unusable` */
  readonly told: () => Promise<string | undefined>
  /**
   * Gives messages to the sinks of alerts, and keeps `told` in the same write.
   * @throws UraidenError `state_unwritable`
   */
  readonly tell: (messages: readonly object[], told: string) => Promise<void>
  /**
   * Writes to the card what waits for it, where `card` is gentle: lines of files, then queues and last runs. `keep`
   * may get last runs in place of a synced write of our own: to be on the card when it resolves, and to be given back as
   * `JobsOptions.copy`.
   * @throws UraidenError `state_unwritable`
   */
  readonly flush: (keep?: (copy: object) => Promise<void>) => Promise<void>
  /**
   * Begins no more runs, waits for those under way up to `grace`, then aborts them. What is not delivered
   * waits on the disk. Default 5 seconds.
   */
  readonly stop: (grace?: Milliseconds) => Promise<void>
}
