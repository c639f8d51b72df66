// Checks signatures on worker threads: what comes in one turn of the event loop goes out as batches,
// each as one array of bytes. A thread takes some megabytes and a tenth of a second of a processor to start: there is
// none before several payments have come at once.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { SignatureForm } from '../../protocol/index.ts'
import type { Job, ProofChecker, ProofContext, SignedPayment } from './checker.ts'
import type { RecoveryName } from './recovery.ts'

export interface CheckerPool extends ProofChecker {
  /** Ends the threads; what waits is checked by the fallback. */
  readonly close: () => Promise<void>
}

export interface PoolOptions {
  readonly context: ProofContext
  readonly verifier: RecoveryName
  readonly threads: number
  /** Checks while there is no thread, and what one left behind that ended before its time. */
  readonly fallback: ProofChecker
  readonly onThreadsStarted?: () => void
  readonly onThreadLost?: (error: unknown) => void
}

/** Jobs in one message: more would let one thread work while the others wait. */
const mostInBatch = 32

/** Payments in one turn that start the threads. */
export const enoughForThreads = 4

export interface WorkerSetup {
  readonly context: ProofContext
  readonly verifier: RecoveryName
}

export interface Batch {
  readonly id: number
  readonly jobs: Uint8Array
}

/** For each job 0 when the signature is not the sender's, else 1 + the index of its form. */
export interface BatchResult {
  readonly id: number
  readonly forms: Uint8Array
}

interface Waiting {
  readonly payment: SignedPayment
  readonly resolve: (form: SignatureForm | undefined | Promise<SignatureForm | undefined>) => void
}

interface Thread {
  readonly worker: Worker
  readonly batches: Map<number, readonly Waiting[]>
}

interface Pool extends PoolOptions {
  /** All that have not ended. */
  readonly started: Set<Thread>
  /** Those of them that have loaded. */
  readonly running: Set<Thread>
  /** Once: a thread that ended before its time is not replaced. */
  mayStart: boolean
  /** Comes with the next batches. */
  waiting: Waiting[]
  nextBatch: number
}

export function createCheckerPool(options: PoolOptions): CheckerPool {
  const pool: Pool = {
    ...options,
    started: new Set(),
    running: new Set(),
    mayStart: true,
    waiting: [],
    nextBatch: 0,
  }
  return {
    formOf: (payment) =>
      new Promise((resolve) => {
        if (pool.waiting.length === 0) setImmediate(sendAll, pool)
        pool.waiting.push({ payment, resolve })
      }),
    close: async () => {
      pool.mayStart = false
      await Promise.all([...pool.started].map(({ worker }) => ended(worker)))
    },
  }
}

function startThread(pool: Pool): void {
  const { context, verifier, onThreadLost } = pool
  const workerData: WorkerSetup = { context, verifier }
  const worker = new Worker(workerFile(), { workerData })
  const thread: Thread = { worker, batches: new Map() }
  pool.started.add(thread)
  // A receiver that has nothing else to do may end.
  worker.unref()
  worker.on('message', (result: BatchResult | 'ready') => {
    if (result === 'ready') pool.running.add(thread)
    else finish(pool, thread, result)
  })
  worker.on('error', (error) => onThreadLost?.(error))
  worker.on('exit', () => lose(pool, thread))
}

/** By itself: a thread that is torn down in the middle of native code takes the process with it. */
async function ended(worker: Worker): Promise<void> {
  const exit = once(worker, 'exit')
  // An unreferenced thread alone would not keep the process until it has ended.
  worker.ref()
  worker.postMessage('end')
  await exit
}

function sendAll(pool: Pool): void {
  const all = pool.waiting
  pool.waiting = []
  if (pool.mayStart && all.length >= enoughForThreads) {
    pool.mayStart = false
    for (let index = 0; index < pool.threads; index++) startThread(pool)
    pool.onThreadsStarted?.()
  }
  const size = Math.min(mostInBatch, Math.ceil(all.length / Math.max(pool.running.size, 1)))
  for (let at = 0; at < all.length; at += size) send(pool, all.slice(at, at + size))
}

function send(pool: Pool, batch: readonly Waiting[]): void {
  const thread = leastBusy(pool.running)
  if (thread === undefined) {
    checkHere(pool, batch)
    return
  }
  const id = pool.nextBatch++
  thread.batches.set(id, batch)
  thread.worker.postMessage({ id, jobs: packJobs(batch.map(({ payment }) => payment)) })
}

function finish({ context }: Pool, thread: Thread, { id, forms }: BatchResult): void {
  const batch = thread.batches.get(id) ?? []
  thread.batches.delete(id)
  batch.forEach(({ resolve }, at) => {
    resolve(context.forms[(forms[at] ?? 0) - 1])
  })
}

function lose(pool: Pool, thread: Thread): void {
  pool.started.delete(thread)
  pool.running.delete(thread)
  for (const batch of thread.batches.values()) checkHere(pool, batch)
  thread.batches.clear()
}

function checkHere({ fallback }: Pool, batch: readonly Waiting[]): void {
  for (const { payment, resolve } of batch) resolve(fallback.formOf(payment))
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

/** The bytes of one job: open block (4) ‖ balance (24) ‖ r ‖ s ‖ v (65) ‖ sender (20). */
const jobLength = 113

export function packJobs(payments: readonly SignedPayment[]): Uint8Array {
  return Buffer.from(payments.map(hexOf).join(''), 'hex')
}

function hexOf({ openBlock, balance, signature, sender }: SignedPayment): string {
  const block = openBlock.toString(16).padStart(8, '0')
  return block + balance.toString(16).padStart(48, '0') + signature.slice(2) + sender.slice(2)
}

export function unpackJobs(packed: Uint8Array): readonly Job[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  return Array.from({ length: packed.length / jobLength }, (_, index) => {
    const at = index * jobLength
    return {
      openBlock: bytes.readUInt32BE(at),
      balance: BigInt(`0x${bytes.toString('hex', at + 4, at + 28)}`),
      signature: packed.subarray(at + 28, at + 93),
      sender: packed.subarray(at + 93, at + 113),
    }
  })
}
