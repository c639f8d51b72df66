/** Work that must not overlap. */
export interface Turns {
  /** Does the work when all that was given before is over, whether it failed or not. */
  readonly take: <Value>(work: () => Promise<Value>) => Promise<Value>
  /** Resolves when all that was given so far is over. Never rejects. */
  readonly idle: () => Promise<void>
}

/** One after the other, in the order in which they were given. */
export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    take: (work) => {
      const done = last.then(work)
      last = done.then(ignore, ignore)
      return done
    },
    idle: () => last,
  }
}

function ignore(): void {}
