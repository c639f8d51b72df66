// How far the chain is while channels are closing: what lists, page and log say of the end of their challenge periods.
import type { BlockClock } from '../../../protocol/index.ts'
import type { SharedAgent } from './shared-agent.ts'

export class ClosingClock {
  readonly #shared: Pick<SharedAgent, 'current'>
  /** As it was read last; undefined before the first time. */
  now: BlockClock | undefined

  constructor(shared: Pick<SharedAgent, 'current'>) {
    this.#shared = shared
  }

  /** What was known before stays while the chain is away. */
  async read(): Promise<BlockClock | undefined> {
    this.now =
      (await this.#shared
        .current()
        ?.blockClock()
        .catch(() => undefined)) ?? this.now
    return this.now
  }
}
