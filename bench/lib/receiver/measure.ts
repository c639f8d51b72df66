// One receiver, one verifier: free and paid requests in turn, in one run.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type {
  ProcessOptions,
  Started,
  Usage,
} from '../../../test/lab/processes/receiver-process.ts'
import { type Load, runWrk } from './wrk.ts'

export interface Measurement {
  readonly verifier: string
  readonly threads: number
  readonly paidOverFree: number
  readonly bytesPerPayment: number | undefined
  readonly paid: Figures
  readonly free: Figures
}

interface Figures {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds of CPU for a request, of all threads and of the main thread. */
  readonly cpu: number
  readonly mainThreadCpu: number
}

export interface MeasureOptions {
  readonly receiver: ProcessOptions
  readonly payments: string
  /** Payments of before: they end by themselves. */
  readonly first?: string
  readonly folder: string
  readonly seconds: number
  readonly connections: number
}

/** Seconds that payments of before may take. */
const longest = 60

export async function measure(options: MeasureOptions): Promise<Measurement> {
  const child = fork(
    fileURLToPath(new URL('../../../test/lab/processes/receiver-process.ts', import.meta.url)),
    {
      serialization: 'advanced',
    },
  )
  try {
    child.send(options.receiver)
    const started = await answer<Started>(child)
    // A cold server is measured by nobody.
    await load(options, started, 1)
    const { first } = options
    if (first !== undefined) await load({ ...options, payments: first }, started, longest, 'paid')
    const before = await phase(child, () => load(options, started, options.seconds / 2))
    const paid = await phase(child, () => load(options, started, options.seconds, 'paid'))
    const after = await phase(child, () => load(options, started, options.seconds / 2))
    assertServed(before)
    assertServed(after)
    assertServed(paid)
    assertAllPaid(paid, options.receiver.price)
    const free = mean(before.figures, after.figures)
    const { bytes, load: done } = paid
    return {
      verifier: started.verifier,
      threads: started.threads,
      paidOverFree: paid.figures.requestsPerSecond / free.requestsPerSecond,
      bytesPerPayment: bytes === undefined ? undefined : bytes / done.requests,
      paid: paid.figures,
      free,
    }
  } finally {
    await stop(child)
  }
}

function load(
  { folder, connections, payments }: MeasureOptions,
  { base }: Started,
  seconds: number,
  kind: 'paid' | 'free' = 'free',
): Promise<Load> {
  const url = `${base}/${kind}`
  const whole = Math.max(1, Math.round(seconds))
  const requests = kind === 'paid' ? { requests: payments } : {}
  return runWrk({ url, seconds: whole, connections, folder, ...requests })
}

interface Phase {
  readonly load: Load
  readonly figures: Figures
  readonly bytes: number | undefined
  readonly collected: bigint
}

async function phase(child: ChildProcess, run: () => Promise<Load>): Promise<Phase> {
  const before = await usage(child)
  const done = await run()
  const after = await usage(child)
  const { requests, requestsPerSecond, p50, p99 } = done
  const known = after.bytesWritten !== undefined && before.bytesWritten !== undefined
  return {
    load: done,
    figures: {
      requestsPerSecond,
      p50,
      p99,
      cpu: (after.cpu - before.cpu) / requests,
      mainThreadCpu: (after.mainThreadCpu - before.mainThreadCpu) / requests,
    },
    bytes: known ? (after.bytesWritten ?? 0) - (before.bytesWritten ?? 0) : undefined,
    collected: after.balanceSum - before.balanceSum,
  }
}

/** A figure for requests that were refused would be worth nothing. */
function assertServed({ load: { requests, refused, failed } }: Phase): void {
  if (requests > 0 && refused === 0 && failed === 0) return
  throw new Error(`of ${requests} requests ${refused} were refused and ${failed} failed`)
}

function assertAllPaid({ load: { requests }, collected }: Phase, price: bigint): void {
  if (collected >= price * BigInt(requests)) return
  throw new Error(`${requests} payments were answered, but only ${collected} was collected`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  if (child.connected) child.send('stop')
  else child.kill()
  await gone
}

function usage(child: ChildProcess): Promise<Usage> {
  child.send('usage')
  return answer<Usage>(child)
}

async function answer<Message>(child: ChildProcess): Promise<Message> {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the receiver ended: ${code}`))),
  ])
  return message
}

function mean(a: Figures, b: Figures): Figures {
  const half = (x: number, y: number) => (x + y) / 2
  return {
    requestsPerSecond: half(a.requestsPerSecond, b.requestsPerSecond),
    p50: half(a.p50, b.p50),
    p99: half(a.p99, b.p99),
    cpu: half(a.cpu, b.cpu),
    mainThreadCpu: half(a.mainThreadCpu, b.mainThreadCpu),
  }
}
