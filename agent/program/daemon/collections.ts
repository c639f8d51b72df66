// Memory given back. V8 collects when its heap is full, not when there is nothing else to do: what starting and a
// busy time leave would stay for hours. Several collections: V8 drops the compiled code of a function only after it
// was not used between some of them. In a busy time V8 lets garbage become 8 MB; that is half of what a daemon has.

import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Clock } from '../../jobs/clock.ts'

export interface CollectionsOptions {
  readonly clock: Pick<Clock, 'after'>
  /** Whether something is under way that must not wait for a collection. */
  readonly isBusy: () => boolean
  readonly heap: Heap
}

export interface Heap {
  /** Bytes that are in use, or were before they became garbage. */
  readonly used: () => number
  /** All that can be given back, which takes longer. */
  readonly collect: () => void
  readonly collectQuickly: () => void
}

/** For which nothing was touched, before the first collection and between two. */
const quiet: Milliseconds = 2000
const rounds = 4

/** Bytes. Less is not worth the work: that is a run of a job or two, or some dozens of purchases through the proxy. */
const worthwhile = 2 << 20

export class Collections {
  readonly #options: CollectionsOptions
  #cancel: () => void = () => undefined
  /** By the last collection of all; 0 where much has come since. */
  #left = 0
  /** By the last one. */
  #least = 0
  #stopped = false

  constructor(options: CollectionsOptions) {
    this.#options = options
  }

  /** Something is over; what it left is collected once nothing more comes for a while. */
  touched(): void {
    if (!this.#stopped) this.#in(rounds)
  }

  /** The same of what comes in numbers: in a busy time nothing waits for its end. */
  worked(): void {
    const { heap } = this.#options
    if (!this.#stopped && heap.used() - this.#least >= worthwhile) {
      heap.collectQuickly()
      this.#least = heap.used()
      this.#left = 0
    }
    this.touched()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #in(still: number): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(quiet, () => this.#look(still))
  }

  #look(still: number): void {
    const { isBusy, heap } = this.#options
    // Its end is told, too.
    if (isBusy()) return
    if (still === rounds && heap.used() - this.#left < worthwhile) return
    heap.collect()
    this.#left = heap.used()
    this.#least = this.#left
    if (still > 1) this.#in(still - 1)
  }
}

/** V8's own. */
export function ownHeap(): Heap {
  let made: NodeJS.GCFunction | undefined
  const gc = (): NodeJS.GCFunction => {
    made ??= exposed()
    return made
  }
  return {
    used: () => getHeapStatistics().used_heap_size,
    collect: () => gc()({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    collectQuickly: () => gc()({ type: 'major', execution: 'sync' }),
  }
}

/** Without `--expose-gc`, which Node 20 does not take from NODE_OPTIONS. */
function exposed(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc')
  const gc: NodeJS.GCFunction = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return gc
}
