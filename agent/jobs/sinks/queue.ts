// The queue of one sink: on the disk, in order, bounded, delivered by one loop that waits when it fails.
import { endsWithin } from '../../../platform/async/ends-within.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { type Addition, type Backlog, openBacklog } from './backlog.ts'
import { type Backoff, backoffDelay } from './backoff.ts'
import { decodeEntry, encodeEntry } from './entry.ts'
import type { OutboxStorage } from './storage.ts'
import type { Entry, Sink, SinkEvent, SinkStatus } from './types.ts'

/** `dropOldest` makes room; `pause` makes the jobs buy nothing for it until there is room. */
export type FullRule = 'dropOldest' | 'pause'

export interface QueueBounds {
  readonly entries: number
  readonly bytes: number
  readonly whenFull: FullRule
}

export interface QueueOptions {
  /** On the disk. */
  readonly id: string
  /** In status and events. */
  readonly name: string
  readonly sink: Sink
  readonly storage: OutboxStorage
  readonly bounds: QueueBounds
  readonly backoff: Backoff
  /** Longest that delivered entries wait for `Sink.settle`, in milliseconds. */
  readonly settleInterval: number
  /** Entries wait for a flush: what the sink writes to would wear with each of them. */
  readonly isHeld?: boolean
  readonly onEvent: (event: SinkEvent) => void
}

export interface SinkQueue {
  readonly name: string
  /** Of a queue with the rule `pause`: true when there is no room for one entry more. */
  readonly isFull: () => boolean
  /** What to write, together with whatever else belongs to the run. Delivered once `written` is called. */
  readonly add: (entry: Entry) => Addition
  readonly status: () => SinkStatus
  /**
   * Resolves when all that a held queue has is delivered and durable there, or cannot be delivered now: then
   * it waits for the next flush. `ready` is called when it is delivered; when it resolves it is made durable.
   */
  readonly flush: (ready?: () => Promise<void>) => Promise<void>
  /** Ends the loop; what is not delivered waits on the disk. */
  readonly stop: () => Promise<void>
}

const mostInBatch = 64
const mostUnsettled = 1024
/** Of a clean stop, in milliseconds. */
const patience = 2000

export async function openQueue(options: QueueOptions): Promise<SinkQueue> {
  const backlog = await openBacklog(options)
  const queue = new DeliveringQueue(options, backlog)
  queue.begin()
  return queue
}

class DeliveringQueue implements SinkQueue {
  readonly #options: QueueOptions
  readonly #backlog: Backlog
  #failures = 0
  #problem: string | undefined
  #delivered = 0
  #stopping = false
  #full = false
  /** Entries that may be delivered: of a held queue those of the last flush. */
  #allowed: number
  #flushing: Promise<void> | undefined
  /** Ends the flush that delivers now. */
  #flushed: (() => void) | undefined
  /** Before it makes durable what it has delivered. */
  #ready: () => Promise<void> = atOnce
  /** It waits for entries, not for a time to try again. */
  #isIdle = false
  #wakes = 0
  #interrupt: () => void = () => undefined
  #loop: Promise<void> = Promise.resolve()
  #settled = Number.NEGATIVE_INFINITY
  /** Delivered entries may be waiting again after a crash or a failure. */
  #unsure = true
  /**
   * What the sink had last at the start, where the queue did not have it. A power cut can take an entry whose delivery
   * it leaves: its run is repeated, and brings the entry again.
   */
  #arrived: string | undefined

  constructor(options: QueueOptions, backlog: Backlog) {
    this.#options = options
    this.#backlog = backlog
    this.#allowed = options.isHeld === true ? 0 : Number.POSITIVE_INFINITY
  }

  get name(): string {
    return this.#options.name
  }

  begin(): void {
    this.#loop = this.#run()
  }

  isFull(): boolean {
    const { entries, bytes, whenFull } = this.#options.bounds
    const { waiting, waitingBytes } = this.#backlog.count()
    return whenFull === 'pause' && (waiting >= entries || waitingBytes >= bytes)
  }

  add(entry: Entry): Addition {
    const { whenFull, ...room } = this.#options.bounds
    const { dropped } = this.#backlog.count()
    // What is paid for already is kept also above the bounds of a queue that pauses.
    const addition = this.#backlog.add(encodeEntry(entry), whenFull === 'pause' ? undefined : room)
    this.#sayFull(this.#backlog.count().dropped > dropped || this.isFull())
    return {
      ...addition,
      written: () => {
        addition.written()
        this.#wake()
        // Nothing is dropped that a flush can still bring home.
        if (this.#isHalfFull()) this.flush().catch(() => undefined)
      },
    }
  }

  status(): SinkStatus {
    return {
      id: this.name,
      ...this.#backlog.count(),
      delivered: this.#delivered,
      problem: this.#problem,
    }
  }

  flush(ready = atOnce): Promise<void> {
    if (this.#options.isHeld !== true || this.#stopping) return Promise.resolve()
    this.#flushing ??= this.#deliverHeld(ready).finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  async #deliverHeld(ready: () => Promise<void>): Promise<void> {
    this.#allowed = await this.#backlog.secure()
    if (this.#stopping) return
    this.#ready = ready
    await new Promise<void>((resolve) => {
      this.#flushed = resolve
      this.#wakes++
      this.#interrupt()
    })
  }

  async stop(): Promise<void> {
    const { sink } = this.#options
    this.#stopping = true
    this.#endFlush()
    this.#interrupt()
    // What is on its way may still arrive; what does not is tried again after the next start.
    if (await endsWithin(this.#loop, patience)) await this.#settle().catch(() => undefined)
    await sink.stop()
    await endsWithin(this.#loop, patience)
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#step()
      } catch (error) {
        await this.#failed(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  #wake(): void {
    this.#wakes++
    // After a failure the next try waits its time, however much comes in.
    if (this.#failures === 0 || this.#isIdle) this.#interrupt()
  }

  async #step(): Promise<void> {
    const wakes = this.#wakes
    if (this.#options.isHeld === true) {
      if (this.#flushed === undefined) return this.#wait(wakes, undefined)
      if (this.#allowed === 0) return this.#endHeld()
    }
    if (this.#unsure) await this.#skipDelivered()
    const entries = await this.#backlog.take(Math.min(mostInBatch, this.#allowed))
    if (entries.length === 0) return this.#idle(wakes)
    const readable = leading(entries)
    if (readable.length === 0) return this.#refuse(damaged)
    const known = readable.findIndex(({ id }) => id === this.#arrived)
    if (known === 0) {
      this.#arrived = undefined
      this.#took(1)
      return
    }
    const arrived = await this.#options.sink.deliver(
      known < 0 ? readable : readable.slice(0, known),
    )
    this.#delivered += arrived
    this.#took(arrived)
    if (arrived > 0) this.#worked()
    await this.#settleWhenDue()
  }

  #took(count: number): void {
    this.#backlog.delivered(count)
    this.#allowed -= count
  }

  async #idle(wakes: number): Promise<void> {
    // Something came in while the disk was read.
    if (wakes !== this.#wakes) return
    this.#sayFull(false)
    if (this.#options.isHeld === true) return this.#endHeld()
    const unsettled = this.#backlog.unsettled()
    const due = this.#settled + this.#options.settleInterval - performance.now()
    await this.#wait(wakes, unsettled === 0 ? undefined : Math.max(0, due))
    if (!this.#stopping) await this.#settleWhenDue()
  }

  async #endHeld(): Promise<void> {
    await this.#options.sink.beginSettling?.()
    await this.#ready()
    await this.#settle()
    this.#sayFull(this.isFull())
    this.#endFlush()
  }

  #endFlush(): void {
    const flushed = this.#flushed
    this.#flushed = undefined
    flushed?.()
  }

  async #wait(wakes: number, delay: number | undefined): Promise<void> {
    if (wakes !== this.#wakes) return
    this.#isIdle = true
    await this.#pause(delay)
    this.#isIdle = false
  }

  async #skipDelivered(): Promise<void> {
    const last = await this.#options.sink.lastDelivered?.()
    if (last !== undefined && !(await this.#backlog.skipThrough(last))) this.#arrived ??= last
    this.#unsure = false
  }

  async #settleWhenDue(): Promise<void> {
    const { sink, settleInterval, isHeld } = this.#options
    const due =
      sink.settle === undefined ||
      this.#backlog.unsettled() >= mostUnsettled ||
      // A flush settles once, at its end.
      (isHeld !== true && performance.now() - this.#settled >= settleInterval)
    if (due) await this.#settle()
  }

  async #settle(): Promise<void> {
    if (this.#backlog.unsettled() === 0) return
    this.#settled = performance.now()
    const count = this.#backlog.unsettled()
    await this.#options.sink.settle?.()
    await this.#backlog.forget(count)
  }

  #worked(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#problem = undefined
    const { waiting } = this.#backlog.count()
    this.#options.onEvent({ kind: 'sinkRecovered', sink: this.name, waiting })
  }

  async #failed(error: Error): Promise<void> {
    if (isUraidenError(error, 'entry_refused')) return this.#refuse(error)
    this.#unsure = true
    this.#backlog.putBack()
    this.#failures++
    this.#problem = error.message
    if (this.#failures === 1) {
      this.#options.onEvent({ kind: 'sinkFailing', sink: this.name, error })
    }
    this.#endFlush()
    if (!this.#stopping) await this.#pause(backoffDelay(this.#options.backoff, this.#failures))
  }

  /** It will never be taken: in its place it would hold up all that come after it. */
  async #refuse(error: Error): Promise<void> {
    const refused = await this.#backlog.refuse()
    if (refused === undefined) return
    const id = leading([refused])[0]?.id ?? ''
    this.#options.onEvent({ kind: 'entryRefused', sink: this.name, id, why: error.message })
  }

  #isHalfFull(): boolean {
    const { entries, bytes } = this.#options.bounds
    const { waiting, waitingBytes } = this.#backlog.count()
    return 2 * waiting >= entries || 2 * waitingBytes >= bytes
  }

  #sayFull(full: boolean): void {
    if (full && !this.#full) {
      const { waiting } = this.#backlog.count()
      this.#options.onEvent({ kind: 'sinkFull', sink: this.name, waiting })
    }
    this.#full = full
  }

  #pause(delay: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = delay === undefined ? undefined : setTimeout(resolve, delay)
      this.#interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.#stopping) this.#interrupt()
    })
  }
}

const damaged = agentError({
  code: 'entry_refused',
  message: 'Its record on the disk is damaged.',
  hint: 'Check the disk.',
})

async function atOnce(): Promise<void> {}

/** The entries before one whose record a damaged disk has changed. */
function leading(records: readonly string[]): readonly Entry[] {
  const entries: Entry[] = []
  for (const record of records) {
    try {
      entries.push(decodeEntry(record))
    } catch {
      break
    }
  }
  return entries
}
