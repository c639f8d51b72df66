// The queue and its file in a process that is killed, and on a disk that is full.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { createFileSink } from '../../../../agent/jobs/sinks/file.ts'
import type { RotationRule } from '../../../../agent/jobs/sinks/line-file.ts'
import { openQueue } from '../../../../agent/jobs/sinks/queue.ts'
import { openOutboxStorage } from '../../../../agent/jobs/sinks/storage.ts'
import type { Sink } from '../../../../agent/jobs/sinks/types.ts'
import { createTurns } from '../../../../platform/async/turns.ts'
import { crashCopy, temporaryFolder } from '../../../support/folder.ts'
import { entry, owner } from '../../../support/outbox.ts'
import { needing, tools } from '../../../support/tools.ts'
import { until } from '../../../support/until.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../../support/programs/deliverer.ts', import.meta.url))

interface Said {
  readonly queued?: number
  readonly failed?: number
  readonly event?: string
}

async function place(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const data = join(folder, 'data')
  const start = (from: number, size = 20_000) => {
    // Without the trap a write over a limit of the file's size would end the process.
    const args = [program, join(folder, 'queue'), join(data, 'out.jsonl'), `${size}`, `${from}`]
    const child = spawn('sh', ['-c', `trap '' XFSZ; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    const queued: number[] = []
    const events: string[] = []
    child.on('message', (said: Said) => {
      if (said.queued !== undefined) queued.push(said.queued)
      if (said.event !== undefined) events.push(said.event)
    })
    const gone = once(child, 'exit')
    return { child, queued, events, gone }
  }
  return { start, lines: () => numbersIn(data), data }
}

/** Of all lines of all files, oldest first. */
async function numbersIn(data: string): Promise<readonly number[]> {
  const number = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY)
  const names = (await readdir(data)).sort((a, b) => number(a) - number(b))
  const texts = await Promise.all(names.map((name) => readFile(join(data, name), 'utf8')))
  return texts.flatMap((text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).data.number),
  )
}

test('killed again and again in the middle of delivery: every entry is in the file once, in its order', async (t) => {
  const { start, lines } = await place(t)
  const kept = new Set<number>()
  let next = 0
  for (let life = 0; life < 6; life++) {
    const { child, queued, gone } = start(next)
    // Another moment each time: while it recovers, rotates, syncs, writes.
    await until(() => queued.length > 10 + life * 67)
    child.kill('SIGKILL')
    await gone
    for (const number of queued) kept.add(number)
    // Any number more may be in the queue: a process that is killed takes messages with it that were not read.
    next += 1_000_000
  }
  const { child, queued, gone } = start(next)
  await until(() => queued.length > 10)
  child.send('stop')
  await gone
  for (const number of queued) kept.add(number)
  const found = await lines()
  t.deepEqual(
    found,
    [...new Set(found)].sort((a, b) => a - b),
  )
  t.deepEqual(
    [...kept].filter((number) => !found.includes(number)),
    [],
  )
})

/** The files as a crash at this moment leaves them. */
interface Image {
  readonly folder: string
  /** Numbers of the entries that are in the queue for good. */
  readonly kept: number
  readonly moment: string
}

/** Runs a queue with a file, and takes an image after every step that changes something on the disk. */
async function imagesOf(t: ExecutionContext, settleInterval: number): Promise<readonly Image[]> {
  const folder = await temporaryFolder(t)
  const [data, live] = [join(folder, 'data'), join(folder, 'queue')]
  await mkdir(data)
  const inner = await openOutboxStorage({ folder: live, owner, syncInterval: 0 })
  const images: Image[] = []
  let kept = 0
  // An image is of one moment: nothing is added while it is taken.
  const turns = createTurns()
  const image = (moment: string) => turns.take(() => copied(moment))
  const copied = async (moment: string): Promise<string> => {
    const copy = join(folder, `image-${images.length}`)
    await cp(data, join(copy, 'data'), { recursive: true })
    await crashCopy(live, join(copy, 'queue'))
    images.push({ folder: copy, kept, moment })
    return join(copy, 'data', 'out.jsonl')
  }
  const file = createFileSink({ path: join(data, 'out.jsonl'), rotation: small })
  const queue = await openQueue({
    ...{ id: 'file', name: 'file', backoff: { first: 1, most: 1 }, settleInterval },
    bounds: { entries: 100, bytes: 1_000_000, whenFull: 'dropOldest' },
    storage: {
      ...inner,
      write: async (operations, urgency) => {
        await inner.write(operations, urgency)
        await image('written')
      },
    },
    sink: {
      ...bound(file),
      deliver: async (entries) => {
        const arrived = await file.deliver(entries)
        // Cut short at some bytes of the newest line, its end among them.
        for (const less of [0, 1, 2, 60]) {
          const path = await image(`delivered but for ${less} bytes`)
          await truncate(path, Math.max(0, (await stat(path)).size - less))
        }
        return arrived
      },
    },
    onEvent: () => undefined,
  })
  // One by one, then several at once.
  for (const numbers of [[0], [1], [2, 3, 4, 5], [6]]) {
    const additions = numbers.map((number) => queue.add(entry(number)))
    await turns.take(async () => {
      for (const { operations } of additions) await inner.write(operations, 'lazily')
      kept += numbers.length
    })
    for (const { written } of additions) written()
    await until(() => queue.status().waiting === 0)
  }
  await queue.stop()
  await inner.close()
  return images
}

const small: RotationRule = { size: 400, age: undefined, keep: 100 }

function bound(sink: Sink): Sink {
  return {
    deliver: (entries) => sink.deliver(entries),
    lastDelivered: async () => sink.lastDelivered?.(),
    settle: async () => sink.settle?.(),
    stop: () => sink.stop(),
  }
}

for (const [how, settleInterval] of [
  ['is forgotten at once', 0],
  ['waits to be forgotten', 1_000_000],
] as const) {
  test(`killed after any step, where what was delivered ${how}: every entry is in the file once`, async (t) => {
    const images = await imagesOf(t, settleInterval)
    t.true(images.length > 10)
    for (const { folder, kept, moment } of images) {
      const storage = await openOutboxStorage({
        folder: join(folder, 'queue'),
        owner,
        syncInterval: 0,
      })
      const path = join(folder, 'data', 'out.jsonl')
      const queue = await openQueue({
        ...{ id: 'file', name: 'file', backoff: { first: 1, most: 1 }, settleInterval },
        bounds: { entries: 100, bytes: 1_000_000, whenFull: 'dropOldest' },
        ...{ storage, sink: createFileSink({ path, rotation: small }), onEvent: () => undefined },
      })
      await until(() => queue.status().waiting === 0)
      await queue.stop()
      await storage.close()
      const expected = Array.from({ length: kept }, (_, number) => number)
      t.deepEqual(await numbersIn(join(folder, 'data')), expected, moment)
    }
  })
}

needing(test, tools.prlimit)(
  'a disk that is full in the middle of a line: nothing is lost or repeated, and it goes on by itself',
  async (t) => {
    const { start, lines, data } = await place(t)
    const { child, queued, events, gone } = start(0, 100_000_000)
    const limit = (bytes: number | 'unlimited') =>
      run('prlimit', ['--pid', `${child.pid}`, `--fsize=${bytes}:`])
    await until(() => queued.length > 50)
    const { size } = await stat(join(data, 'out.jsonl'))
    await limit(size + 1000)
    await until(() => events.includes('sinkFailing'))
    await limit('unlimited')
    await until(() => events.includes('sinkRecovered'))
    child.send('stop')
    await gone
    const found = await lines()
    t.deepEqual(
      found,
      [...new Set(found)].sort((a, b) => a - b),
    )
    t.deepEqual(
      queued.filter((number) => !found.includes(number)),
      [],
    )
  },
)
