// Asks without paying, many times at once, in a process of its own: what it costs him is not the receiver's.
import { Agent, request } from 'undici'

export interface StrangerOrders {
  readonly base: string
  /** `{n}` is another number each time. */
  readonly path: string
  readonly accept: string
  readonly requests: number
  readonly connections: number
  /** Milliseconds, after which it asks no more. */
  readonly longest: number
}

export interface StrangerReport {
  readonly asked: number
  /** How many were answered with each status; 0 is no answer. */
  readonly statuses: { readonly [status: string]: number }
}

async function ask(orders: StrangerOrders): Promise<StrangerReport> {
  const { base, path, accept, requests, connections, longest } = orders
  const dispatcher = new Agent({ connections, headersTimeout: longest, bodyTimeout: longest })
  const end = performance.now() + longest
  const statuses: { [status: string]: number } = {}
  let asked = 0
  const one = async () => {
    while (asked < requests && performance.now() < end) {
      const url = base + path.replaceAll('{n}', `${asked++}`)
      const answer = request(url, { dispatcher, headers: { accept } })
      const status = await answer.then(
        async ({ statusCode, body }) => {
          await body.dump()
          return statusCode
        },
        () => 0,
      )
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status === 0) return
    }
  }
  await Promise.all(Array.from({ length: connections }, one))
  return { asked, statuses }
}

process.once('message', (orders: StrangerOrders) => {
  void ask(orders).then((report) => {
    process.send?.(report)
    process.disconnect()
  })
})
