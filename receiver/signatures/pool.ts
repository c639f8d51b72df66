// Checks signatures on worker threads: what comes in one turn of the event loop goes out as batches.
import { Worker } from 'node:worker_threads'
import type { SignatureForm } from '../../protocol/index.ts'
import type { ProofChecker, ProofContext } from './checker.ts'
import { packJobs, type SignedPayment } from './job.ts'
import type { RecoveryName } from './recovery.ts'
import type { BatchResult, WorkerSetup } from './worker.ts'

export interface CheckerPool extends ProofChecker {
  /** Ends the threads; what waits is checked by the fallback. */
  readonly close: () => Promise<void>
}

export interface PoolOptions {
  readonly context: ProofContext
  readonly verifier: RecoveryName
  readonly threads: number
  /** Checks what a thread left behind that ended before its time. */
  readonly fallback: ProofChecker
  readonly onThreadLost?: (error: unknown) => void
}

/** Jobs in one message: more would let one thread work while the others wait. */
const mostInBatch = 32

interface Waiting {
  readonly payment: SignedPayment
  readonly resolve: (form: SignatureForm | undefined | Promise<SignatureForm | undefined>) => void
}

interface Thread {
  readonly worker: Worker
  readonly batches: Map<number, readonly Waiting[]>
}

export function createCheckerPool(options: PoolOptions): CheckerPool {
  const { context, verifier, threads: count, fallback, onThreadLost } = options
  const threads = new Set<Thread>()
  let waiting: Waiting[] = []
  let nextBatch = 0

  function finish(thread: Thread, { id, forms }: BatchResult): void {
    const batch = thread.batches.get(id) ?? []
    thread.batches.delete(id)
    batch.forEach(({ resolve }, at) => {
      resolve(context.forms[(forms[at] ?? 0) - 1])
    })
  }

  function lose(thread: Thread): void {
    threads.delete(thread)
    for (const batch of thread.batches.values()) checkHere(batch)
    thread.batches.clear()
  }

  function checkHere(batch: readonly Waiting[]): void {
    for (const { payment, resolve } of batch) resolve(fallback.formOf(payment))
  }

  function send(batch: readonly Waiting[]): void {
    const thread = leastBusy(threads)
    if (thread === undefined) {
      checkHere(batch)
      return
    }
    const id = nextBatch++
    thread.batches.set(id, batch)
    thread.worker.postMessage({ id, jobs: packJobs(batch.map(({ payment }) => payment)) })
  }

  function sendAll(): void {
    const all = waiting
    waiting = []
    const size = Math.min(mostInBatch, Math.ceil(all.length / Math.max(threads.size, 1)))
    for (let at = 0; at < all.length; at += size) send(all.slice(at, at + size))
  }

  const workerData: WorkerSetup = { context, verifier }
  for (let index = 0; index < count; index++) {
    const worker = new Worker(workerFile(), { workerData })
    const thread: Thread = { worker, batches: new Map() }
    threads.add(thread)
    // A receiver that has nothing else to do may end.
    worker.unref()
    worker.on('message', (result: BatchResult) => finish(thread, result))
    worker.on('error', (error) => onThreadLost?.(error))
    worker.on('exit', () => lose(thread))
  }

  return {
    formOf: (payment) =>
      new Promise((resolve) => {
        if (waiting.length === 0) setImmediate(sendAll)
        waiting.push({ payment, resolve })
      }),
    close: async () => {
      await Promise.all([...threads].map(({ worker }) => worker.terminate()))
    },
  }
}

function leastBusy(threads: ReadonlySet<Thread>): Thread | undefined {
  let best: Thread | undefined
  for (const thread of threads) {
    if (best === undefined || thread.batches.size < best.batches.size) best = thread
  }
  return best
}

/** Beside this file, as source or compiled. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
}
