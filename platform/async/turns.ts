/** Work that must not overlap. */
export interface Turns {
  /** Does the work when all that was given before is over, whether it failed or not. */
  readonly take: <Value>(work: () => Promise<Value>) => Promise<Value>
  /** The same before all that waits with `take`; what is under way goes on, urgent work keeps its order. */
  readonly takeFirst: <Value>(work: () => Promise<Value>) => Promise<Value>
  /** Resolves when all that was given so far is over. Never rejects. */
  readonly idle: () => Promise<void>
}

interface Waiting {
  readonly usual: (() => Promise<void>)[]
  readonly urgent: (() => Promise<void>)[]
}

/** One after the other, in the order in which they were given. */
export function createTurns(): Turns {
  const waiting: Waiting = { usual: [], urgent: [] }
  const pending = new Set<Promise<void>>()
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    // Whoever gives several in one go has given them all before the first begins.
    await Promise.resolve()
    for (;;) {
      const next = waiting.urgent.shift() ?? waiting.usual.shift()
      if (next === undefined) break
      await next()
    }
    isRunning = false
  }

  function give<Value>(queue: Waiting['usual'], work: () => Promise<Value>): Promise<Value> {
    const done = new Promise<Value>((resolve, reject) => {
      // An async function, so that work that throws at once is a rejection like any other.
      queue.push(() => (async () => work())().then(resolve, reject))
    })
    const over: Promise<void> = done.then(ignore, ignore).then(() => void pending.delete(over))
    pending.add(over)
    if (!isRunning) void run()
    return done
  }

  return {
    take: (work) => give(waiting.usual, work),
    takeFirst: (work) => give(waiting.urgent, work),
    idle: async () => void (await Promise.all(pending)),
  }
}

function ignore(): void {}
