import { join } from 'node:path'
import test from 'ava'
import { UraidenError } from '../../../../protocol/index.ts'
import { crashCopy, temporaryFolder } from '../../../support/folder.ts'
import { entry, openStorage, openTestQueue, recordingSink } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index))
const ids = (entries: readonly { readonly id: string }[]) => entries.map(({ id }) => id)
const down = new Error('the broker is away')
/** After the first failure nothing is on its way any more. */
const patient = { first: 3_600_000, most: 3_600_000 }

test('entries arrive in their order, and are forgotten', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  const { queue, add } = await openTestQueue(t, { storage, sink })
  await add(...numbers(1, 200))
  await until(() => sink.taken.length === 200)
  t.deepEqual(ids(sink.taken), ids(numbers(1, 200)))
  t.like(queue.status(), { waiting: 0, waitingBytes: 0, delivered: 200, dropped: 0 })
})

test('a sink that takes a part gets the rest next, and nothing twice', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink(3)
  const { add } = await openTestQueue(t, { storage, sink })
  await add(...numbers(1, 20))
  await until(() => sink.taken.length === 20)
  t.deepEqual(ids(sink.taken), ids(numbers(1, 20)))
})

test('what a sink does not take waits over a restart, in its order, and bytes that are no text too', async (t) => {
  const folder = await temporaryFolder(t)
  const storage = await openStorage(t, join(folder, 'a'))
  const broken = recordingSink()
  broken.fail = down
  const { queue, events, add } = await openTestQueue(t, { storage, sink: broken })
  await add(entry(1), entry(2, Uint8Array.of(0xff, 0x00, 0xfe)), entry(3))
  await until(() => broken.calls() > 2)
  t.deepEqual(events, [{ kind: 'sinkFailing', sink: 'test', error: down }])
  t.like(queue.status(), { waiting: 3, problem: 'the broker is away' })
  const copy = await openStorage(t, await crashCopy(join(folder, 'a'), join(folder, 'b')))
  const sink = recordingSink()
  await openTestQueue(t, { storage: copy, sink })
  await until(() => sink.taken.length === 3)
  t.deepEqual(ids(sink.taken), ['run-1', 'run-2', 'run-3'])
  t.deepEqual([...(sink.taken[1]?.payload ?? [])], [0xff, 0x00, 0xfe])
})

test('a sink that works again says so, once', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  sink.fail = down
  const { queue, events, add } = await openTestQueue(t, { storage, sink })
  await add(entry(1), entry(2))
  await until(() => sink.calls() > 3)
  sink.fail = undefined
  await until(() => sink.taken.length === 2)
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['sinkFailing', 'sinkRecovered'],
  )
  t.is(queue.status().problem, undefined)
})

test('while it fails, new entries do not hurry the next try', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  sink.fail = down
  const { add } = await openTestQueue(t, {
    storage,
    sink,
    backoff: patient,
  })
  await add(entry(1))
  await until(() => sink.calls() === 1)
  await add(...numbers(2, 50))
  t.is(sink.calls(), 1)
})

for (const { name, entries, bytes } of [
  { name: 'as many entries as are allowed', entries: 3, bytes: 1_000_000 },
  { name: 'as many bytes as are allowed', entries: 1000, bytes: 3 * recordSize() },
]) {
  test(`${name} wait; one more makes the oldest go, and is counted over a restart`, async (t) => {
    const folder = await temporaryFolder(t)
    const storage = await openStorage(t, join(folder, 'a'))
    const sink = recordingSink()
    sink.fail = down
    const bounds = { entries, bytes, whenFull: 'dropOldest' } as const
    const options = { storage, sink, bounds, backoff: patient }
    const { queue, events, add } = await openTestQueue(t, options)
    await add(...numbers(1, 3))
    await until(() => queue.status().problem !== undefined)
    t.like(queue.status(), { waiting: 3, waitingBytes: 3 * recordSize(), dropped: 0 })
    await add(entry(4))
    t.like(queue.status(), { waiting: 3, waitingBytes: 3 * recordSize(), dropped: 1 })
    t.is(events.filter(({ kind }) => kind === 'sinkFull').length, 1)
    const copy = await openStorage(t, await crashCopy(join(folder, 'a'), join(folder, 'b')))
    const again = recordingSink()
    const second = await openTestQueue(t, { storage: copy, sink: again, bounds })
    await until(() => again.taken.length === 3)
    t.deepEqual(ids(again.taken), ['run-2', 'run-3', 'run-4'])
    t.is(second.queue.status().dropped, 1)
  })
}

test('an entry as large as the whole queue fits; one byte more is dropped and makes nobody leave', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  sink.fail = down
  const small = recordSize()
  const bounds = { entries: 10, bytes: 2 * small, whenFull: 'dropOldest' } as const
  const { queue, add } = await openTestQueue(t, { storage, sink, bounds, backoff: patient })
  const filler = (more: number) => entry(2, `${' '.repeat(small + more)}{"number":2}`)
  await add(entry(1))
  await until(() => queue.status().problem !== undefined)
  await add(filler(1))
  t.like(queue.status(), { waiting: 1, waitingBytes: small, dropped: 1 })
  await add(filler(0))
  t.like(queue.status(), { waiting: 1, waitingBytes: 2 * small, dropped: 2 })
})

test('what is on its way keeps its place: the oldest behind it makes room', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  const held: (() => void)[] = []
  const slow = {
    ...sink,
    deliver: async (entries: Parameters<typeof sink.deliver>[0]) => {
      await new Promise<void>((resolve) => held.push(resolve))
      return sink.deliver(entries.slice(0, 1))
    },
  }
  const bounds = { entries: 2, bytes: 1_000_000, whenFull: 'dropOldest' } as const
  const { queue, add } = await openTestQueue(t, { storage, sink: slow, bounds })
  await add(entry(1))
  await until(() => held.length > 0)
  await add(...numbers(2, 3))
  t.like(queue.status(), { waiting: 2, dropped: 1 })
  await until(() => {
    held.shift()?.()
    return sink.taken.length === 2
  })
  t.deepEqual(ids(sink.taken), ['run-1', 'run-3'])
})

test('a queue that pauses is full at its bound and not before, and keeps what comes all the same', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  sink.fail = down
  const bounds = { entries: 2, bytes: 1_000_000, whenFull: 'pause' } as const
  const { queue, add } = await openTestQueue(t, { storage, sink, bounds })
  await add(entry(1))
  t.false(queue.isFull())
  await add(entry(2))
  t.true(queue.isFull())
  await add(entry(3))
  t.like(queue.status(), { waiting: 3, dropped: 0 })
  sink.fail = undefined
  await until(() => sink.taken.length === 3)
  t.false(queue.isFull())
})

test('an entry that the target refuses for ever does not hold up the others', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  const { deliver } = sink
  const refusing = {
    ...sink,
    deliver: async (entries: Parameters<typeof deliver>[0]) => {
      const [first] = entries
      if (first?.id !== 'run-2') return deliver(entries.slice(0, 1))
      throw new UraidenError({ code: 'entry_refused', message: 'no', hint: 'none' })
    },
  }
  const { queue, events, add } = await openTestQueue(t, { storage, sink: refusing })
  await add(...numbers(1, 3))
  await until(() => sink.taken.length === 2)
  t.deepEqual(ids(sink.taken), ['run-1', 'run-3'])
  t.like(queue.status(), { waiting: 0, refused: 1, problem: undefined })
  t.deepEqual(events, [{ kind: 'entryRefused', sink: 'test', id: 'run-2', why: 'no' }])
})

test('an entry that was refused after a failure leaves a queue that takes the next one', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  sink.fail = down
  const { queue, add } = await openTestQueue(t, { storage, sink })
  await add(entry(1))
  await until(() => queue.status().problem !== undefined)
  sink.fail = new UraidenError({ code: 'entry_refused', message: 'no', hint: 'none' })
  await until(() => queue.status().refused === 1)
  sink.fail = undefined
  // Nobody looks at an empty queue again but for what comes in.
  await new Promise((resolve) => setImmediate(resolve))
  await add(entry(2))
  await until(() => sink.taken.length === 1)
  t.deepEqual(ids(sink.taken), ['run-2'])
})

test('what has arrived before a crash is recognised, and not delivered again', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const before = recordingSink()
  before.fail = down
  const { add } = await openTestQueue(t, { storage, sink: before })
  await add(...numbers(1, 300))
  const after = { ...recordingSink(), lastDelivered: async () => 'run-170' }
  await openTestQueue(t, { storage, sink: after })
  await until(() => after.taken.length === 130)
  t.deepEqual(ids(after.taken), ids(numbers(171, 300)))
})

test('what had arrived before a power cut is not delivered again by the run that is repeated after it', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  let asked = 0
  const lastDelivered = async () => {
    asked++
    return 'run-2'
  }
  const { queue, add } = await openTestQueue(t, { storage, sink: { ...sink, lastDelivered } })
  // Nothing waits in the queue yet: the run is open again, and its answer comes later.
  await until(() => asked > 0)
  await add(...numbers(1, 4))
  await until(() => sink.taken.length === 3)
  await add(entry(5))
  await until(() => sink.taken.length === 4)
  t.deepEqual(ids(sink.taken), ['run-1', 'run-3', 'run-4', 'run-5'])
  t.like(queue.status(), { waiting: 0, delivered: 4 })
})

test('what cannot be written is not delivered, and leaves no gap', async (t) => {
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = recordingSink()
  const { queue, add } = await openTestQueue(t, { storage, sink })
  queue.add(entry(1)).failed()
  t.is(queue.status().waiting, 0)
  await add(entry(2))
  await until(() => sink.taken.length === 1)
  t.deepEqual(ids(sink.taken), ['run-2'])
})

/** Of an entry on the disk. */
function recordSize(): number {
  const { payload: _, ...facts } = entry(1)
  return JSON.stringify({ ...facts, text: '{"number":1}' }).length
}
