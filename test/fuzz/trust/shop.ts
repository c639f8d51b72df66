// The honest receiver: the real one, on a chain that stands still, and what it sells. It keeps a record of
// everything that it served, for whom and for how much.

import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { startReceiverOn } from '../../../receiver/core/receiver.ts'
import { createReceiverServer, type Receiver } from '../../../receiver/index.ts'
import type { ChannelClient } from '../../lab/chains/still-chain.ts'
import { freePort } from '../../lab/processes/free-port.ts'
import { type PaidBy, paidBy } from '../../lab/torture/paid-by.ts'
import type { ResourceKind } from './schedule.ts'

/** Chooses what is served, and is signed when it is sent. */
const choosing = ['accept', 'accept-language', 'authorization', 'cookie', 'range'] as const
const alsoChoosing = ['if-none-match', 'prefer', 'x-http-method-override', 'content-type'] as const

/** What a resource was asked for, as it saw it. */
export interface Order {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly chosen: { readonly [field: string]: string }
}

export interface Served extends Order {
  readonly id: number
  readonly price: bigint
  readonly cost: bigint
  readonly status: number
  /** What the sender must get, without codings. */
  readonly content: string
  readonly paidBy: PaidBy
}

/** From this number on they are purchases of the sender that cheats. */
export const firstOfCheat = 10_000

export interface ShopOptions {
  readonly key: string
  readonly contract: Receiver['contract']
  readonly state: string
  readonly chain: ChannelClient
  /** Breaks what the receiver is made of, to see that it is found. */
  readonly plant?: (receiver: Receiver, server: FastifyInstance) => void
}

/** Over all restarts of the receiver. */
export class Shop {
  readonly served: Served[] = []
  readonly servedToCheat: Served[] = []
  price = 5n
  /** The highest that it ever asked. */
  dearest = 5n
  readonly #options: ShopOptions
  readonly #prices = new WeakMap<object, bigint>()
  #port = 0
  #running: { readonly receiver: Receiver; readonly server: FastifyInstance } | undefined

  constructor(options: ShopOptions) {
    this.#options = options
  }

  get receiver(): Receiver {
    if (this.#running === undefined) throw new Error('the shop is closed')
    return this.#running.receiver
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  ask(price: bigint): void {
    this.price = price
    if (price > this.dearest) this.dearest = price
  }

  async start(): Promise<void> {
    const { key, contract, state, chain, plant } = this.#options
    const receiver = await startReceiverOn(chain.connected, {
      signer: createKeySigner(fromHex(key)),
      ...{ contract, state },
      pollInterval: 3_600_000,
      // The look at the chain from the start never gets old.
      now: () => 0,
      verifierThreads: 0,
    })
    await receiver.synced
    const price = (request: FastifyRequest): bigint => {
      this.#prices.set(request.raw, this.price)
      return this.price
    }
    const handler = (request: FastifyRequest, reply: FastifyReply) => this.#serve(request, reply)
    const path = '/r/:resource/:id'
    const server = await createReceiverServer(receiver, [
      { path, price, handler },
      { path, method: 'POST', price, handler },
    ])
    plant?.(receiver, server)
    this.#port ||= await freePort()
    await server.listen({ host: '127.0.0.1', port: this.#port })
    this.#running = { receiver, server }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.server.close()
    await running?.receiver.stop()
  }

  #serve(request: FastifyRequest, reply: FastifyReply): unknown {
    const { resource, id } = request.params as {
      readonly resource: ResourceKind
      readonly id: string
    }
    const { status, content, cost } = wares[resource](id)
    const price = this.#prices.get(request.raw) ?? 0n
    const { method, body } = request
    const servedTo = Number(id) < firstOfCheat ? this.served : this.servedToCheat
    servedTo.push({
      ...{ id: Number(id), price, status, content, method, url: request.raw.url ?? '' },
      cost: cost ?? price,
      body: typeof body === 'string' ? body : '',
      chosen: chosenBy(request.headers),
      paidBy: paidBy(request.headers),
    })
    if (status === 500) throw new Error('the resource is broken')
    if (cost !== undefined) reply.cost(cost)
    reply.code(status).type('text/plain')
    switch (resource) {
      case 'empty':
        return reply.send()
      case 'long':
        return reply.send(Readable.from([content.slice(0, 70_000), content.slice(70_000)]))
      case 'coded':
        return reply.header('content-encoding', 'gzip').send(gzipSync(content))
      default:
        return reply.send(content)
    }
  }
}

interface Ware {
  readonly status: number
  readonly content: string
  /** When it is not the price. */
  readonly cost?: bigint
}

const wares: { readonly [Kind in ResourceKind]: (id: string) => Ware } = {
  plain: (id) => ({ status: 200, content: `the content of ${id}` }),
  coded: (id) => ({ status: 200, content: `the coded content of ${id}` }),
  long: (id) => ({ status: 200, content: `the long content of ${id} `.repeat(4000) }),
  broken: () => ({ status: 500, content: '', cost: 0n }),
  cheaper: (id) => ({ status: 200, content: `the cheap content of ${id}`, cost: 1n }),
  empty: () => ({ status: 204, content: '' }),
  missing: (id) => ({ status: 404, content: `${id} is not here` }),
}

export function chosenBy(headers: { readonly [name: string]: unknown }): Order['chosen'] {
  const found = [...choosing, ...alsoChoosing].flatMap((name) =>
    headers[name] === undefined ? [] : [[name, String(headers[name])] as const],
  )
  return Object.fromEntries(found)
}
