// What waits on the disk, where a file in memory spares the card what is gone again at once: a payment on its way, and
// a body until its sinks have it. Each of these writes would cost ext4 some 20 kB. What is still there an interval
// later goes to the card, with all else. A process that is killed loses nothing; a power cut loses at most the last
// interval.
//
// Last runs are history: for them alone the card is written once in sixty intervals, ten minutes.
import {
  openSpooledState,
  type SpooledState,
  type SpoolOptions,
} from '../../../platform/state/spool.ts'
import type { StateOperation } from '../../../platform/state/state.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'

/** `soon`: synced at most an interval later. `lazily`: with whatever is synced next. */
export type Urgency = 'soon' | 'lazily'

/** As `OutboxStorage`. */
export interface AsideStorage
  extends Pick<SpooledState, 'getMany' | 'records' | 'isOnCard' | 'close'> {
  readonly write: (operations: readonly StateOperation[], urgency: Urgency) => Promise<void>
  readonly flush: () => Promise<void>
}

export interface AsideOptions extends SpoolOptions {
  readonly syncInterval: Milliseconds
}

/** Of jobs' last runs, and of what sinks know of theirs. */
const history = ['job/', 'mark/']
const intervalsOfHistory = 60

/** @throws UraidenError those of `openState` */
export async function openAside({ syncInterval, ...options }: AsideOptions): Promise<AsideStorage> {
  const state = await openSpooledState(options)
  const historyInterval = intervalsOfHistory * syncInterval
  let flushed = performance.now()
  let isUrgent = false
  let timer: NodeJS.Timeout | undefined
  /** It is set for an interval after a write, not for the history alone. */
  let isSoon = false

  const wake = (delay: Milliseconds): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      isSoon = false
      // The next write goes to the card, and says what is wrong.
      look().catch(() => undefined)
    }, delay).unref()
  }
  const look = async (): Promise<void> => {
    const left = flushed + historyInterval - performance.now()
    if (isUrgent || left <= 0 || (await state.isBehind((key) => !isHistory(key)))) await flush()
    else if (!isSoon) wake(left)
  }
  const flush = async (): Promise<void> => {
    isUrgent = false
    await state.write([])
    flushed = performance.now()
  }
  return {
    write: async (operations, urgency) => {
      await state.spool(operations)
      isUrgent ||= isAskedFor(operations, urgency)
      if (isSoon) return
      isSoon = true
      wake(syncInterval)
    },
    getMany: (keys) => state.getMany(keys),
    records: (prefix) => state.records(prefix),
    isOnCard: (prefix) => state.isOnCard(prefix),
    flush,
    close: async () => {
      clearTimeout(timer)
      await state.close()
    },
  }
}

/** A pause, and not what a run leaves besides. */
function isAskedFor(operations: readonly StateOperation[], urgency: Urgency): boolean {
  return urgency === 'soon' && operations.every(({ key }) => isHistory(key))
}

function isHistory(key: string): boolean {
  return history.some((prefix) => key.startsWith(prefix))
}
