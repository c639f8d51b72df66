// One agent for jobs, proxy and commands, which can be exchanged while they use it for one of another
// configuration; and what they buy with it, counted.

import { endsWithin } from '../../../platform/async/ends-within.ts'
import { createTurns } from '../../../platform/async/turns.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { ErrorCatalogue } from '../../../protocol/errors.ts'
import { isUraidenError, type TokenAmount, type UraidenError } from '../../../protocol/index.ts'
import type { BudgetLimit } from '../../budget/caps.ts'
import { partyOf } from '../../channels/hours.ts'
import type { PaidThrough } from '../../channels/records.ts'
import { agentError, agentErrors } from '../../errors/index.ts'
import type { Agent, AgentStream, RequestOptions } from '../../options.ts'
import type { PaymentFacts } from '../../purchase/types.ts'
import type { Counters } from '../control/status.ts'

/** For requests to notice that they are aborted. */
const afterAbort: Milliseconds = 300

export class SharedAgent {
  #agent: Agent | undefined
  #problem: unknown = notReady()
  #abort = new AbortController()
  readonly #exchanges = createTurns()
  #stopped = false
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #onDone: () => void

  /** `onDone` is told of each use when it is over. */
  constructor(onDone: () => void = () => undefined) {
    this.#onDone = onDone
  }

  isBusy(): boolean {
    return this.#underWay.size > 0
  }

  /** Undefined while there is none. */
  current(): Agent | undefined {
    return this.#agent
  }

  /** Why there is none. */
  problem(): unknown {
    return this.#agent === undefined ? this.#problem : undefined
  }

  /** Why something that comes after it, or goes on with it, is not there: it may just have begun. */
  missing(): unknown {
    return this.problem() ?? notReady()
  }

  /** Says why, where not even its making could begin. */
  lacks(why: unknown): void {
    this.#problem = why
  }

  /**
   * Runs `work` with the agent; waits while it is exchanged. `signal` says that it should come to an end.
   * @throws UraidenError why there is no agent, `agent_stopping`, and what `work` throws
   */
  async use<Value>(work: (agent: Agent, signal: AbortSignal) => Promise<Value>): Promise<Value> {
    await this.#exchanges.idle()
    if (this.#stopped) throw stopping()
    if (this.#agent === undefined) throw this.#problem
    const done = work(this.#agent, this.#abort.signal)
    const settled: Promise<unknown> = done
      .catch(() => undefined)
      .then(() => {
        this.#underWay.delete(settled)
        this.#onDone()
      })
    this.#underWay.add(settled)
    return done
  }

  /**
   * Waits for what is under way, at most `grace` before it is aborted, stops the agent, and makes another.
   * What is begun meanwhile waits. When `make` throws there is no agent, and its error says why.
   */
  exchange(make: () => Promise<Agent>, grace: Milliseconds): Promise<void> {
    return this.#exchanges.take(async () => {
      if (this.#stopped) throw stopping()
      this.#problem = notReady()
      try {
        // Where the disk refuses the last write, the next start asks the receiver what the balance is.
        await this.#release(grace).catch(() => undefined)
        this.#agent = await make()
      } catch (error) {
        this.#problem = error
        throw error
      }
    })
  }

  /** As `exchange`, for good. */
  stop(grace: Milliseconds): Promise<void> {
    return this.#exchanges.take(() => {
      this.#stopped = true
      return this.#release(grace)
    })
  }

  async #release(grace: Milliseconds): Promise<void> {
    const over = Promise.all(this.#underWay)
    if (!(await endsWithin(over, grace))) {
      this.#abort.abort(stopping())
      // A transaction that waits for its block cannot be called off: `recover` finds what becomes of it.
      await endsWithin(over, afterAbort)
    }
    const old = this.#agent
    this.#agent = undefined
    this.#abort = new AbortController()
    await old?.stop()
  }
}

export interface Purchases extends Pick<Agent, 'stream' | 'request' | 'repeatPayment'> {
  /** Every cap of now; undefined while there is no agent. */
  readonly limits: () => readonly BudgetLimit[] | undefined
  readonly counters: () => Counters
}

/** One purchase that was answered. Amounts in the token's smallest unit. */
export interface Paid {
  readonly channel: PaidThrough
  readonly x402?: PaymentFacts['x402']
  readonly price: TokenAmount
  readonly cost: TokenAmount
  readonly method: string
  readonly url: URL
  readonly status: number
  readonly job: string | undefined
}

export interface PurchasesOptions {
  readonly shared: SharedAgent
  readonly onPaid: (paid: Paid) => void
  readonly onFailed: (error: unknown) => void
}

/** A limit of one's own said no. */
function isRefusal({ code }: UraidenError): boolean {
  const catalogue: ErrorCatalogue = agentErrors
  return code === 'wrong_token' || catalogue[code]?.kind === 'refused'
}

export function createPurchases({ shared, onPaid, onFailed }: PurchasesOptions): Purchases {
  let [payments, refusals, failures] = [0, 0, 0]

  async function counted<Answer extends Pick<AgentStream, 'payment' | 'status'>>(
    url: string | URL,
    options: RequestOptions | undefined,
    ask: (agent: Agent, options: RequestOptions) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await shared.use((agent, stopping) => {
        const signal = options?.signal ? AbortSignal.any([options.signal, stopping]) : stopping
        return ask(agent, { ...options, signal })
      })
      if (answer.payment !== undefined) {
        payments++
        const { method = 'GET', job } = options ?? {}
        onPaid({ ...answer.payment, status: answer.status, url: new URL(url), method, job })
      }
      return answer
    } catch (error) {
      if (isUraidenError(error, 'dry_run')) throw error
      if (isUraidenError(error) && isRefusal(error)) refusals++
      // Who hung up knows it.
      else if (!options?.signal?.aborted) {
        failures++
        shared.current()?.hours.count(partyOf('', options?.job), 'failures')
        onFailed(error)
      }
      throw error
    }
  }

  return {
    counters: () => ({ payments, refusals, failures }),
    limits: () => {
      const budget = shared.current()?.budget()
      return budget && [...budget.limits, ...budget.transactions]
    },
    stream: (url, options) => counted(url, options, (agent, all) => agent.stream(url, all)),
    request: (url, options) => counted(url, options, (agent, all) => agent.request(url, all)),
    repeatPayment: (url, payment, options) =>
      counted(url, options, (agent, all) => agent.repeatPayment(url, payment, all)),
  }
}

function notReady(): UraidenError {
  return agentError({
    code: 'agent_not_ready',
    message: 'The agent is not ready yet.',
  })
}

function stopping(): UraidenError {
  return agentError({
    code: 'agent_stopping',
    message: 'The agent is about to stop.',
  })
}
