// Queues whose entries wait for a flush, and the crashes between.
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { createFileSink } from '../../../../agent/jobs/sinks/file.ts'
import { isInMemory } from '../../../../agent/jobs/sinks/line-file.ts'
import { openQueue, type SinkQueue } from '../../../../agent/jobs/sinks/queue.ts'
import {
  type OutboxStorage,
  openOutboxStorage,
  openPrefix,
} from '../../../../agent/jobs/sinks/storage.ts'
import { crashCopy, temporaryFolder } from '../../../support/folder.ts'
import { entry, openTestQueue, owner, recordingSink } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

function openStorage(folder: string, spool: string, copy?: unknown): Promise<OutboxStorage> {
  return openOutboxStorage({ folder, owner, syncInterval: 10, spool, copy })
}

test('nothing is delivered before a flush, and all of it with one', async (t) => {
  const folder = await temporaryFolder(t)
  const storage = await openStorage(join(folder, 'card'), join(folder, 'spool'))
  const sink = recordingSink()
  const { queue, add } = await openTestQueue(t, { storage, sink, isHeld: true })
  await queue.flush()
  await add(...Array.from({ length: 150 }, (_, number) => entry(number)))
  t.is(queue.status().waiting, 150)
  t.is(sink.taken.length, 0)
  await queue.flush()
  t.is(sink.taken.length, 150)
  t.like(queue.status(), { waiting: 0, delivered: 150 })
  await add(entry(150))
  await queue.flush()
  t.is(sink.taken.length, 151)
  await queue.stop()
  await storage.close()
})

test('what a sink does not take waits for the next flush, and the flush for no backoff', async (t) => {
  const folder = await temporaryFolder(t)
  const storage = await openStorage(join(folder, 'card'), join(folder, 'spool'))
  const sink = recordingSink()
  sink.fail = new Error('the disk is full')
  const backoff = { first: 3_600_000, most: 3_600_000 }
  const { queue, events, add } = await openTestQueue(t, { storage, sink, backoff, isHeld: true })
  await add(entry(1), entry(2))
  await queue.flush()
  t.like(queue.status(), { waiting: 2, problem: 'the disk is full' })
  sink.fail = undefined
  await queue.flush()
  t.is(sink.taken.length, 2)
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['sinkFailing', 'sinkRecovered'],
  )
  await queue.stop()
  await storage.close()
})

test('between the write of a flush and its sync is the time for others, also where nothing is to be delivered', async (t) => {
  const folder = await temporaryFolder(t)
  const storage = await openStorage(join(folder, 'card'), join(folder, 'spool'))
  const order: string[] = []
  const sink = {
    ...recordingSink(),
    deliver: async (entries: readonly unknown[]) => {
      order.push('write')
      return entries.length
    },
    beginSettling: async () => void order.push('begin'),
    settle: async () => void order.push('sync'),
  }
  const { queue, add } = await openTestQueue(t, { storage, sink, isHeld: true })
  const others = async () => void order.push('others')
  await add(entry(1), entry(2))
  await queue.flush(others)
  t.deepEqual(order.splice(0), ['write', 'begin', 'others', 'sync'])
  await queue.flush(others)
  t.deepEqual(order, ['begin', 'others'])
  await queue.stop()
  await storage.close()
})

test('what is begun to be synced is in the file as it was written', async (t) => {
  const path = join(await temporaryFolder(t), 'out.jsonl')
  const sink = createFileSink({ path, rotation: { size: 1e9, age: undefined, keep: 1 } })
  for (let from = 0; from < 3; from++) {
    await sink.deliver(Array.from({ length: 700 }, (_, number) => entry(700 * from + number)))
    await sink.beginSettling?.()
    await sink.settle?.()
  }
  await sink.stop()
  const numbers = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
  t.deepEqual(
    numbers.map((line) => JSON.parse(line).data.number),
    Array.from({ length: 2100 }, (_, number) => number),
  )
})

test('a held queue that is half full flushes itself before it drops anything', async (t) => {
  const folder = await temporaryFolder(t)
  const storage = await openStorage(join(folder, 'card'), join(folder, 'spool'))
  const sink = recordingSink()
  const bounds = { entries: 10, bytes: 1_000_000, whenFull: 'dropOldest' } as const
  const { queue, add } = await openTestQueue(t, { storage, sink, bounds, isHeld: true })
  await add(...[1, 2, 3, 4].map((number) => entry(number)))
  t.is(sink.taken.length, 0)
  await add(entry(5))
  await until(() => sink.taken.length === 5)
  t.is(queue.status().dropped, 0)
  await queue.stop()
  await storage.close()
})

test('a file is on the card unless its file system is in memory', async (t) => {
  t.is(await isInMemory('/dev/shm/no/such/file.jsonl'), true)
  t.is(await isInMemory('/proc/file.jsonl'), false)
})

interface Life {
  readonly folder: string
  storage: OutboxStorage
  queue: SinkQueue
}

async function begin(folder: string, copy: unknown): Promise<Life> {
  const storage = await openStorage(join(folder, 'card'), join(folder, 'run', 'spool'), copy)
  const queue = await openQueue({
    ...{ id: 'file', name: 'file', backoff: { first: 1, most: 1 }, settleInterval: 10 },
    bounds: { entries: 1000, bytes: 1_000_000, whenFull: 'dropOldest' },
    ...{ storage, onEvent: () => undefined, isHeld: true },
    sink: createFileSink({
      path: join(folder, 'data', 'out.jsonl'),
      rotation: { size: 400, age: undefined, keep: 1000 },
    }),
  })
  return { folder, storage, queue }
}

/** As a run does it: its payment is on its way, then its answer is in the queue. */
async function add(life: Life, number: number, meanwhile = async () => undefined as unknown) {
  await life.storage.write([{ type: 'put', key: `${openPrefix}${number}`, value: '' }], 'lazily')
  await meanwhile()
  await answer(life, number)
}

async function answer({ storage, queue }: Life, number: number): Promise<void> {
  const { operations, written } = queue.add(entry(number))
  await storage.write([...operations, { type: 'del', key: `${openPrefix}${number}` }], 'soon')
  written()
}

/** What a crash left on its way gets its answer from the receiver. */
async function reclaim(life: Life): Promise<void> {
  const open: number[] = []
  for await (const [key] of life.storage.records(openPrefix)) {
    open.push(Number(key.slice(openPrefix.length)))
  }
  for (const number of open) await answer(life, number)
}

/** Of all files, oldest first. */
async function lines(folder: string): Promise<readonly number[]> {
  const age = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY)
  const names = await readdir(join(folder, 'data'))
  const texts = await Promise.all(
    names
      .sort((a, b) => age(a) - age(b))
      .map((name) => readFile(join(folder, 'data', name), 'utf8')),
  )
  return texts.flatMap((text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).data.number),
  )
}

/** What somebody else has brought to the card of the storage. */
interface Elsewhere {
  copy: unknown
}

/** As a daemon does it: last runs are in another one's batch, beside the lines. */
async function flushBeside({ storage, queue }: Life, elsewhere: Elsewhere): Promise<void> {
  const copy = await storage.copy()
  if (copy === undefined) {
    await queue.flush()
    return storage.flush()
  }
  elsewhere.copy = copy
  await queue.flush()
  if (await storage.isBehind()) await storage.flush()
}

type Step = 'add' | 'addAcrossBatch' | 'lines' | 'batch' | 'flush' | 'copy' | 'flushBeside'
type Crash = 'kill' | 'powerCut'

const step = fc.constantFrom<Step>(
  ...(['add', 'add', 'addAcrossBatch', 'lines', 'batch', 'flush'] as const),
  ...(['copy', 'flushBeside', 'flushBeside'] as const),
)
const steps = fc.array(step, { minLength: 1, maxLength: 8 })

test('whatever crashes when: no line comes twice, and only a power cut loses any, none of a flush', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(steps, fc.constantFrom<Crash>('kill', 'powerCut')), {
        minLength: 1,
        maxLength: 3,
      }),
      async (lives) => {
        let folder = await temporaryFolder(t)
        await mkdir(join(folder, 'data'))
        await mkdir(join(folder, 'run'))
        let next = 0
        /** On the card or in a file; and what a process knows besides. */
        let [safe, spooled]: [number[], number[]] = [[], []]
        const elsewhere: Elsewhere = { copy: undefined }
        for (const [index, [todo, crash]] of lives.entries()) {
          const life = await begin(folder, elsewhere.copy)
          await reclaim(life)
          for (const step of todo) {
            const isNew = step === 'add' || step === 'addAcrossBatch'
            // Of a batch between, what came before is on the card.
            if (step !== 'add' && step !== 'copy') safe = [...spooled]
            if (step === 'add') await add(life, next)
            if (step === 'addAcrossBatch') await add(life, next, () => life.storage.flush())
            // Between the lines and the batch a crash may come, too.
            if (step === 'lines' || step === 'flush') await life.queue.flush()
            if (step === 'batch' || step === 'flush') await life.storage.flush()
            // The crash may come when only this is on the card.
            if (step === 'copy') elsewhere.copy = (await life.storage.copy()) ?? elsewhere.copy
            if (step === 'flushBeside') await flushBeside(life, elsewhere)
            if (isNew) spooled.push(next++)
          }
          const after = `${folder}-${index}`
          await mkdir(join(after, 'run'), { recursive: true })
          await crashCopy(join(folder, 'card'), join(after, 'card'))
          await cp(join(folder, 'data'), join(after, 'data'), { recursive: true })
          if (crash === 'kill') {
            const spool = join('run', 'spool')
            await copyFile(join(folder, spool), join(after, spool)).catch(() => undefined)
          } else spooled = [...safe]
          await life.queue.stop()
          await life.storage.close()
          folder = after
        }
        const last = await begin(folder, elsewhere.copy)
        await reclaim(last)
        await last.queue.flush()
        await last.queue.stop()
        await last.storage.close()
        const found = await lines(folder)
        if (new Set(found).size < found.length) throw new Error(`twice in ${JSON.stringify(found)}`)
        const lost = spooled.filter((number) => !found.includes(number))
        if (lost.length > 0) throw new Error(`lost ${lost} of ${JSON.stringify(found)}`)
      },
    ),
    { numRuns: 50 },
  )
  t.pass()
})
