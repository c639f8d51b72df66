// A connection of ethers to a chain of a lab.
import { JsonRpcProvider, type Subscriber, type Subscription } from 'ethers'

export interface LabProviderOptions {
  readonly rpcUrl: string
  readonly chainId: number | bigint | undefined
  /** In milliseconds. */
  readonly pollingInterval: number
}

/**
 * ethers looks for a receipt when there is a new block. Where blocks come only with transactions, a node may tell the
 * number of the last one before its receipts, and no other block follows: here it looks again and again.
 */
export class LabProvider extends JsonRpcProvider {
  constructor({ rpcUrl, chainId, pollingInterval }: LabProviderOptions) {
    // One transaction follows the other within moments.
    super(rpcUrl, chainId, {
      ...{ staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 },
      pollingInterval,
    })
  }

  override _getSubscriber(subscription: Subscription): Subscriber {
    if (subscription.type !== 'block') return super._getSubscriber(subscription)
    return new Polling(this)
  }
}

/** Tells the newest block at each look, whether it is another one or not. */
class Polling implements Subscriber {
  readonly #provider: JsonRpcProvider
  #timer: number | undefined

  constructor(provider: JsonRpcProvider) {
    this.#provider = provider
  }

  start(): void {
    this.#timer ??= this.#provider._setTimeout(() => void this.#look(), 0)
  }

  stop(): void {
    if (this.#timer !== undefined) this.#provider._clearTimeout(this.#timer)
    this.#timer = undefined
  }

  pause(): void {
    this.stop()
  }

  resume(): void {
    this.start()
  }

  async #look(): Promise<void> {
    const mine = this.#timer
    // A node that is away is asked again.
    const newest = await this.#provider.getBlockNumber().catch(() => undefined)
    if (this.#timer !== mine) return
    if (newest !== undefined) await this.#provider.emit('block', newest)
    if (this.#timer !== mine) return
    const { pollingInterval } = this.#provider
    this.#timer = this.#provider._setTimeout(() => void this.#look(), pollingInterval)
  }
}
