// Many ask, one run answers: requests that come while a command runs get its output too, and for a
// while those that come after.

export interface SharedOptions<Output> {
  readonly run: () => Promise<Output>
  /** Milliseconds for which an output is used again; 0: only by those who waited for it. */
  readonly keepFor: number
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number
}

/** A failed run is never kept. */
export function shareRuns<Output>(options: SharedOptions<Output>): () => Promise<Output> {
  const { run, keepFor, now } = options
  let running: Promise<Output> | undefined
  let kept: { readonly output: Output; readonly until: number } | undefined

  async function runOnce(): Promise<Output> {
    try {
      const output = await run()
      kept = { output, until: now() + keepFor }
      return output
    } finally {
      running = undefined
    }
  }

  return () => {
    if (kept !== undefined && now() < kept.until) return Promise.resolve(kept.output)
    running ??= runOnce()
    return running
  }
}
