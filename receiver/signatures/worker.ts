// A worker thread that checks batches of signatures.
import { parentPort, workerData } from 'node:worker_threads'
import { createCheck, type ProofContext } from './checker.ts'
import { unpackJobs } from './job.ts'
import { chooseRecovery, type RecoveryName } from './recovery.ts'

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

const { context, verifier } = workerData as WorkerSetup
/** Not awaited here: a bundle of CommonJS cannot. */
const checking = chooseRecovery([verifier]).then(({ recovery }) => createCheck(context, recovery))

async function answer({ id, jobs }: Batch): Promise<BatchResult> {
  const check = await checking
  const forms = unpackJobs(jobs).map((job) => {
    const form = check(job)
    return form === undefined ? 0 : 1 + context.forms.indexOf(form)
  })
  return { id, forms: Uint8Array.from(forms) }
}

parentPort?.on('message', async (batch: Batch) => {
  parentPort?.postMessage(await answer(batch))
})
