// Payments of earlier runs whose answers are in no queue yet: asked for before anything new is paid.

import type { OpenRun } from './records.ts'
import { type RunOrder, type RunParts, reclaimRun } from './run.ts'
import type { RunOutcome } from './types.ts'

export interface Reclaimer {
  readonly add: (run: OpenRun) => void
  readonly next: () => OpenRun | undefined
  /**
   * Asks for all of them, the oldest first. `onOutcome` hears of each that is settled.
   * @throws UraidenError why an answer cannot be had now
   */
  readonly all: (onOutcome: (outcome: RunOutcome) => void) => Promise<void>
}

export function createReclaimer(
  parts: RunParts,
  order: Omit<RunOrder, 'cause'>,
  known: readonly OpenRun[],
): Reclaimer {
  const open = [...known]
  let running: Promise<void> | undefined

  async function askAll(onOutcome: (outcome: RunOutcome) => void): Promise<void> {
    for (let run = open[0]; run !== undefined; run = open[0]) {
      const outcome = await reclaimRun(parts, order, run)
      open.shift()
      onOutcome(outcome)
    }
  }

  return {
    add: (run) => {
      open.push(run)
    },
    next: () => open[0],
    all: (onOutcome) => {
      // Runs that overlap wait for the same answers.
      running ??= askAll(onOutcome).finally(() => {
        running = undefined
      })
      return running
    },
  }
}
