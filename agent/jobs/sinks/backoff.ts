// How long to wait after failures in a row: a pure function.
import type { Milliseconds } from '../../../platform/time/clock.ts'

export interface Backoff {
  /** After the first failure. */
  readonly first: Milliseconds
  /** Never more. */
  readonly most: Milliseconds
}

/** Doubled with each failure, up to the ceiling. 0 when nothing has failed. */
export function backoffDelay({ first, most }: Backoff, failures: number): Milliseconds {
  if (failures <= 0) return 0
  // 2^30 is over any ceiling; without the bound the product overflows to Infinity, and 0 · Infinity is NaN.
  return Math.min(most, first * 2 ** Math.min(failures - 1, 30))
}
