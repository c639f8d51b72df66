// Payments of one channel, in their order, so many at the same time and to several receivers in turn. By node:http:
// the threads of wrk do not know of each other, and one that runs ahead would leave more gaps than a channel may have.
import { Agent, request } from 'node:http'
import type { Load } from './wrk.ts'

export interface OneChannelLoad {
  /** Of receivers that share the channel. */
  readonly bases: readonly string[]
  /** See `paymentLine`. */
  readonly payments: readonly string[]
  readonly seconds: number
  readonly connections: number
}

export async function payOnOneChannel(load: OneChannelLoad): Promise<Load> {
  const { bases, payments, seconds, connections } = load
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const begun = performance.now()
  const end = begun + seconds * 1000
  const took: number[] = []
  let next = 0
  let refused = 0
  const client = async () => {
    while (performance.now() < end && next < payments.length) {
      const at = next++
      const sent = performance.now()
      const status = await ask(agent, `${bases[at % bases.length]}/paid`, payments[at] ?? '')
      took.push(performance.now() - sent)
      if (status >= 400) refused++
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  agent.destroy()
  took.sort((a, b) => a - b)
  const spent = (performance.now() - begun) / 1000
  const percentile = (part: number) => took[Math.floor(took.length * part)] ?? Number.NaN
  return {
    ...{ requests: took.length, seconds: spent, requestsPerSecond: took.length / spent },
    ...{ p50: percentile(0.5), p99: percentile(0.99), refused, failed: 0 },
  }
}

function ask(agent: Agent, url: string, payment: string): Promise<number> {
  const headers = Object.fromEntries(
    payment.split('|').map((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  return new Promise((resolve, reject) => {
    request(url, { agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
      .once('error', reject)
      .end()
  })
}
