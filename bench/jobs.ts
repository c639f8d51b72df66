// ./scripts/bench jobs: what a run of a job costs the disk and the CPU beside the payment itself: the
// purchase is answered at once by a stand-in, the queue, the file and their syncs are real.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { AgentResponse } from '../agent/index.ts'
import { jobsOf } from '../agent/jobs/configured.ts'
import { openJobs } from '../agent/jobs/open.ts'
import type { Buyer } from '../agent/jobs/purchase.ts'
import { jobSchema } from '../agent/jobs/schema.ts'
import { parseAddress } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'

const { runs, json } = new Command('./scripts/bench jobs')
  .option('--runs <n>', 'of each kind', integer(10, 100_000), 500)
  .option('--json', 'print JSON')
  .parse()
  .opts<{ runs: number; json?: true }>()

const account = parseAddress(`0x${'11'.repeat(20)}`)

/** `syncInterval` below the time of a run syncs each; a long one groups them. */
const kinds = [
  { name: 'far apart', syncInterval: 0, payload: 20 },
  { name: 'far apart, 4 kB bodies', syncInterval: 0, payload: 4096 },
  { name: 'one after the other', syncInterval: 10_000, payload: 20 },
] as const

const results = []
for (const kind of kinds) results.push({ ...kind, ...(await measure(kind)) })
if (json) process.stdout.write(`${JSON.stringify({ node: process.version, runs, results })}\n`)
else {
  process.stdout.write('                          bytes written  CPU ms   a run\n')
  for (const { name, bytes, cpu } of results) {
    process.stdout.write(
      `${name.padEnd(26)}${bytes.toFixed(0).padStart(13)}${cpu.toFixed(2).padStart(8)}\n`,
    )
  }
}

async function measure({ syncInterval, payload }: (typeof kinds)[number]) {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-'))
  const reading = jobSchema.parse({
    get: 'http://receiver/reading',
    // Never by itself within a benchmark.
    every: '0 0 29 2 *',
    sinks: [{ file: join(folder, 'readings.jsonl') }],
  })
  const jobs = await openJobs({
    jobs: jobsOf({ reading }, { symbol: 'TKN', decimals: 18 }),
    buyer: standIn('x'.repeat(payload)),
    resolve: (target) => new URL(target),
    folder: join(folder, 'jobs'),
    owner: { chainId: 1n, contract: account, account },
    onEvent: () => undefined,
    syncInterval,
  })
  await jobs.start()
  const before = { bytes: bytesWritten(), cpu: process.cpuUsage() }
  for (let run = 0; run < runs; run++) await jobs.run('reading')
  while (jobs.status().some(({ sinks }) => sinks.some(({ waiting }) => waiting > 0))) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const { user, system } = process.cpuUsage(before.cpu)
  await jobs.stop()
  const bytes = (bytesWritten() - before.bytes) / runs
  await rm(folder, { recursive: true, force: true })
  return { bytes, cpu: (user + system) / 1000 / runs }
}

function standIn(value: string): Buyer {
  const body = Buffer.from(JSON.stringify({ value }))
  const payment = { price: 5n, channel: `${account}/1`, balance: 5n } as const
  const answer = {
    status: 200,
    answer: { status: 200, headers: { 'content-type': 'application/json' }, body },
    payment: { ...payment, cost: 5n },
    roundTrips: 1,
  } as unknown as AgentResponse
  return {
    request: async (_, options) => {
      // As large as real headers are.
      const headers = { 'RDN-Balance-Signature': `0x${'ab'.repeat(300)}` }
      await options?.onPayment?.({ ...payment, headers, receiver: account, key: 'key' })
      return answer
    },
    repeatPayment: async () => answer,
  }
}

/** Sent to the disk by this process, proc(5). */
function bytesWritten(): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
