// ./scripts/bench bound: what tying payments and answers to their requests costs both sides, beside the same
// purchases untied and the same requests unpaid. Figures of one run can be compared with each other only.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, connect as openConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { contractKey } from './lib/bound/parties.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    payments: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
  },
})
const payments = Number(values.payments)
const modes = ['free', 'unbound', 'bound'] as const
type Mode = (typeof modes)[number]

/** Of one request: microseconds of all threads, bytes with heads and bodies. */
interface Cost {
  readonly agent: number
  readonly receiver: number
  readonly sent: number
  readonly received: number
}

const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-'))
try {
  const runs: { mode: Mode; cost: Cost }[] = []
  // Round by round, so that what else the machine does meets all of them.
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const mode of modes) {
      runs.push({ mode, cost: await measure(mode, join(folder, `${mode}-${round}`)) })
    }
  }
  const costs = modes.map((mode) => ({
    mode,
    ...median(runs.filter((run) => run.mode === mode).map(({ cost }) => cost)),
  }))
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ node: process.version, payments, rounds: Number(values.rounds), costs })}\n`
      : table(costs),
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function measure(mode: Mode, state: string): Promise<Cost> {
  const receiver = start('receiver-process.ts', join(state, 'receiver'), contractKey)
  const wire = await countingWire(await said<string>(receiver))
  const agent = start('agent-process.ts', mode, wire.base, join(state, 'agent'), `${payments}`)
  try {
    await said(agent)
    const before = await asked<number>(receiver)
    wire.reset()
    const ofAgent = await asked<number>(agent)
    const { sent, received } = wire.counts
    const ofReceiver = (await asked<number>(receiver)) - before
    agent.send('stop')
    await once(agent, 'exit')
    const [a, r, s, b] = [ofAgent, ofReceiver, sent, received].map((sum) => sum / payments)
    return { agent: a ?? 0, receiver: r ?? 0, sent: s ?? 0, received: b ?? 0 }
  } finally {
    agent.kill()
    receiver.kill()
    wire.close()
  }
}

function start(name: string, ...args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(`./lib/bound/${name}`, import.meta.url)), args)
}

function said<Value>(child: ChildProcess): Promise<Value> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as Value))
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

function asked<Value>(child: ChildProcess): Promise<Value> {
  const answer = said<Value>(child)
  child.send('go')
  return answer
}

/** Passes everything on, in this process, and counts it. */
async function countingWire(target: string) {
  const counts = { sent: 0, received: 0 }
  const { hostname, port } = new URL(target)
  const server = createServer((client) => {
    const upstream = openConnection(Number(port), hostname)
    client.on('data', (chunk) => {
      counts.sent += chunk.length
    })
    upstream.on('data', (chunk) => {
      counts.received += chunk.length
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
    },
    close: () => server.close(),
  }
}

/** Of each figure: one round in which the machine did much else says little. */
function median(costs: readonly Cost[]): Cost {
  const of = (name: keyof Cost) => {
    const sorted = costs.map((cost) => cost[name]).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  return {
    agent: of('agent'),
    receiver: of('receiver'),
    sent: of('sent'),
    received: of('received'),
  }
}

function table(costs: readonly (Cost & { readonly mode: Mode })[]): string {
  const unbound = costs.find(({ mode }) => mode === 'unbound')
  const rows = costs.map(({ mode, agent, receiver, sent, received }) => {
    const times = (value: number, base: number | undefined) =>
      `${value.toFixed(0)} (${(value / (base ?? 1)).toFixed(2)})`
    const cells = [
      mode,
      times(agent, unbound?.agent),
      times(receiver, unbound?.receiver),
      times(sent, unbound?.sent),
      times(received, unbound?.received),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['', 'agent CPU µs', 'receiver CPU µs', 'bytes to the receiver', 'bytes back']
  return [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows,
    'all per request, in brackets of unbound',
    '',
  ].join('\n')
}
