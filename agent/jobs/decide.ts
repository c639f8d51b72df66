// Whether a run that is due begins: a pure function.
import type { Milliseconds } from '../../platform/time/clock.ts'
import type { OverlapRule, SkipReason } from './types.ts'

export interface Moment {
  readonly paused: boolean
  /** A sink says that nothing is to be bought. */
  readonly full: boolean
  /** Runs that have not ended. */
  readonly running: number
  /** A run waits for the one before to end. */
  readonly queued: boolean
  readonly overlap: OverlapRule
  readonly now: Milliseconds
  /** A failing job waits until then. */
  readonly notBefore: Milliseconds
  /** Its budget has no room. */
  readonly spent: boolean
}

export type Decision = { readonly begin: 'now' | 'afterThis' } | { readonly skip: SkipReason }

/** Also where runs may overlap: a receiver that hangs must not gather runs without end. */
export const mostAtOnce = 8

export function decide(moment: Moment): Decision {
  if (moment.paused) return { skip: 'paused' }
  if (moment.spent) return { skip: 'budgetSpent' }
  if (moment.now < moment.notBefore) return { skip: 'slowed' }
  if (moment.full) return { skip: 'sinkFull' }
  if (moment.running === 0) return { begin: 'now' }
  switch (moment.overlap) {
    case 'skip':
      return { skip: 'overlap' }
    case 'queue':
      return moment.queued ? { skip: 'overlap' } : { begin: 'afterThis' }
    case 'allow':
      return moment.running < mostAtOnce ? { begin: 'now' } : { skip: 'overlap' }
  }
}
