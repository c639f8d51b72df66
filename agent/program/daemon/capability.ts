import type { Milliseconds } from '../../../platform/time/clock.ts'

/** A part of the daemon that follows the configuration. */
export interface Capability<Wanted> {
  /**
   * Begins, or follows new settings: what they do not change runs on. After an error, `start` with the
   * settings before puts things back.
   */
  readonly start: (wanted: Wanted) => Promise<void>
  /** Takes nothing new, and ends what is under way after `grace`. */
  readonly stop: (grace: Milliseconds) => Promise<void>
}

/**
 * At the end. With what ends after it, less than a second in all: who restarts or updates the agent waits for it. What
 * was paid and is not answered by then is on the disk, and asked for after the next start.
 */
export const graceOfStop: Milliseconds = 500

/** For what is under way when a part is exchanged for one of new settings. */
export const graceOfChange: Milliseconds = 30_000
