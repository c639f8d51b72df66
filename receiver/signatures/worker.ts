// A worker thread that checks batches of signatures.
import { parentPort, workerData } from 'node:worker_threads'
import { createCheck } from './checker.ts'
import { type Batch, type BatchResult, unpackJobs, type WorkerSetup } from './pool.ts'
import { chooseRecovery } from './recovery.ts'

const { context, verifier } = workerData as WorkerSetup
/** Not awaited here: a bundle of CommonJS cannot. */
const checking = chooseRecovery([verifier]).then(({ recovery }) => {
  parentPort?.postMessage('ready')
  return createCheck(context, recovery)
})

async function answer({ id, jobs }: Batch): Promise<BatchResult> {
  const check = await checking
  const forms = unpackJobs(jobs).map((job) => {
    const form = check(job)
    return form === undefined ? 0 : 1 + context.forms.indexOf(form)
  })
  return { id, forms: Uint8Array.from(forms) }
}

parentPort?.on('message', async (message: Batch | 'end') => {
  if (message !== 'end') return parentPort?.postMessage(await answer(message))
  await checking.catch(() => undefined)
  parentPort?.close()
})
