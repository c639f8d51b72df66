// The proxy as the configuration wants it, and how it follows a new one without losing its port.
import type { Milliseconds } from '../../budget/clock.ts'
import { type LocalProxy, type ProxyOptions, startProxy } from '../../proxy/server.ts'
import type { TokenSettings } from '../configuration/settings.ts'
import type { DaemonStatus } from '../control/status.ts'
import { type Capability, graceOfChange } from './capability.ts'

type ProxyParts = Pick<ProxyOptions, 'stream' | 'receivers' | 'onDefect'>

export class DaemonProxy implements Capability<TokenSettings> {
  readonly #parts: ProxyParts
  #running: LocalProxy | undefined
  #socket: string | undefined

  constructor(parts: ProxyParts) {
    this.#parts = parts
  }

  /** Undefined while there is none. */
  status(): DaemonStatus['proxy'] {
    return this.#running && { port: this.#running.port, socket: this.#socket }
  }

  /** @throws UraidenError those of `startProxy` */
  async start({ proxy, facts }: TokenSettings): Promise<void> {
    const options = proxy && { ...proxy, ...this.#parts, token: facts }
    const old = this.#running
    if (old !== undefined && options !== undefined && old.isAt(options)) {
      old.change(options)
      return
    }
    this.#running = options && (await startProxy(options))
    this.#socket = options?.socket?.path
    // What is under way there goes on.
    void old?.close(graceOfChange)
  }

  async stop(grace: Milliseconds): Promise<void> {
    await this.#running?.close(grace)
  }
}
