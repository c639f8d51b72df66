// Puts numbered entries into a queue whose sink is a file, and says which are in the queue. To be killed.
import { createFileSink } from '../../../agent/jobs/sinks/file.ts'
import { openQueue } from '../../../agent/jobs/sinks/queue.ts'
import { openOutboxStorage } from '../../../agent/jobs/sinks/storage.ts'
import { parseAddress } from '../../../protocol/index.ts'

const [folder = '', file = '', size = '', from = ''] = process.argv.slice(2)
const account = parseAddress(`0x${'11'.repeat(20)}`)
const storage = await openOutboxStorage({
  folder,
  owner: { chainId: 1n, contract: account, account },
  syncInterval: 50,
})
const queue = await openQueue({
  id: 'file',
  name: 'file',
  sink: createFileSink({
    path: file,
    rotation: { size: Number(size), age: undefined, keep: 10_000 },
  }),
  storage,
  bounds: { entries: 1_000_000, bytes: 1_000_000_000, whenFull: 'dropOldest' },
  backoff: { first: 5, most: 20 },
  settleInterval: 50,
  onEvent: ({ kind }) => process.send?.({ event: kind }),
})
let stopping = false
process.once('message', () => {
  stopping = true
})
process.send?.({ event: 'ready' })
for (let number = Number(from); !stopping; number++) {
  const addition = queue.add({
    id: `${number}`,
    job: 'test',
    time: Date.now(),
    cost: '1',
    contentType: 'application/json',
    payload: Buffer.from(`{"number":${number},"filler":"${'x'.repeat(number % 300)}"}`),
  })
  try {
    await storage.write(addition.operations, 'soon')
    addition.written()
    process.send?.({ queued: number })
  } catch {
    addition.failed()
    process.send?.({ failed: number })
  }
  // So that the loop of the queue has its turn.
  await new Promise((resolve) => setImmediate(resolve))
}
while (queue.status().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5))
await queue.stop()
await storage.close()
process.disconnect()
