import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { jsonLine } from '../../../../agent/jobs/sinks/entry.ts'
import { createFileSink } from '../../../../agent/jobs/sinks/file.ts'
import { mustRotate, type RotationRule } from '../../../../agent/jobs/sinks/line-file.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { entry, openStorage, openTestQueue } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

const never: RotationRule = { size: 1_000_000, age: undefined, keep: 3 }
const lineLength = jsonLine(entry(1)).length

async function start(t: ExecutionContext, rotation: Partial<RotationRule> = {}) {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'made', 'readings.jsonl')
  const open = () => {
    const sink = createFileSink({ path, rotation: { ...never, ...rotation } })
    t.teardown(() => sink.stop())
    return sink
  }
  const idsIn = async (file: string) =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id)
  return { path, folder: join(folder, 'made'), open, idsIn, sink: open() }
}

test('a line says what was bought, when, for which job and for how much', async (t) => {
  const { sink, path } = await start(t)
  const bytes = Uint8Array.of(0xff, 0xfe)
  t.is(await sink.deliver([entry(1), entry(2, 'warm'), entry(3, bytes)]), 3)
  t.deepEqual(
    (await readFile(path, 'utf8')).split('\n').map((line) => line && JSON.parse(line)),
    [
      {
        id: 'run-1',
        job: 'temperature',
        time: '2026-11-21T00:00:01.000Z',
        cost: '5',
        data: { number: 1 },
      },
      {
        id: 'run-2',
        job: 'temperature',
        time: '2026-11-21T00:00:02.000Z',
        cost: '5',
        text: 'warm',
      },
      {
        id: 'run-3',
        job: 'temperature',
        time: '2026-11-21T00:00:03.000Z',
        cost: '5',
        base64: '//4=',
      },
      '',
    ],
  )
})

test('what was bought as JSON is in the line as it was written, on one line', async (t) => {
  const { sink, path } = await start(t)
  const written = [
    '{"id": 12345678901234567890,\n "v":1e400,\t"w" : 21.50 , "s":"a  b \\" 1.0 \\\\" }\r\n',
    '\ufeff[1.0]',
    ' -0 ',
    `"${'\\n'.repeat(200_000)}"`,
    'NaN',
    '{"a":1',
  ]
  await sink.deliver(written.map((each, index) => entry(index, each)))
  const lines = (await readFile(path, 'utf8')).split('\n')
  const data = lines.map((line) => /,"(data|text)":(.*)}$/.exec(line)?.slice(1))
  t.deepEqual(data, [
    ['data', '{"id":12345678901234567890,"v":1e400,"w":21.50,"s":"a  b \\" 1.0 \\\\"}'],
    ['data', '[1.0]'],
    ['data', '-0'],
    ['data', written[3]],
    ['text', '"NaN"'],
    ['text', '"{\\"a\\":1"'],
    undefined,
  ])
})

const rule: RotationRule = { size: 100, age: 1000, keep: 1 }
for (const { what, file, line, rotates } of [
  {
    what: 'to the last byte',
    file: { size: 60, since: 0 },
    line: { bytes: 40, time: 0 },
    rotates: false,
  },
  {
    what: 'one byte over',
    file: { size: 60, since: 0 },
    line: { bytes: 41, time: 0 },
    rotates: true,
  },
  {
    what: 'a long line alone',
    file: { size: 0, since: undefined },
    line: { bytes: 900, time: 0 },
    rotates: false,
  },
  {
    what: 'just young enough',
    file: { size: 1, since: 0 },
    line: { bytes: 1, time: 999 },
    rotates: false,
  },
  {
    what: 'of full age',
    file: { size: 1, since: 0 },
    line: { bytes: 1, time: 1000 },
    rotates: true,
  },
  {
    what: 'begun by somebody else',
    file: { size: 1, since: undefined },
    line: { bytes: 1, time: 9999 },
    rotates: false,
  },
  {
    what: 'a clock that was set back',
    file: { size: 1, since: 5000 },
    line: { bytes: 1, time: 0 },
    rotates: false,
  },
]) {
  test(`rotation: ${what}: ${rotates ? 'a new file' : 'the same file'}`, (t) => {
    t.is(mustRotate(rule, file, line), rotates)
  })
}

test('files rotate by size, in the middle of a batch too, and the oldest go', async (t) => {
  const { sink, path, folder, idsIn } = await start(t, { size: 2 * lineLength, keep: 2 })
  t.is(await sink.deliver([1, 2, 3, 4, 5].map((number) => entry(number))), 5)
  t.deepEqual(await idsIn(path), ['run-5'])
  t.deepEqual(await idsIn(`${path}.2`), ['run-3', 'run-4'])
  t.deepEqual(await idsIn(`${path}.1`), ['run-1', 'run-2'])
  await sink.deliver([6, 7].map((number) => entry(number)))
  t.deepEqual((await readdir(folder)).sort(), [
    'readings.jsonl',
    'readings.jsonl.2',
    'readings.jsonl.3',
  ])
})

test('the age of a file is that of its first line, also after a restart', async (t) => {
  const { sink, open, path, idsIn } = await start(t, { age: 2000 })
  await sink.deliver([entry(1)])
  await sink.stop()
  const again = open()
  await again.deliver([entry(2), entry(3)])
  t.deepEqual(await idsIn(path), ['run-3'])
  t.deepEqual(await idsIn(`${path}.1`), ['run-1', 'run-2'])
})

test('half a line that a crash left is cut off, and the entry is the next one', async (t) => {
  const { sink, open, path, idsIn } = await start(t)
  await sink.deliver([entry(1), entry(2)])
  await sink.stop()
  const half = jsonLine(entry(3)).slice(0, 40)
  await appendFile(path, half)
  const again = open()
  t.is(await again.lastDelivered?.(), 'run-2')
  await again.deliver([entry(3)])
  t.deepEqual(await idsIn(path), ['run-1', 'run-2', 'run-3'])
})

test('a file that is half a line only, and one whose last line is longer than one read', async (t) => {
  const { open, path, sink, idsIn } = await start(t)
  await sink.deliver([entry(1, 'x'.repeat(200_000))])
  t.is(await open().lastDelivered?.(), 'run-1')
  await writeFile(path, jsonLine(entry(9, 'y'.repeat(200_000))).slice(0, 150_000))
  const again = open()
  t.is(await again.lastDelivered?.(), undefined)
  await again.deliver([entry(2)])
  t.deepEqual(await idsIn(path), ['run-2'])
})

const texts: readonly (readonly [what: string, text: string | Uint8Array])[] = [
  ['a note of one line', 'notes of mine, one line without a newline at its end'],
  ['lines of which the last has no end', 'one\ntwo\nthree'],
  ['JSON of an editor', '{\n  "a": 1\n}'],
  [
    'JSON that begins as our lines do',
    '{"id":"a","job":"b","time":"2026-11-21T00:00:00.000Z","x":1}',
  ],
  [
    'long JSON that begins as our lines do',
    `{"id":"a","job":"${'b'.repeat(9000)}","time":"2026-11-21"}`,
  ],
  ['a table', 'time;value\n2026-11-21;21,4'],
  ['bytes', Uint8Array.of(0, 1, 2, 0xff, 0, 0)],
  ['a brace', '{'],
  ['a line longer than one read', 'y'.repeat(150_000)],
]
for (const [what, text] of texts) {
  test(`a person’s file keeps every byte: ${what}`, async (t) => {
    const { open, path, folder, sink } = await start(t)
    await mkdir(folder)
    await writeFile(path, text)
    t.is(await sink.lastDelivered?.(), undefined)
    await sink.deliver([entry(1)])
    await sink.stop()
    const again = open()
    t.is(await again.lastDelivered?.(), 'run-1')
    await again.deliver([entry(2)])
    const ours = `\n${jsonLine(entry(1))}${jsonLine(entry(2))}`
    // A brace alone may be the beginning of our own line.
    const kept =
      text === '{' ? ours.slice(1) : Buffer.concat([Buffer.from(text), Buffer.from(ours)])
    t.deepEqual(await readFile(path), Buffer.from(kept))
  })
}

test('a person’s file beside the full ones is not removed when there are too many', async (t) => {
  const { sink, folder, path } = await start(t, { size: lineLength, keep: 1 })
  await mkdir(folder)
  await writeFile(`${path}.2`, 'mine\n')
  await sink.deliver([1, 2, 3].map((number) => entry(number)))
  t.deepEqual(
    (await readdir(folder)).sort(),
    ['', '.2', '.4'].map((end) => `readings.jsonl${end}`),
  )
})

test('half a line of an entry that made room for others is cut off too', async (t) => {
  const { sink, open, path, idsIn } = await start(t)
  await sink.deliver([entry(1)])
  await sink.stop()
  await appendFile(path, jsonLine(entry(2)).slice(0, 60))
  const again = open()
  await again.deliver([entry(3)])
  t.deepEqual(await idsIn(path), ['run-1', 'run-3'])
})

test('right after a rotation the last delivered entry is in the file before', async (t) => {
  const { sink, open, path } = await start(t)
  await sink.deliver([entry(1), entry(2)])
  await sink.stop()
  await rename(path, `${path}.41`)
  t.is(await open().lastDelivered?.(), 'run-2')
})

test('a file that somebody moved away is made anew', async (t) => {
  const { sink, path, idsIn } = await start(t)
  await sink.deliver([entry(1)])
  await rename(path, `${path}.taken`)
  await sink.deliver([entry(2)])
  t.deepEqual(await idsIn(`${path}.taken`), ['run-1'])
  t.deepEqual(await idsIn(path), ['run-2'])
})

test('a folder that cannot be written is named, and what was bought is there when it can', async (t) => {
  const { path, folder, idsIn, sink } = await start(t)
  await writeFile(folder, 'a file where the folder should be')
  const storage = await openStorage(t, `${folder}-queue`)
  const { add, queue } = await openTestQueue(t, { storage, sink })
  await add(entry(1), entry(2))
  await until(() => queue.status().problem !== undefined)
  t.is(queue.status().problem, `The file ${path} cannot be written (EEXIST).`)
  await rm(folder)
  await until(() => queue.status().waiting === 0)
  t.deepEqual(await idsIn(path), ['run-1', 'run-2'])
})

/** As a power cut leaves it: the length is on the disk, and of what came after a sync some blocks are not. */
const blanked = (bytes: Buffer, from: number, to: number): Buffer =>
  Buffer.from(bytes).fill(0, from, to)

test('zeros in place of what was not on the disk yet are cut off, from any byte on', async (t) => {
  const { sink, open, path, idsIn } = await start(t)
  await sink.deliver([entry(1), entry(2)])
  const synced = (await readFile(path)).length
  await sink.deliver([entry(3), entry(4)])
  await sink.stop()
  const whole = await readFile(path)
  for (let from = synced; from < whole.length; from++) {
    await writeFile(path, blanked(whole, from, whole.length))
    const again = open()
    const last = await again.lastDelivered?.()
    const kept = from < synced + lineLength ? 2 : 3
    t.is(last, `run-${kept}`, `${from}`)
    await again.deliver([3, 4].slice(kept - 2).map((number) => entry(number)))
    await again.stop()
    t.deepEqual(await readFile(path), whole)
  }
  await writeFile(path, Buffer.alloc(500))
  const again = open()
  t.is(await again.lastDelivered?.(), undefined)
  await again.deliver([entry(1)])
  t.deepEqual(await idsIn(path), ['run-1'])
})

test('zeros before what has reached the disk: whole lines stay, and no line is half of one', async (t) => {
  const { sink, open, path } = await start(t)
  await sink.deliver([1, 2, 3, 4, 5].map((number) => entry(number)))
  await sink.stop()
  const whole = await readFile(path)
  for (let from = lineLength; from < 4 * lineLength; from += 3) {
    for (let to = from + 1; to < whole.length; to += 17) {
      await writeFile(path, blanked(whole, from, to))
      const again = open()
      await again.lastDelivered?.()
      await again.deliver([entry(6)])
      await again.stop()
      const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
      const ids = lines.map((line) => JSON.parse(line).id)
      const left = [1, 2, 3, 4, 5].filter((number) => {
        const [begin, end] = [(number - 1) * lineLength, number * lineLength]
        return end <= from || begin >= to
      })
      t.deepEqual(
        ids,
        [...left, 6].map((number) => `run-${number}`),
        `${from} to ${to}`,
      )
    }
  }
})

test('zeros that may be somebody else’s stay', async (t) => {
  const { sink, open, path, folder } = await start(t)
  await mkdir(folder)
  for (const text of ['mine\n\0\0\0', 'mine\0\0}\nand more\n', '{"a":1}\n\0\0', '\0mine\n']) {
    await writeFile(path, text)
    const again = open()
    t.is(await again.lastDelivered?.(), undefined)
    await again.deliver([entry(1)])
    await again.stop()
    const kept = await readFile(path, 'utf8')
    t.true(kept.startsWith(text), JSON.stringify(kept))
  }
  await sink.stop()
})
