// Writes to the card what waits for it in memory, every two hours and whenever somebody asks.
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Clock } from '../../jobs/clock.ts'
import { flushInterval } from '../configuration/card.ts'
import type { Settings } from '../configuration/settings.ts'
import type { Capability } from './capability.ts'

export interface FlushingOptions {
  readonly clock: Pick<Clock, 'after' | 'now'>
  readonly flush: () => Promise<void>
  /** Of one that nobody has asked for. */
  readonly onFailed: (error: unknown) => void
}

type Wanted = Pick<Settings, 'spool'>

/** The next one comes that long after the last, whoever asked for it. */
export class Flushing implements Capability<Wanted> {
  readonly #options: FlushingOptions
  /** When all of it was written; undefined before the first time. Unix time. */
  last: Milliseconds | undefined
  #isWanted = false
  #cancel: () => void = () => undefined

  constructor(options: FlushingOptions) {
    this.#options = options
  }

  async start({ spool }: Wanted): Promise<void> {
    const isWanted = spool !== undefined
    // What goes on waits no longer because the configuration was read again.
    if (isWanted === this.#isWanted) return
    this.#isWanted = isWanted
    this.#arm()
  }

  /** What is left is written by whoever keeps it, when it stops. */
  async stop(): Promise<void> {
    this.#isWanted = false
    this.#cancel()
  }

  /** @throws what `flush` throws */
  async now(): Promise<void> {
    try {
      await this.#options.flush()
      this.last = this.#options.clock.now()
    } finally {
      this.#arm()
    }
  }

  #arm(): void {
    const { clock, onFailed } = this.#options
    this.#cancel()
    if (!this.#isWanted) return
    this.#cancel = clock.after(flushInterval, () => {
      this.now().catch(onFailed)
    })
  }
}
