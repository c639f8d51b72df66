// Tries again until it works: for what no person has to mend.
import type { Milliseconds } from '../../../platform/time/clock.ts'

export interface RetryOptions {
  readonly signal: AbortSignal
  readonly first: Milliseconds
  readonly longest: Milliseconds
  /** Called with each failure. What it throws ends the tries. */
  readonly onFailed: (error: unknown) => void
}

/** Resolves with what `work` does in the end; undefined when `signal` was aborted. */
export async function untilDone<Value>(
  work: () => Promise<Value>,
  { signal, first, longest, onFailed }: RetryOptions,
): Promise<Value | undefined> {
  for (let delay = first; !signal.aborted; delay = Math.min(2 * delay, longest)) {
    try {
      return await work()
    } catch (error) {
      onFailed(error)
    }
    await pause(delay, signal)
  }
  return undefined
}

function pause(delay: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delay)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
