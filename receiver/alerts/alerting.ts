// Looks once a minute at what the owner wants to be told, and tells it once, and once when it is over. What was told,
// and what has not arrived yet, is in a small file.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Conditions, step, type Told, toldIn } from '../../platform/alerts/told.ts'
import { replaceFile } from '../../platform/state/replace-file.ts'
import type { AlertSinkConfig } from './schema.ts'
import { type AlertSink, createAlertSink } from './sinks.ts'
import type { Message } from './template.ts'

export interface AlertingOptions {
  readonly sinks: readonly AlertSinkConfig[]
  /** Made if missing, for its owner only. */
  readonly file: string
  readonly receiver: string
  readonly conditions: () => Promise<Conditions>
  /** Between two looks, in milliseconds. */
  readonly interval?: number
  /** Of a sink that takes nothing: once until it takes something again. */
  readonly onUndelivered: (sink: string, error: unknown) => void
  readonly onFailed: (error: unknown) => void
}

export interface Alerting {
  /** Looks now. Never rejects. */
  readonly look: () => Promise<void>
  /** Breaks off what is being delivered: it is delivered after the next start. */
  readonly stop: () => Promise<void>
}

/** Messages for one sink; of more the oldest are dropped. */
const mostWaiting = 100

interface Queue {
  /** Of its configuration. */
  readonly id: string
  readonly sink: AlertSink
  waiting: readonly Message[]
  failing: boolean
}

export async function startAlerting(options: AlertingOptions): Promise<Alerting> {
  const { file, receiver, conditions, interval = 60_000, onUndelivered, onFailed } = options
  const stored = await load(file)
  let told = stored.told
  const queues = options.sinks.map((config): Queue => {
    const id = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16)
    const waiting = stored.waiting[id] ?? []
    return { id, sink: createAlertSink(config), waiting, failing: false }
  })
  const stopping = new AbortController()
  let looking: Promise<void> | undefined

  // A disk that takes nothing is one of the things to tell: then it is told from memory.
  const save = () => write(file, { told, queues }).catch(onFailed)

  async function lookOnce(): Promise<void> {
    const found = step(told, await conditions())
    if (found.alerts.length > 0) {
      const time = new Date().toISOString()
      const messages = found.alerts.map((alert): Message => ({ time, ...alert, receiver }))
      told = found.told
      for (const queue of queues) {
        queue.waiting = [...queue.waiting, ...messages].slice(-mostWaiting)
      }
      await save()
    }
    const delivered = await Promise.all(
      queues.map((queue) => deliver(queue, stopping.signal, onUndelivered)),
    )
    if (delivered.includes(true)) await save()
  }

  const look = () => {
    looking ??= lookOnce()
      .catch(onFailed)
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const timer = setInterval(look, interval)
  timer.unref()
  return {
    look,
    stop: async () => {
      clearInterval(timer)
      stopping.abort()
      await looking
    },
  }
}

/** Resolves with true when some have arrived; the rest waits for the next look. */
async function deliver(
  queue: Queue,
  stop: AbortSignal,
  onUndelivered: AlertingOptions['onUndelivered'],
): Promise<boolean> {
  let some = false
  for (;;) {
    const [first] = queue.waiting
    if (first === undefined || stop.aborted) return some
    try {
      await queue.sink.deliver(first, stop)
    } catch (error) {
      if (!queue.failing && !stop.aborted) onUndelivered(queue.sink.name, error)
      queue.failing = true
      return some
    }
    queue.failing = false
    queue.waiting = queue.waiting.slice(1)
    some = true
  }
}

interface Stored {
  readonly told: Told
  readonly waiting: { readonly [id: string]: readonly Message[] }
}

/** A damaged record is worth one message too many, not a receiver that does not start. */
async function load(file: string): Promise<Stored> {
  try {
    const { told, waiting }: Partial<Stored> = JSON.parse(await readFile(file, 'utf8'))
    return { told: toldIn(JSON.stringify(told)), waiting: waiting ?? {} }
  } catch {
    return { told: {}, waiting: {} }
  }
}

async function write(
  file: string,
  { told, queues }: { readonly told: Told; readonly queues: readonly Queue[] },
): Promise<void> {
  const waiting = Object.fromEntries(queues.map((queue) => [queue.id, queue.waiting]))
  await replaceFile(file, JSON.stringify({ told, waiting }))
}
