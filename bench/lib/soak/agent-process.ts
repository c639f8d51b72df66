// The agent of the soak: jobs that are due at each simulated second. A second is over when all its runs
// have ended, so that time passes as fast as the machine can keep up with.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import type { Clock } from '../../../agent/jobs/clock.ts'
import { jobsOf } from '../../../agent/jobs/configured.ts'
import { openJobs } from '../../../agent/jobs/open.ts'
import { jobSchema } from '../../../agent/jobs/schema.ts'
import { brokerSettings } from '../../../agent/jobs/sinks/mqtt.ts'
import { brokerSchema } from '../../../agent/jobs/sinks/schema.ts'
import type { JobEvent, Scheduler } from '../../../agent/jobs/types.ts'
import { fromHex, isUraidenError } from '../../../protocol/index.ts'
import type { AgentOrders, AgentReport, Figures, Sample } from './protocol.ts'

const topics = 10
const sampleEvery = 5

// Not without the soak.
process.once('disconnect', () => process.exit(0))
process.once('message', (orders: AgentOrders) => void soak(orders))

async function soak(orders: AgentOrders): Promise<void> {
  const tally = createTally()
  const clock = steppingClock()
  const agent = await createAgent({
    signer: createKeySigner(fromHex(orders.key)),
    rpcUrl: orders.rpcUrl,
    chainId: BigInt(orders.chainId),
    contract: orders.contract,
    store: join(orders.folder, 'ledger'),
    deposit: { open: () => 10n ** 9n },
    retryInterval: 50,
  })
  const configs = Array.from({ length: orders.jobs }, (_, at) => jobNumber(at, orders))
  const jobs = await openJobs({
    jobs: jobsOf(Object.fromEntries(configs), await agent.token()),
    broker: brokerSettings(brokerSchema.parse({ url: orders.broker }), {}, agent.address),
    buyer: agent,
    resolve: (target) => new URL(target),
    folder: join(orders.folder, 'jobs'),
    owner: {
      chainId: BigInt(orders.chainId),
      contract: orders.contract,
      account: agent.address,
    },
    onEvent: tally.note,
    clock,
    timetable: () => ({
      next: () => (Math.floor(clock.now() / 1000) + 1) * 1000,
      close: () => undefined,
    }),
  })
  await jobs.start()
  for (let second = 0; second < orders.seconds; second++) {
    clock.pass(1000)
    await ended(jobs)
    report({ kind: 'second', memory: tally.sample(second % sampleEvery === 0) })
  }
  while (!isDelivered(jobs)) {
    if (isOpen(jobs)) clock.pass(1000)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const figures = tally.figures(jobs)
  await jobs.stop()
  await agent.stop()
  report({ kind: 'end', figures })
  process.disconnect()
}

function jobNumber(at: number, { url, folder }: AgentOrders) {
  const job = jobSchema.parse({
    get: `${url}?job=${at}`,
    every: '* * * * * *',
    overlap: 'queue',
    retry: { times: 8, delay: '100ms' },
    sinks: [
      {
        file: join(folder, 'data', 'soak.jsonl'),
        rotate: { size: '1 MB', keep: 10_000 },
        queue: { entries: 100_000, size: '100 MB' },
      },
      {
        mqtt: { topic: `soak/${at % topics}`, qos: 1, retain: false },
        select: '$.number',
        queue: { entries: 100_000, size: '100 MB' },
      },
    ],
  })
  return [`job-${at}`, job] as const
}

async function ended(jobs: Scheduler): Promise<void> {
  while (jobs.status().some(({ state }) => state === 'running')) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** An answer is still on its way: the job's next run brings it home. */
function isOpen(jobs: Scheduler): boolean {
  return jobs.status().some(({ last }) => last?.kind === 'failed')
}

function isDelivered(jobs: Scheduler): boolean {
  return (
    !isOpen(jobs) && jobs.status().every(({ sinks }) => sinks.every(({ waiting }) => waiting === 0))
  )
}

interface SteppingClock extends Clock {
  readonly pass: (milliseconds: number) => void
}

function steppingClock(): SteppingClock {
  let now = Date.now()
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    now: () => now,
    passed: () => now,
    after: (delay, callback) => {
      const timer = { at: now + delay, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass: (milliseconds) => {
      now += milliseconds
      for (const timer of [...timers]) {
        if (timer.at <= now && timers.delete(timer)) timer.callback()
      }
    },
  }
}

function createTally() {
  const memory: Sample[] = []
  const problems: Record<string, number> = {}
  let [done, failed, reclaimed, spent] = [0, 0, 0, 0]
  return {
    note: (event: JobEvent): void => {
      if (event.kind !== 'run') return
      const { outcome } = event
      if (outcome.kind === 'done') done++
      else {
        failed++
        const what = `${outcome.cause} ${codeOf(outcome.error)} ${outcome.payment}`
        problems[what] = (problems[what] ?? 0) + 1
      }
      if (outcome.kind === 'done' && outcome.cause === 'crash') reclaimed++
      if (outcome.kind === 'failed' && outcome.payment === 'spent') spent++
    },
    sample: (collects: boolean): Sample => {
      if (collects) {
        globalThis.gc?.()
        const { rss, heapUsed: heap } = process.memoryUsage()
        memory.push({ rss, heap })
      }
      return memory.at(-1) ?? { rss: 0, heap: 0 }
    },
    figures: (jobs: Scheduler): Figures => {
      const { user, system } = process.cpuUsage()
      const sinks = new Map(
        jobs.status().flatMap((job) => job.sinks.map((each) => [each.id, each])),
      )
      const dropped = [...sinks.values()].reduce((sum, each) => sum + each.dropped, 0)
      const cpu = Math.round((user + system) / 1000)
      const runs = { done, failed, reclaimed, spent, dropped, problems }
      return { ...runs, bytesWritten: bytesWritten(), cpu, memory }
    },
  }
}

function codeOf(error: Error): string {
  return isUraidenError(error) ? error.code : error.name
}

function bytesWritten(): number | undefined {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function report(said: AgentReport): void {
  process.send?.(said)
}
