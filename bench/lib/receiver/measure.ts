// One receiver, one verifier: free and paid requests in turn, in one run.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type {
  Memory,
  ProcessOptions,
  Started,
  Usage,
} from '../../../test/lab/processes/receiver-process.ts'
import { type Load, runWrk, threads } from './wrk.ts'

export interface Measurement {
  readonly verifier: string
  readonly threads: number
  readonly paidOverFree: number
  readonly bytesPerPayment: number | undefined
  readonly paid: Figures
  readonly free: Figures
  /** Requests before the clock ran: paid ones, and free ones. Code that is still interpreted costs several times as much. */
  readonly warmup: number
  /** Of the receiver before its first request. */
  readonly start: Memory & { readonly milliseconds: number }
}

interface Figures {
  readonly requests: number
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

export interface Running {
  readonly child: ChildProcess
  readonly started: Started
  readonly stop: () => Promise<void>
}

export async function startMeasured(receiver: ProcessOptions): Promise<Running> {
  const child = fork(
    fileURLToPath(new URL('../../../test/lab/processes/receiver-process.ts', import.meta.url)),
    {
      serialization: 'advanced',
      execArgv: ['--expose-gc'],
    },
  )
  child.send(receiver)
  return { child, started: await answer<Started>(child), stop: () => stop(child) }
}

export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { child, started } = await startMeasured(options.receiver)
  try {
    child.send('memory')
    const start = { milliseconds: started.startMs, ...(await answer<Memory>(child)) }
    const { first } = options
    const warm = [await load(options, started, options.seconds / 2)]
    if (first !== undefined) {
      warm.push(await load({ ...options, payments: first }, started, longest, 'paid'))
    }
    const begun = await parted(options)
    warm.push(await load({ ...options, payments: begun.warm }, started, longest, 'paid'))
    const before = await phase(child, () => load(options, started, options.seconds / 2))
    const paid = await phase(child, () =>
      load({ ...options, payments: begun.rest }, started, options.seconds, 'paid'),
    )
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
      warmup: warm.reduce((sum, { requests }) => sum + requests, 0),
      start,
    }
  } finally {
    await stop(child)
  }
}

/** Payments of which each thread sends the first before the clock runs. */
const warmPayments = 4096

/** All of the first part are sent: a payment of the rest would leave a gap before it. */
export async function parted({ payments }: Pick<MeasureOptions, 'payments'>, first = warmPayments) {
  const parts = { warm: `${payments}.warm`, rest: `${payments}.rest` }
  for (let thread = 0; thread < threads; thread++) {
    const lines = (await readFile(`${payments}.${thread}`, 'utf8')).split('\n')
    await writeFile(`${parts.warm}.${thread}`, `${lines.slice(0, first).join('\n')}\n`)
    await writeFile(`${parts.rest}.${thread}`, lines.slice(first).join('\n'))
  }
  return parts
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
      requests,
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

export function usage(child: ChildProcess): Promise<Usage> {
  child.send('usage')
  return answer<Usage>(child)
}

export async function answer<Message>(child: ChildProcess): Promise<Message> {
  const answered = new AbortController()
  const { signal } = answered
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`the receiver ended: ${code}`)
      }),
    ])
    return message
  } finally {
    answered.abort()
  }
}

function mean(a: Figures, b: Figures): Figures {
  const half = (x: number, y: number) => (x + y) / 2
  return {
    requests: a.requests + b.requests,
    requestsPerSecond: half(a.requestsPerSecond, b.requestsPerSecond),
    p50: half(a.p50, b.p50),
    p99: half(a.p99, b.p99),
    cpu: half(a.cpu, b.cpu),
    mainThreadCpu: half(a.mainThreadCpu, b.mainThreadCpu),
  }
}
