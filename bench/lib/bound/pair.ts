// A receiver and an agent that buys from it, a process each, and what goes over the wire between them.
//
// The receiver says its URL, and at each message the microseconds of CPU that it has used. The agent says that it
// is warm, and at a message buys so often and says what that took; at the next one it ends.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as openConnection } from 'node:net'
import { headerName } from '../../../protocol/index.ts'

export interface Pair {
  readonly receiver: () => ChildProcess
  readonly agent: (base: string) => ChildProcess
}

/** Of one payment: microseconds of all threads, bytes with heads and bodies. */
export interface PairCost {
  readonly agent: number
  readonly receiver: number
  readonly sent: number
  readonly received: number
  /** Answers of the receiver. */
  readonly roundTrips: number
  /** Balance proofs: payments by tick need none. */
  readonly signatures: number
  /** One after the other. */
  readonly perSecond: number
}

export async function measurePair(pair: Pair, payments: number): Promise<PairCost> {
  const receiver = pair.receiver()
  const wire = await countingWire(await said<string>(receiver))
  const agent = pair.agent(wire.base)
  try {
    await said(agent)
    const before = await asked<number>(receiver)
    wire.reset()
    const begun = performance.now()
    const ofAgent = await asked<number>(agent)
    const seconds = (performance.now() - begun) / 1000
    const { sent, received, answers, signatures } = wire.counts
    const ofReceiver = (await asked<number>(receiver)) - before
    agent.send('stop')
    await once(agent, 'exit')
    return {
      agent: ofAgent / payments,
      receiver: ofReceiver / payments,
      sent: sent / payments,
      received: received / payments,
      roundTrips: answers / payments,
      signatures: signatures / payments,
      perSecond: payments / seconds,
    }
  } finally {
    agent.kill()
    receiver.kill()
    wire.close()
  }
}

export function said<Value>(child: ChildProcess): Promise<Value> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as Value))
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

export function asked<Value>(child: ChildProcess): Promise<Value> {
  const answer = said<Value>(child)
  child.send('go')
  return answer
}

function timesIn(chunk: Buffer, text: string): number {
  return chunk.toString('latin1').toLowerCase().split(text.toLowerCase()).length - 1
}

/** Passes everything on, in this process, and counts it. */
async function countingWire(target: string) {
  const counts = { sent: 0, received: 0, answers: 0, signatures: 0 }
  const { hostname, port } = new URL(target)
  const server = createServer((client) => {
    const upstream = openConnection(Number(port), hostname)
    client.on('data', (chunk) => {
      counts.sent += chunk.length
      counts.signatures += timesIn(chunk, `${headerName.signature}: `)
    })
    upstream.on('data', (chunk) => {
      counts.received += chunk.length
      counts.answers += timesIn(chunk, 'HTTP/1.1 ')
    })
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      socket.on('error', () => {
        client.destroy()
        upstream.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    reset: () => {
      counts.sent = 0
      counts.received = 0
      counts.answers = 0
      counts.signatures = 0
    },
    close: () => server.close(),
  }
}
