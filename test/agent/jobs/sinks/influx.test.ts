import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { createSink, sinkId, sinkName } from '../../../../agent/jobs/sinks/create.ts'
import { compilePoint } from '../../../../agent/jobs/sinks/influx.ts'
import { sinkSchema } from '../../../../agent/jobs/sinks/schema.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { entry } from '../../../support/outbox.ts'
import { readPoint } from '../../../support/tables.ts'

const point = (rule: Partial<Parameters<typeof compilePoint>[0]>, body: unknown) => {
  const whole = entry(1, typeof body === 'string' ? body : JSON.stringify(body))
  const line = compilePoint({ measurement: 'air', tags: {}, ...rule })(whole)
  return line && readPoint(Buffer.from(line).toString())
}
const { time } = entry(1)

test('points are read back as what was bought, by their types', (t) => {
  const tags = { room: 'the cellar, left=right', site: '$.site' }
  const fields = { 'temp,C': '$.t', ok: '$.ok', note: '$.note', list: '$.list', gone: '$.gone' }
  const body = { site: 'a b', t: -21.5, ok: true, note: 'say "hi" \\ c,d=e', list: [1, 'a'] }
  t.deepEqual(point({ measurement: 'a b,c', tags, fields }, body), {
    measurement: 'a b,c',
    tags: { room: 'the cellar, left=right', site: 'a b' },
    fields: { 'temp,C': -21.5, ok: true, note: 'say "hi" \\ c,d=e', list: '[1,"a"]' },
    time,
  })
})

for (const [what, rule, body, fields] of [
  ['a whole body that is a number', {}, '21.5', { value: 21.5 }],
  ['a whole body that is text', {}, 'warm', { value: 'warm' }],
  ['what is selected', { select: '$.c' }, { c: 7 }, { value: 7 }],
  ['a text that looks like a number', { fields: { c: '$.c' } }, { c: '7' }, { c: '7' }],
  ['null is no field', { fields: { a: '$.a', b: '$.b' } }, { a: null, b: 1 }, { b: 1 }],
] as const) {
  test(`a point of ${what}`, (t) =>
    t.deepEqual<unknown, unknown>(point(rule, body)?.fields, fields))
}

for (const [what, rule, body] of [
  ['nothing is found', { fields: { c: '$.c' } }, { d: 1 }],
  ['a tag is missing', { tags: { site: '$.site' } }, { d: 1 }],
  ['a tag would break the line', { tags: { site: '$.site' } }, { site: 'a\nb v=1' }],
  ['a text would break the line', { fields: { c: '$.c' } }, { c: 'a\nair v=1' }],
] as const) {
  test(`no point where ${what}`, (t) => t.is(point(rule, body), undefined))
}

interface Seen {
  readonly url: string
  readonly authorization: string | undefined
  readonly lines: readonly string[]
}

async function database(t: ExecutionContext, answer: (lines: readonly string[]) => number) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const lines = (await text(request)).split('\n')
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization, lines })
    response.writeHead(answer(lines)).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}`, seen, server }
}

async function sinkFor(t: ExecutionContext, influx: object) {
  const config = sinkSchema.parse({ influx })
  const marks = { get: async () => undefined, put: async () => undefined }
  const sink = createSink({ job: 'a', config, broker: undefined, stdout: process.stdout, marks })
  t.teardown(() => sink.stop())
  return sink
}

const lines = [1, 2, 3].map((number) => ({
  ...entry(number),
  payload: Buffer.from(`air v=${number} ${number}`),
}))

test('version 2 gets all points at once, with the token of the file', async (t) => {
  const token = join(await temporaryFolder(t), 'token')
  await writeFile(token, 'secret\n', { mode: 0o600 })
  const { url, seen } = await database(t, () => 204)
  const sink = await sinkFor(t, { url: `${url}/influx/`, bucket: 'my home', org: 'me', token })
  t.is(await sink.deliver(lines), 3)
  t.deepEqual(seen, [
    {
      url: '/influx/api/v2/write?bucket=my+home&org=me&precision=ms',
      authorization: 'Token secret',
      lines: ['air v=1 1', 'air v=2 2', 'air v=3 3'],
    },
  ])
})

test('version 1 gets them with a user, or without', async (t) => {
  const password = join(await temporaryFolder(t), 'password')
  await writeFile(password, 'word\n', { mode: 0o600 })
  const { url, seen } = await database(t, () => 204)
  await (await sinkFor(t, { url, database: 'home', username: 'me', password })).deliver(lines)
  await (await sinkFor(t, { url, database: 'home' })).deliver(lines)
  t.deepEqual(
    seen.map(({ url: path, authorization }) => [path, authorization]),
    [
      ['/write?db=home&precision=ms', `Basic ${Buffer.from('me:word').toString('base64')}`],
      ['/write?db=home&precision=ms', undefined],
    ],
  )
})

test('a point that is refused holds up no other', async (t) => {
  const { url, seen } = await database(t, (sent) => (sent.includes('air v=1 1') ? 400 : 204))
  const sink = await sinkFor(t, { url, database: 'home' })
  await t.throwsAsync(sink.deliver(lines), { code: 'entry_refused' })
  t.is(await sink.deliver(lines.slice(1)), 2)
  t.deepEqual(
    seen.map((each) => each.lines.length),
    [3, 1, 2],
  )
})

for (const status of [401, 404, 429, 503]) {
  test(`status ${status} is tried again`, async (t) => {
    const { url } = await database(t, () => status)
    const sink = await sinkFor(t, { url, bucket: 'home' })
    await t.throwsAsync(sink.deliver(lines), { code: 'influx_failed', message: /status/ })
  })
}

test('one that is not there is tried again; no secret is in its name', async (t) => {
  const { url, server } = await database(t, () => 204)
  server.close()
  const sink = await sinkFor(t, { url, bucket: 'home' })
  await t.throwsAsync(sink.deliver(lines), { code: 'influx_failed', message: /reached/ })
  const id = sinkId(sinkSchema.parse({ influx: { url: 'http://u:secret@h/x', bucket: 'b' } }))
  t.notRegex(sinkName(id), /secret/)
})

for (const [what, influx] of [
  ['neither bucket nor database', {}],
  ['both', { bucket: 'a', database: 'b' }],
  ['a user without password', { database: 'b', username: 'me' }],
  ['a path that is none', { database: 'b', fields: { a: '$.[' } }],
] as const) {
  test(`refused: ${what}`, (t) => {
    t.false(sinkSchema.safeParse({ influx: { url: 'http://127.0.0.1:8086', ...influx } }).success)
  })
}
