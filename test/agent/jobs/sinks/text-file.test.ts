// Files of texts: rows of CSV, lines of a template.
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createSink } from '../../../../agent/jobs/sinks/create.ts'
import { compileCsv } from '../../../../agent/jobs/sinks/csv.ts'
import { compilePicker } from '../../../../agent/jobs/sinks/pick.ts'
import { sinkSchema } from '../../../../agent/jobs/sinks/schema.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { entry } from '../../../support/outbox.ts'
import { readCsv } from '../../../support/tables.ts'

/** What a mark on the disk is. */
function marks() {
  let mark: string | undefined
  return {
    get: async () => mark,
    put: async (text: string) => {
      mark = text
    },
  }
}

type Config = Parameters<typeof sinkSchema.parse>[0] & object

async function given(t: ExecutionContext, name: string, config: (path: string) => Config) {
  const path = join(await temporaryFolder(t), name)
  const parsed = sinkSchema.parse(config(path))
  const mark = marks()
  const { csv, template, select } = parsed
  const pick =
    csv === undefined
      ? compilePicker(template === undefined ? {} : { template })
      : compileCsv({ ...csv, select })
  const bought = (number: number, body: unknown) => {
    const whole = entry(number, typeof body === 'string' ? body : JSON.stringify(body))
    const payload = pick(whole)
    if (payload === undefined) throw new Error('it does not fit')
    return { ...whole, payload }
  }
  const open = () => {
    const place = { job: 'temperature', config: parsed, broker: undefined, marks: mark }
    const sink = createSink({ ...place, stdout: process.stdout })
    t.teardown(() => sink.stop())
    return sink
  }
  return { path, open, bought, pick, read: () => readFile(path, 'utf8') }
}

test('a CSV file is read back as what was bought, whatever is in it', async (t) => {
  const columns = { 'when, exactly': 'time', celsius: '$.c', note: '$.n', all: '$', id: 'id' }
  const { open, bought, read } = await given(t, 'a.csv', (path) => ({ csv: { path, columns } }))
  const notes = ['plain', 'a,b', 'say "hi"', 'two\r\nlines', '', ' edges ', '=1+1', 'µ°—']
  const sink = open()
  const entries = notes.map((n, number) => bought(number, { c: 21.5 - number, n }))
  t.is(await sink.deliver(entries), notes.length)
  const [header, ...rows] = readCsv(await read())
  t.deepEqual(header, Object.keys(columns))
  t.deepEqual(
    rows,
    notes.map((n, number) => {
      const c = 21.5 - number
      const when = new Date(entry(number).time).toISOString()
      return [when, `${c}`, n, JSON.stringify({ c, n }), `run-${number}`]
    }),
  )
})

test('without columns a row has time, job, cost and value; a value that is missing is an empty cell', async (t) => {
  const short = await given(t, 'a.csv', (path) => ({ csv: path, select: '$.c' }))
  await short.open().deliver([short.bought(1, { c: 20 }), short.bought(2, { c: 'a,"b' })])
  t.deepEqual(readCsv(await short.read()), [
    ['time', 'job', 'cost', 'value'],
    ['2026-11-21T00:00:01.000Z', 'temperature', '5', '20'],
    ['2026-11-21T00:00:02.000Z', 'temperature', '5', 'a,"b'],
  ])
  const columns = { a: '$.a', b: '$.b', job: 'job' }
  const wide = await given(t, 'b.csv', (path) => ({ csv: { path, columns } }))
  await wide.open().deliver([wide.bought(1, { b: 2 })])
  t.deepEqual(readCsv(await wide.read())[1], ['', '2', 'temperature'])
  t.is(wide.pick(entry(1, '{"c":1}')), undefined)
  t.is(wide.pick(entry(1, 'no json')), undefined)
})

test('a file with a template has the template’s lines, and no JSON around them', async (t) => {
  const { open, bought, read } = await given(t, 'a.txt', (file) => ({
    file,
    template: '{{ $.c }} °C for {{ cost }}',
  }))
  await open().deliver([bought(1, { c: 20 }), bought(2, { c: 21 })])
  t.is(await read(), '20 °C for 5\n21 °C for 5\n')
})

test('full files get numbers, each begins with the header, and only ours are removed', async (t) => {
  const { open, bought, path } = await given(t, 'a.csv', (csv) => ({
    ...{ csv, select: '$.c' },
    rotate: { size: '150 B', keep: 2 },
  }))
  await writeFile(`${path}.1`, 'somebody else’s\n')
  const sink = open()
  for (let number = 0; number < 12; number++) await sink.deliver([bought(number, { c: number })])
  const names = (await readdir(join(path, '..'))).sort()
  t.deepEqual(names, ['a.csv', 'a.csv.1', 'a.csv.3', 'a.csv.4'])
  const values: string[] = []
  for (const name of ['a.csv.3', 'a.csv.4', 'a.csv']) {
    const [header, ...rows] = readCsv(await readFile(join(path, '..', name), 'utf8'))
    t.deepEqual(header, ['time', 'job', 'cost', 'value'])
    values.push(...rows.map(([, , , value = '']) => value))
  }
  t.deepEqual(values, ['3', '4', '5', '6', '7', '8', '9', '10', '11'])
})

test('other columns begin a new file; somebody else’s last line gets its end', async (t) => {
  const table = await given(t, 'a.csv', (csv) => ({ csv, select: '$.c' }))
  await writeFile(table.path, 'other,columns\r\n1,2\r\n')
  await table.open().deliver([table.bought(1, { c: 1 })])
  t.is(await readFile(`${table.path}.1`, 'utf8'), 'other,columns\r\n1,2\r\n')
  t.is(readCsv(await table.read()).length, 2)
  const lines = await given(t, 'a.txt', (file) => ({ file, template: '{{ $.c }}' }))
  await writeFile(lines.path, 'by hand')
  await lines.open().deliver([lines.bought(1, { c: 1 })])
  t.is(await lines.read(), 'by hand\n1\n')
})

test('cut at any byte, what has arrived is known, and each line is there once', async (t) => {
  const { open, bought, path, read } = await given(t, 'a.csv', (csv) => ({ csv, select: '$.c' }))
  // All alike, but for the line end in one of them: content says nothing of which is which.
  const before = [bought(1, { c: 'same' }), bought(1, { c: 'same' })]
  const entries = [3, 4, 5].map((number) => {
    return { ...bought(1, { c: number === 4 ? 'a\r\nb' : 'same' }), id: `run-${number}` }
  })
  const first = open()
  await first.deliver(before)
  const kept = (await read()).length
  await first.deliver(entries)
  await first.stop()
  const whole = await read()
  for (let length = kept; length <= whole.length; length++) {
    await writeFile(path, whole.slice(0, length))
    const again = open()
    const last = await again.lastDelivered?.()
    const arrived = entries.findIndex(({ id }) => id === last) + 1
    t.deepEqual(readCsv(await read()).length, 3 + arrived, `cut at ${length}`)
    await again.stop()
  }
  t.is(await open().lastDelivered?.(), 'run-5')
})

test('after a power cut that kept the length of a file alone, each line is there once all the same', async (t) => {
  const { open, bought, path, read } = await given(t, 'a.csv', (csv) => ({ csv, select: '$.c' }))
  const first = open()
  await first.deliver([bought(1, { c: 1 })])
  const kept = (await read()).length
  const entries = [2, 3, 4].map((number) => ({ ...bought(1, { c: 1 }), id: `run-${number}` }))
  await first.deliver(entries)
  await first.stop()
  const whole = await readFile(path)
  for (let from = kept; from < whole.length; from++) {
    await writeFile(path, Buffer.from(whole).fill(0, from))
    const again = open()
    const last = await again.lastDelivered?.()
    const arrived = entries.findIndex(({ id }) => id === last) + 1
    await again.deliver(entries.slice(arrived))
    await again.stop()
    t.deepEqual(await readFile(path), whole, `zeros from ${from}`)
    await writeFile(path, whole)
    const before = open()
    await before.lastDelivered?.()
    await before.stop()
    t.is((await readFile(path)).length, whole.length)
  }
})

test('a file that is moved away is followed by a new one', async (t) => {
  const { open, bought, path, read } = await given(t, 'a.csv', (csv) => ({ csv, select: '$.c' }))
  const sink = open()
  await sink.deliver([bought(1, { c: 1 })])
  await rename(path, `${path}.old`)
  await sink.deliver([bought(2, { c: 2 })])
  await sink.settle?.()
  t.is(readCsv(await read()).length, 2)
})

for (const [what, config] of [
  ['a template with csv', { csv: 'a.csv', template: 'x' }],
  ['select beside columns', { csv: { path: 'a', columns: { a: '$.a' } }, select: '$.b' }],
  ['a column of nothing', { csv: { path: 'a', columns: { a: 'price' } } }],
  ['two targets', { csv: 'a.csv', file: 'b' }],
] as const) {
  test(`refused: ${what}`, (t) => {
    t.false(sinkSchema.safeParse(config).success)
  })
}
