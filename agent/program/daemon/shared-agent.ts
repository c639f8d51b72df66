// One agent for jobs, proxy and commands, which can be exchanged while they use it for one of another
// configuration.
import { endsWithin } from '../../../platform/system/ends-within.ts'
import { UraidenError } from '../../../protocol/index.ts'
import type { Milliseconds } from '../../budget/clock.ts'
import type { Agent } from '../../options.ts'

export interface SharedAgent {
  /**
   * Runs `work` with the agent; waits while it is exchanged. `signal` says that it should come to an end.
   * @throws UraidenError why there is no agent, `agent_stopping`, and what `work` throws
   */
  readonly use: <Value>(
    work: (agent: Agent, signal: AbortSignal) => Promise<Value>,
  ) => Promise<Value>
  /** Undefined while there is none. */
  readonly current: () => Agent | undefined
  /** Why there is none. */
  readonly problem: () => unknown
  /** Says why, where not even its making could begin. */
  readonly lacks: (why: unknown) => void
  /**
   * Waits for what is under way, at most `grace` before it is aborted, stops the agent, and makes another.
   * What is begun meanwhile waits. When `make` throws there is no agent, and its error says why.
   */
  readonly exchange: (make: () => Promise<Agent>, grace: Milliseconds) => Promise<void>
  /** As `exchange`, for good. */
  readonly stop: (grace: Milliseconds) => Promise<void>
}

/** For requests to notice that they are aborted. */
const afterAbort: Milliseconds = 1500

export function createSharedAgent(): SharedAgent {
  let agent: Agent | undefined
  let problem: unknown = notReady()
  let abort = new AbortController()
  let gate: Promise<unknown> = Promise.resolve()
  let stopped = false
  const underWay = new Set<Promise<unknown>>()

  async function use<Value>(
    work: (agent: Agent, signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    await gate
    if (stopped) throw stopping()
    if (agent === undefined) throw problem
    const done = work(agent, abort.signal)
    const settled: Promise<unknown> = done
      .catch(() => undefined)
      .then(() => underWay.delete(settled))
    underWay.add(settled)
    return done
  }

  async function release(grace: Milliseconds): Promise<void> {
    const over = Promise.all(underWay)
    if (!(await endsWithin(over, grace))) {
      abort.abort(stopping())
      // A transaction that waits for its block cannot be called off: `recover` finds what becomes of it.
      await endsWithin(over, afterAbort)
    }
    const old = agent
    agent = undefined
    abort = new AbortController()
    await old?.stop()
  }

  function exchange(make: () => Promise<Agent>, grace: Milliseconds): Promise<void> {
    const done = gate.then(async () => {
      if (stopped) throw stopping()
      problem = notReady()
      try {
        // Where the disk refuses the last write, the next start asks the receiver what the balance is.
        await release(grace).catch(() => undefined)
        agent = await make()
      } catch (error) {
        problem = error
        throw error
      }
    })
    gate = done.catch(() => undefined)
    return done
  }

  return {
    use,
    current: () => agent,
    problem: () => (agent === undefined ? problem : undefined),
    lacks: (why) => {
      problem = why
    },
    exchange,
    stop: async (grace) => {
      const done = gate.then(() => {
        stopped = true
        return release(grace)
      })
      gate = done.catch(() => undefined)
      return done
    },
  }
}

function notReady(): UraidenError {
  return new UraidenError({
    code: 'agent_not_ready',
    message: 'The agent is not ready yet.',
    hint: 'Nothing was paid. Try again in a moment; `uraiden-agent status` says what it waits for.',
  })
}

function stopping(): UraidenError {
  return new UraidenError({
    code: 'agent_stopping',
    message: 'The agent is about to stop.',
    hint: 'Nothing more is paid. Try again when it runs.',
  })
}
